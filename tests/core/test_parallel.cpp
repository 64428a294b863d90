#include <doctest/doctest.h>

#include <atomic>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include "core/parallel.h"
#include "tests/core/error_text.h"

using namespace weft;
using weft::test::error_text;

namespace {

struct ThreadsGuard {
  int before = num_threads();
  ~ThreadsGuard() { set_num_threads(before); }
};

std::set<std::pair<std::int64_t, std::int64_t>> chunks_of(std::int64_t n, std::int64_t grain) {
  std::mutex mutex;
  std::set<std::pair<std::int64_t, std::int64_t>> chunks;
  parallel_for(n, grain, [&](std::int64_t begin, std::int64_t end) {
    const std::lock_guard lock(mutex);
    CHECK(chunks.emplace(begin, end).second);
  });
  return chunks;
}

}  // namespace

TEST_CASE("chunks depend on the sizes alone") {
  const ThreadsGuard guard;
  for (const std::int64_t n : {0, 1, 7, 8, 9, 100, 1000})
    for (const std::int64_t grain : {1, 3, 8, 1000}) {
      std::set<std::pair<std::int64_t, std::int64_t>> expected;
      for (std::int64_t begin = 0; begin < n; begin += grain)
        expected.emplace(begin, std::min(n, begin + grain));
      CHECK(static_cast<std::int64_t>(expected.size()) == chunk_count(n, grain));
      for (const int threads : {1, 2, 3, 8}) {
        set_num_threads(threads);
        INFO(fmt::format("{} items, grain {}, {} threads", n, grain, threads));
        CHECK(chunks_of(n, grain) == expected);
      }
    }
}

TEST_CASE("several threads take part, and no more than were asked for") {
  const ThreadsGuard guard;
  for (const int threads : {2, 4}) {
    set_num_threads(threads);
    // Each chunk waits until another thread has come, so that one thread cannot do it all.
    std::mutex mutex;
    std::set<std::thread::id> seen;
    std::atomic<int> arrived{0};
    for (int attempt = 0; attempt < 50 && arrived < 2; ++attempt)
      parallel_for(64, 1, [&](std::int64_t, std::int64_t) {
        {
          const std::lock_guard lock(mutex);
          seen.insert(std::this_thread::get_id());
          arrived = static_cast<int>(seen.size());
        }
        for (int wait = 0; wait < 100 && arrived < 2; ++wait)
          std::this_thread::sleep_for(std::chrono::milliseconds(1));
      });
    CHECK(seen.size() >= 2);
  }
}

TEST_CASE("one thread runs in order, on the caller") {
  const ThreadsGuard guard;
  set_num_threads(1);
  std::vector<std::int64_t> begins;
  const std::thread::id here = std::this_thread::get_id();
  parallel_for(10, 3, [&](std::int64_t begin, std::int64_t) {
    CHECK(std::this_thread::get_id() == here);
    begins.push_back(begin);
  });
  CHECK(begins == std::vector<std::int64_t>{0, 3, 6, 9});
}

TEST_CASE("a call from inside a chunk runs serially, in order, with the same chunks") {
  const ThreadsGuard guard;
  set_num_threads(4);
  std::vector<std::vector<std::int64_t>> begins(8);
  std::atomic<bool> moved{false};
  parallel_for(8, 1, [&](std::int64_t outer, std::int64_t) {
    const std::thread::id here = std::this_thread::get_id();
    parallel_for(10, 4, [&](std::int64_t begin, std::int64_t) {
      if (std::this_thread::get_id() != here) moved = true;
      begins[static_cast<std::size_t>(outer)].push_back(begin);
    });
  });
  CHECK_FALSE(moved);
  for (const auto& inner : begins) CHECK(inner == std::vector<std::int64_t>{0, 4, 8});
}

TEST_CASE("an exception comes back to the caller, and the next call works") {
  const ThreadsGuard guard;
  for (const int threads : {1, 2, 8}) {
    set_num_threads(threads);
    const auto text = error_text<std::runtime_error>([] {
      parallel_for(100, 1, [](std::int64_t begin, std::int64_t) {
        if (begin == 57) throw std::runtime_error("from chunk 57");
      });
    });
    CHECK(text == "from chunk 57");
    std::atomic<int> count{0};
    parallel_for(100, 1, [&](std::int64_t, std::int64_t) { ++count; });
    CHECK(count == 100);
  }
}

TEST_CASE("the number of threads is global, unless a thread has its own") {
  const ThreadsGuard guard;
  set_num_threads(3);
  CHECK(num_threads() == 3);
  int elsewhere = 0;
  std::jthread([&] { elsewhere = num_threads(); }).join();
  CHECK(elsewhere == 3);
  std::jthread([&] {
    set_num_threads_here(1);
    elsewhere = num_threads();
  }).join();
  CHECK(elsewhere == 1);
  CHECK(num_threads() == 3);
  set_num_threads_here(2);
  std::jthread([&] { elsewhere = num_threads(); }).join();
  CHECK(num_threads() == 2);
  CHECK(elsewhere == 3);
  set_num_threads(4);
  CHECK(num_threads() == 4);
  CHECK(error_text<ConfigError>([] { set_num_threads(0); }) ==
        "[threads] expects 1 to 1024 threads, got 0");
  CHECK(error_text<ConfigError>([] { set_num_threads_here(1025); }) ==
        "[threads] expects 1 to 1024 threads, got 1025");
}

TEST_CASE("runs side by side do not disturb each other") {
  const ThreadsGuard guard;
  set_num_threads(2);
  std::vector<std::int64_t> sums(4, 0);
  {
    std::vector<std::jthread> runs;
    for (std::size_t r = 0; r < sums.size(); ++r)
      runs.emplace_back([&sums, r] {
        for (int round = 0; round < 200; ++round) {
          std::vector<std::int64_t> partial(16, 0);
          parallel_for(160, 10, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t i = begin; i < end; ++i)
              partial[static_cast<std::size_t>(begin / 10)] += i;
          });
          for (const std::int64_t p : partial) sums[r] += p;
        }
      });
  }
  for (const std::int64_t sum : sums) CHECK(sum == 200 * (159 * 160 / 2));
}
