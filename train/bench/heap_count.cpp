#include "train/bench/heap_count.h"

#include <atomic>
#include <cstdlib>
#include <limits>
#include <new>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)

namespace weft::bench {
std::int64_t heap_allocations() { return -1; }
}  // namespace weft::bench

#else

namespace {

std::atomic<std::int64_t> heap_calls{0};

void* heap_take(std::size_t bytes) {
  heap_calls.fetch_add(1, std::memory_order_relaxed);
  return std::malloc(bytes == 0 ? 1 : bytes);
}

void* heap_take(std::size_t bytes, std::align_val_t alignment) {
  heap_calls.fetch_add(1, std::memory_order_relaxed);
  const auto step = static_cast<std::size_t>(alignment);
  if (bytes > std::numeric_limits<std::size_t>::max() - step) return nullptr;
  return std::aligned_alloc(step, (bytes + step - 1) / step * step);
}

void* heap_or_throw(void* block) {
  if (block == nullptr) throw std::bad_alloc();
  return block;
}

}  // namespace

// The standard lets a program put its own in the place of these; the forms for arrays and the sized
// ones call these.
void* operator new(std::size_t bytes) { return heap_or_throw(heap_take(bytes)); }
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept { return heap_take(bytes); }
void* operator new(std::size_t bytes, std::align_val_t alignment) {
  return heap_or_throw(heap_take(bytes, alignment));
}
void* operator new(std::size_t bytes, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  return heap_take(bytes, alignment);
}
void operator delete(void* block) noexcept { std::free(block); }
void operator delete(void* block, std::size_t) noexcept { std::free(block); }
void operator delete(void* block, std::align_val_t) noexcept { std::free(block); }
void operator delete(void* block, std::size_t, std::align_val_t) noexcept { std::free(block); }

namespace weft::bench {
std::int64_t heap_allocations() { return heap_calls.load(std::memory_order_relaxed); }
}  // namespace weft::bench

#endif
