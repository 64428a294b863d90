#include "core/parallel.h"

#include <tbb/blocked_range.h>
#include <tbb/global_control.h>
#include <tbb/parallel_for.h>
#include <tbb/partitioner.h>
#include <tbb/task_arena.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "core/error.h"
#include "core/memory_limits.h"

namespace weft {
namespace {

constexpr int kMaxThreads = 1024;

std::atomic<int>& global_threads() {
  static std::atomic<int> threads{std::min(usable_processors(), kMaxThreads)};
  return threads;
}

thread_local int threads_here = 0;  // 0: the global choice
thread_local bool inside_chunk = false;

void check_threads(int threads) {
  if (threads < 1 || threads > kMaxThreads)
    fail<ConfigError>("threads", "expects 1 to {} threads, got {}", kMaxThreads, threads);
}

#if !defined(__SANITIZE_THREAD__)

/// TBB keeps to the machine's processors unless a control says more. The smallest live control
/// counts, so there is one.
void allow_parallelism(int threads) {
  static std::mutex& mutex = *new std::mutex;
  static std::unique_ptr<tbb::global_control>& control = *new std::unique_ptr<tbb::global_control>;
  const std::lock_guard lock(mutex);
  if (tbb::global_control::active_value(tbb::global_control::max_allowed_parallelism) >=
      static_cast<std::size_t>(threads))
    return;
  control.reset();
  control = std::make_unique<tbb::global_control>(tbb::global_control::max_allowed_parallelism,
                                                  static_cast<std::size_t>(threads));
}

/// Each calling thread has arenas of its own, so that two runs side by side do not share one's
/// slots.
tbb::task_arena& arena(int threads) {
  thread_local std::map<int, std::unique_ptr<tbb::task_arena>> arenas;
  thread_local std::pair<int, tbb::task_arena*> last{0, nullptr};
  if (last.first != threads) {
    std::unique_ptr<tbb::task_arena>& slot = arenas[threads];
    if (!slot) {
      allow_parallelism(threads);
      slot = std::make_unique<tbb::task_arena>(threads);
    }
    last = {threads, slot.get()};
  }
  return *last.second;
}

#endif

class InsideChunk {
 public:
  InsideChunk() : before_(inside_chunk) { inside_chunk = true; }
  ~InsideChunk() { inside_chunk = before_; }
  InsideChunk(const InsideChunk&) = delete;
  InsideChunk& operator=(const InsideChunk&) = delete;

 private:
  bool before_;
};

#if defined(__SANITIZE_THREAD__)

/// The thread sanitizer cannot see into libtbb, and takes every task it hands over for a race.
/// Plain threads it follows.
template <class F>
void run_chunks(int threads, std::int64_t chunks, const F& run_chunk) {
  std::atomic<std::int64_t> next{0};
  std::mutex mutex;
  std::exception_ptr failure;
  const auto work = [&] {
    const InsideChunk mark;
    for (std::int64_t chunk = next++; chunk < chunks; chunk = next++) try {
        run_chunk(chunk);
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (!failure) failure = std::current_exception();
      }
  };
  {
    std::vector<std::jthread> others;
    for (std::int64_t i = 1; i < std::min<std::int64_t>(threads, chunks); ++i)
      others.emplace_back(work);
    work();
  }
  if (failure) std::rethrow_exception(failure);
}

#else

template <class F>
void run_chunks(int threads, std::int64_t chunks, const F& run_chunk) {
  arena(threads).execute([&] {
    tbb::parallel_for(
        tbb::blocked_range<std::int64_t>(0, chunks, 1),
        [&](const tbb::blocked_range<std::int64_t>& range) {
          const InsideChunk mark;
          for (std::int64_t chunk = range.begin(); chunk < range.end(); ++chunk) run_chunk(chunk);
        },
        tbb::simple_partitioner());
  });
}

#endif

}  // namespace

int num_threads() {
  return threads_here > 0 ? threads_here : global_threads().load(std::memory_order_relaxed);
}

void set_num_threads(int threads) {
  check_threads(threads);
  global_threads().store(threads, std::memory_order_relaxed);
  threads_here = 0;
}

void set_num_threads_here(int threads) {
  check_threads(threads);
  threads_here = threads;
}

namespace detail {

void parallel_for_impl(std::int64_t n, std::int64_t grain, ChunkFunction function, void* context) {
  if (n <= 0) return;
  grain = std::max<std::int64_t>(grain, 1);
  if (n <= grain) {
    function(context, 0, n);
    return;
  }
  const auto run_chunk = [=](std::int64_t chunk) {
    function(context, chunk * grain, std::min(n, chunk * grain + grain));
  };
  const std::int64_t chunks = (n - 1) / grain + 1;
  const int threads = num_threads();
  if (threads == 1 || inside_chunk) {
    for (std::int64_t chunk = 0; chunk < chunks; ++chunk) run_chunk(chunk);
    return;
  }
  run_chunks(threads, chunks, run_chunk);
}

}  // namespace detail
}  // namespace weft
