#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "core/parallel.h"
#include "data/loader.h"

using namespace weft;
using namespace weft::data;

namespace {

std::int64_t slow_square(std::int64_t k) {
  if (k % 3 == 0)
    std::this_thread::sleep_for(
        std::chrono::microseconds(200));  // so that workers overtake each other
  return k * k;
}

}  // namespace

TEST_CASE("the order is the same whatever the number of threads") {
  for (const int threads : {0, 1, 2, 8}) {
    for (const int ahead : {1, 2, 5, 64}) {
      Prefetcher<std::int64_t> batches(slow_square, 10, 60, {.threads = threads, .ahead = ahead});
      for (std::int64_t k = 10; k < 60; ++k) {
        const auto batch = batches.next();
        REQUIRE(batch.has_value());
        REQUIRE(*batch == k * k);
      }
      CHECK(!batches.next().has_value());
      CHECK(!batches.next().has_value());
    }
  }
}

TEST_CASE("no more is made ahead than asked for") {
  std::atomic<std::int64_t> begun{0};
  Prefetcher<std::int64_t> batches([&](std::int64_t k) { return ++begun, k; }, 0, 1000,
                                   {.threads = 4, .ahead = 3});
  for (int taken = 1; taken <= 20; ++taken) {
    REQUIRE(batches.next().has_value());
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    REQUIRE(begun <= taken + 3);
  }
}

TEST_CASE("an exception comes out where its batch would have, and ends the sequence") {
  for (const int threads : {0, 1, 4}) {
    Prefetcher<int> batches(
        [](std::int64_t k) -> int {
          if (k == 5) throw std::runtime_error("batch 5");
          return static_cast<int>(k);
        },
        0, 100, {.threads = threads, .ahead = 8});
    for (int k = 0; k < 5; ++k) REQUIRE(batches.next() == k);
    CHECK_THROWS_WITH_AS(batches.next(), "batch 5", std::runtime_error);
    CHECK(!batches.next().has_value());
  }
}

TEST_CASE("it stops when it is dropped, with batches in work and unread") {
  for (int round = 0; round < 50; ++round) {
    std::atomic<int> begun{0};
    {
      Prefetcher<std::vector<int>> batches(
          [&](std::int64_t) { return ++begun, std::vector<int>(100, round); }, 0, 1'000'000'000,
          {.threads = 3, .ahead = 4});
      for (int i = 0; i < round % 4; ++i) REQUIRE(batches.next().has_value());
    }
    CHECK(begun <= 8);
  }
}

TEST_CASE("workers leave the ops' threads to the trainer") {
  set_num_threads(2);
  std::atomic<int> seen{0};
  Prefetcher<int> batches([&](std::int64_t) { return seen = num_threads(); }, 0, 1,
                          {.threads = 1, .ahead = 1});
  CHECK(batches.next() == 1);
  CHECK(num_threads() == 2);
}

TEST_CASE("a range: each begin starts anew, empty ranges are empty") {
  const BatchRange<std::int64_t> range(slow_square, 2, 5, {.threads = 1, .ahead = 2});
  CHECK(range.size() == 3);
  CHECK(range[1] == 9);
  for (int round = 0; round < 2; ++round) {
    std::vector<std::int64_t> all;
    for (const auto batch : range) all.push_back(batch);
    CHECK(all == std::vector<std::int64_t>{4, 9, 16});
  }
  for (const auto batch : BatchRange<std::int64_t>(slow_square, 5, 3))
    FAIL("a batch of an empty range: " << batch);
}
