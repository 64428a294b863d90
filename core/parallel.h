// Threads. Work is cut by its size alone, never by the number of threads: the same bits for any
// number of them.
#pragma once

#include <cstdint>
#include <type_traits>

namespace weft {

/// Threads used by ops called from this thread (and, unless it says otherwise, by threads that have
/// not chosen). Throws ConfigError outside 1 .. 1024.
void set_num_threads(int threads);
int num_threads();  ///< as set, or one per core
/// As set_num_threads, but for the calling thread only: two runs side by side may use one each.
void set_num_threads_here(int threads);

namespace detail {
using ChunkFunction = void (*)(void* context, std::int64_t begin, std::int64_t end);
/// What parallel_for() calls.
void parallel_for_impl(std::int64_t n, std::int64_t grain, ChunkFunction function, void* context);
}  // namespace detail

/// Calls `f(begin, end)` for consecutive chunks of `grain` items (the last may be shorter) that
/// cover [0, n). Chunks run on several threads in any order, and may not write to the same place. A
/// call from inside a chunk runs serially. The first exception is rethrown here.
template <class F>
void parallel_for(std::int64_t n, std::int64_t grain, F&& f) {
  using Function = std::remove_reference_t<F>;
  detail::parallel_for_impl(
      n, grain,
      [](void* context, std::int64_t begin, std::int64_t end) {
        (*static_cast<Function*>(context))(begin, end);
      },
      const_cast<void*>(static_cast<const void*>(&f)));
}

/// Chunks that parallel_for makes of n items: for per-chunk partial results, combined afterwards in
/// index order.
constexpr std::int64_t chunk_count(std::int64_t n, std::int64_t grain) {
  return n <= 0 ? 0 : (n + grain - 1) / grain;
}

}  // namespace weft
