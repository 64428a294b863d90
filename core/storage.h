// Memory: a caching allocator and the reference-counted buffer that tensors and their views share.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace weft {

/// Counters of the allocator, in bytes.
struct MemoryStats {
  std::int64_t current = 0;      ///< held by live tensors
  std::int64_t peak = 0;         ///< the most `current` has been since the last reset_peak_memory()
  std::int64_t cached = 0;       ///< freed by tensors, kept for reuse
  std::int64_t allocations = 0;  ///< requests that went to the system, not to the cache
};

MemoryStats memory_stats();  ///< of this process now
void reset_peak_memory();    ///< starts the peak anew
/// Returns every cached block to the system.
void release_cached_memory();
/// Bytes tensors may hold in all; a request above it throws MemoryError. 0 restores the default:
/// what the machine (or its cgroup) has.
void set_memory_limit(std::int64_t bytes);
std::int64_t memory_limit();  ///< bytes

/// A 64-byte-aligned buffer. Contents are not initialized.
class Storage {
 public:
  /// Throws MemoryError when `bytes` do not fit the limit or the system refuses.
  explicit Storage(std::int64_t bytes);
  ~Storage();
  Storage(const Storage&) = delete;
  Storage& operator=(const Storage&) = delete;

  std::byte* data() const { return data_; }      ///< its first byte
  std::int64_t bytes() const { return bytes_; }  ///< its size

  /// How often the elements have been changed in place; an op that saved them compares it.
  std::uint64_t version() const { return version_.load(std::memory_order_relaxed); }
  /// Counts a change.
  void bump_version() { version_.fetch_add(1, std::memory_order_relaxed); }

  /// The same elements in bfloat16, where somebody keeps them and they have not changed since
  /// (bf16_copy()); null otherwise. The elements must be f32.
  std::shared_ptr<Storage> bf16_twin() const;
  void set_bf16_twin(const std::shared_ptr<Storage>& twin);

 private:
  std::byte* data_ = nullptr;
  std::int64_t bytes_ = 0;
  std::int64_t block_bytes_ = 0;
  std::atomic<std::uint64_t> version_{0};
  std::weak_ptr<Storage> twin_;
  std::uint64_t twin_version_ = 0;
};

}  // namespace weft
