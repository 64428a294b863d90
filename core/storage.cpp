#include "core/storage.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <limits>
#include <mutex>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "core/address_space.h"
#include "core/error.h"
#include "core/memory_limits.h"
#include "core/shape_only.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#endif

namespace weft {
namespace {

constexpr std::int64_t kAlignment = 64;
constexpr std::int64_t kSmall = 1024;
constexpr std::int64_t kHugePage = std::int64_t{2} << 20;
constexpr int kClassesPerDoubling = 8;
constexpr std::int64_t kWorthTrimming = std::int64_t{1} << 20;
constexpr std::int64_t kMostWaste = 2;  // half as much again
constexpr std::int64_t kLeastShared = std::int64_t{1} << 16;
constexpr std::int64_t kAlwaysKept = std::int64_t{4} << 20;

alignas(kAlignment) std::byte nothing[kAlignment];  // what an empty storage points at

struct SizeClass {
  std::size_t index;
  std::int64_t bytes;
};

/// Multiples of 64 bytes up to 1 KiB, then eight classes for each doubling: at most an eighth is
/// wasted.
SizeClass size_class(std::int64_t bytes) {
  if (bytes <= kSmall) {
    const std::int64_t units = (bytes + kAlignment - 1) / kAlignment;
    return {static_cast<std::size_t>(units), units * kAlignment};
  }
  const int log =
      63 - std::countl_zero(static_cast<std::uint64_t>(bytes - 1));  // 2^log < bytes <= 2^(log + 1)
  const std::int64_t step = (std::int64_t{1} << log) / kClassesPerDoubling;
  const std::int64_t steps = (bytes + step - 1) / step;  // 9 .. 16
  constexpr std::int64_t kSmallClasses = kSmall / kAlignment + 1;
  return {static_cast<std::size_t>(kSmallClasses + (log - 10) * kClassesPerDoubling + steps -
                                   kClassesPerDoubling - 1),
          steps * step};
}

std::align_val_t alignment_of(std::int64_t block_bytes) {
  return static_cast<std::align_val_t>(block_bytes >= kHugePage ? kHugePage : kAlignment);
}

std::byte* system_allocate(std::int64_t block_bytes) {
  void* block = ::operator new(static_cast<std::size_t>(block_bytes), alignment_of(block_bytes),
                               std::nothrow);
#ifdef MADV_HUGEPAGE
  if (block && block_bytes >= kHugePage)
    ::madvise(block, static_cast<std::size_t>(block_bytes), MADV_HUGEPAGE);
#endif
  return static_cast<std::byte*>(block);
}

void system_free(std::byte* block, std::int64_t block_bytes) {
  ASAN_UNPOISON_MEMORY_REGION(block, static_cast<std::size_t>(block_bytes));
  ::operator delete(block, alignment_of(block_bytes));
}

std::string human(std::int64_t bytes) {
  constexpr std::array<const char*, 7> kUnits = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  double value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 1024 && unit + 1 < kUnits.size()) value /= 1024, ++unit;
  return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", value, kUnits[unit]);
}

/// What `ulimit -v` leaves for tensors: threads, their heaps and the product library's buffers take
/// address space too.
std::int64_t address_space_for_tensors() {
  struct rlimit limit {};
  if (::getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
    return std::numeric_limits<std::int64_t>::max();
  return std::max<std::int64_t>(1, static_cast<std::int64_t>(limit.rlim_cur) - kAddressSpaceBeside);
}

std::int64_t machine_memory() {
  std::int64_t limit = address_space_for_tensors();
  const std::int64_t pages = ::sysconf(_SC_PHYS_PAGES);
  const std::int64_t page = ::sysconf(_SC_PAGE_SIZE);
  if (pages > 0 && page > 0) limit = std::min(limit, pages * page);
  return std::min(limit, cgroup_memory_limit());
}

class Allocator {
 public:
  /// A block for `bytes`; its full size goes to `block_bytes`.
  std::byte* allocate(std::int64_t bytes, std::int64_t& block_bytes) {
    const std::lock_guard lock(mutex_);
    if (bytes < 0 || bytes > limit_ - stats_.current) refuse(bytes);
    SizeClass wanted = size_class(bytes);
    if (wanted.bytes > limit_ - stats_.current) refuse(bytes);
    last_used_[wanted.index] = ++uses_;
    std::byte* block = nullptr;
    if (const std::size_t kept = kept_class(wanted); !free_[kept].empty()) {
      wanted = {kept, class_bytes(kept)};
      block = free_[kept].back();
      free_[kept].pop_back();
      stats_.cached -= wanted.bytes;
    } else {
      if (wanted.bytes > limit_ - stats_.current - stats_.cached)
        release();
      else
        trim_cache_to(most_kept(wanted.bytes) - wanted.bytes);
      block = system_allocate(wanted.bytes);
      if (!block && stats_.cached > 0) {
        release();
        block = system_allocate(wanted.bytes);
      }
      if (!block) refuse(bytes);
      ++stats_.allocations;
    }
    stats_.current += wanted.bytes;
    stats_.peak = std::max(stats_.peak, stats_.current);
    block_bytes = wanted.bytes;
    ASAN_UNPOISON_MEMORY_REGION(block, static_cast<std::size_t>(bytes));
    ASAN_POISON_MEMORY_REGION(block + bytes, static_cast<std::size_t>(wanted.bytes - bytes));
    return block;
  }

  void free(std::byte* block, std::int64_t block_bytes) noexcept {
    const std::lock_guard lock(mutex_);
    stats_.current -= block_bytes;
    try {
      free_[size_class(block_bytes).index].push_back(block);
    } catch (const std::bad_alloc&) {
      system_free(block, block_bytes);
      return;
    }
    ASAN_POISON_MEMORY_REGION(block, static_cast<std::size_t>(block_bytes));
    stats_.cached += block_bytes;
  }

  MemoryStats stats() {
    const std::lock_guard lock(mutex_);
    return stats_;
  }

  void reset_peak() {
    const std::lock_guard lock(mutex_);
    stats_.peak = stats_.current;
  }

  void release_cache() {
    const std::lock_guard lock(mutex_);
    release();
  }

  void set_limit(std::int64_t bytes) {
    if (bytes < 0) fail<ConfigError>("memory", "a limit may not be negative: {}", bytes);
    const std::lock_guard lock(mutex_);
    limit_ = bytes == 0 ? default_limit_ : bytes;
  }

  std::int64_t limit() {
    const std::lock_guard lock(mutex_);
    return limit_;
  }

 private:
  [[noreturn]] void refuse(std::int64_t bytes) const {
    const std::int64_t left = std::max<std::int64_t>(limit_ - stats_.current, 0);
    fail<MemoryError>(
        "memory",
        "{} requested for one tensor, {} of {} available; use a smaller model, batch or context",
        human(bytes), human(left), human(limit_));
  }

  /// The class of a kept block for what is wanted: its own, or the next that has one, up to
  /// kMostWaste more. Without any, its own.
  std::size_t kept_class(const SizeClass& wanted) const {
    if (!free_[wanted.index].empty() || wanted.bytes < kLeastShared) return wanted.index;
    const std::int64_t most =
        std::min(wanted.bytes + wanted.bytes / kMostWaste, limit_ - stats_.current);
    for (std::size_t i = wanted.index + 1; i < free_.size() && class_bytes(i) <= most; ++i)
      if (!free_[i].empty()) return i;
    return wanted.index;
  }

  /// In use and kept together: half as much again as has ever been in use, and a little. Steps of
  /// one shape need no more (no block of theirs comes from the system once all have been seen), and
  /// batches of ever new lengths would otherwise keep blocks of every size.
  std::int64_t most_kept(std::int64_t wanted) const {
    const std::int64_t most = std::max(stats_.peak, stats_.current + wanted);
    return most + most / 2 + kAlwaysKept;
  }

  /// Gives kept blocks back to the system, those of the sizes that were not asked for the longest
  /// first, until `bytes` are in use and kept at most.
  void trim_cache_to(std::int64_t bytes) {
    while (stats_.cached > 0 && stats_.current + stats_.cached > bytes) {
      std::size_t oldest = free_.size();
      for (std::size_t i = 0; i < free_.size(); ++i)
        if (!free_[i].empty() && (oldest == free_.size() || last_used_[i] < last_used_[oldest]))
          oldest = i;
      const std::int64_t size = class_bytes(oldest);
      while (!free_[oldest].empty() && stats_.current + stats_.cached > bytes) {
        system_free(free_[oldest].back(), size);
        free_[oldest].pop_back();
        stats_.cached -= size;
      }
    }
  }

  void release() {
    for (std::size_t i = 0; i < free_.size(); ++i) {
      for (std::byte* block : free_[i]) system_free(block, class_bytes(i));
      free_[i].clear();
    }
#ifdef __GLIBC__
    if (stats_.cached > kWorthTrimming)
      ::malloc_trim(0);  // the C library keeps what lies between blocks that are still in use
#endif
    stats_.cached = 0;
  }

  static std::int64_t class_bytes(std::size_t index) {
    const auto i = static_cast<std::int64_t>(index);
    constexpr std::int64_t kSmallClasses = kSmall / kAlignment + 1;
    if (i < kSmallClasses) return i * kAlignment;
    const std::int64_t doubling = (i - kSmallClasses) / kClassesPerDoubling;
    const std::int64_t steps = (i - kSmallClasses) % kClassesPerDoubling + kClassesPerDoubling + 1;
    return steps * ((std::int64_t{1} << (10 + doubling)) / kClassesPerDoubling);
  }

  std::mutex mutex_;
  MemoryStats stats_;
  std::int64_t default_limit_ = machine_memory();
  std::int64_t limit_ = default_limit_;
  static constexpr std::size_t kClasses = 17 + 53 * kClassesPerDoubling;
  std::array<std::vector<std::byte*>, kClasses> free_;
  std::array<std::uint64_t, kClasses> last_used_{};  // the value of uses_ then
  std::uint64_t uses_ = 0;
};

/// Where shape-only storages lie: no process has memory there, so that whoever reads one by mistake
/// is stopped by the machine. Each has a place of its own, as real ones have.
constexpr std::uintptr_t kNowhere = std::uintptr_t{1} << 62;
constexpr std::uintptr_t kNowhereEnd = kNowhere + (std::uintptr_t{1} << 61);

/// Shape-only storages of this thread. Bytes as doubles: their sum may be beyond 64 bits.
struct ShapeOnlyBytes {
  double held = 0, peak = 0;
  std::uintptr_t next = kNowhere;
};
constinit thread_local ShapeOnlyBytes shape_only_bytes;

bool lies_nowhere(const std::byte* data) {
  const auto address = reinterpret_cast<std::uintptr_t>(data);
  return address >= kNowhere && address < kNowhereEnd;
}

std::byte* take_nowhere(std::int64_t bytes, std::int64_t& block_bytes) {
  constexpr std::int64_t kMost = std::int64_t{1} << 60;
  ShapeOnlyBytes& all = shape_only_bytes;
  block_bytes = bytes > kMost ? bytes : size_class(bytes).bytes;
  all.held += static_cast<double>(block_bytes);
  all.peak = std::max(all.peak, all.held);
  // What is larger than all that is there reaches beyond its end, where nothing lies either.
  const std::uintptr_t room = static_cast<std::uintptr_t>(std::min(block_bytes, kMost));
  if (all.next + room > kNowhereEnd) all.next = kNowhere;
  // NOLINTNEXTLINE(performance-no-int-to-ptr): an address that is never followed
  return reinterpret_cast<std::byte*>(std::exchange(all.next, all.next + room));
}

/// Never destroyed: tensors with static storage may be freed after any destructor of ours would
/// have run.
Allocator& allocator() {
  static Allocator& instance = *new Allocator;
  return instance;
}

}  // namespace

MemoryStats memory_stats() { return allocator().stats(); }
void reset_peak_memory() { allocator().reset_peak(); }
void release_cached_memory() { allocator().release_cache(); }
void set_memory_limit(std::int64_t bytes) { allocator().set_limit(bytes); }
std::int64_t memory_limit() { return allocator().limit(); }

constinit thread_local int detail::shape_only_depth = 0;
double ShapeOnly::held() { return shape_only_bytes.held; }
double ShapeOnly::peak() { return shape_only_bytes.peak; }
void ShapeOnly::reset_peak() { shape_only_bytes.peak = shape_only_bytes.held; }
bool is_shape_only(const Tensor& t) { return lies_nowhere(t.storage()->data()); }

namespace {
std::mutex twins;  // of all storages: it is held for a moment
}

std::shared_ptr<Storage> Storage::bf16_twin() const {
  const std::lock_guard lock(twins);
  return twin_version_ == version() ? twin_.lock() : nullptr;
}

void Storage::set_bf16_twin(const std::shared_ptr<Storage>& twin) {
  const std::lock_guard lock(twins);
  twin_ = twin;
  twin_version_ = version();
}

Storage::Storage(std::int64_t bytes) : data_(nothing), bytes_(bytes) {
  if (bytes != 0)
    data_ = shape_only() ? take_nowhere(bytes, block_bytes_)
                         : allocator().allocate(bytes, block_bytes_);
}

Storage::~Storage() {
  if (block_bytes_ == 0) return;
  if (lies_nowhere(data_))
    shape_only_bytes.held -= static_cast<double>(block_bytes_);
  else
    allocator().free(data_, block_bytes_);
}

}  // namespace weft
