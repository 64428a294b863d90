#include <doctest/doctest.h>

#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <thread>
#include <vector>

#include "core/storage.h"
#include "core/tensor.h"
#include "tests/core/error_text.h"

using namespace weft;
using weft::test::error_text;

namespace {

/// Puts the limit back, also when a check fails in between.
struct LimitGuard {
  ~LimitGuard() { set_memory_limit(0); }
};

constexpr std::int64_t kMiB = std::int64_t{1} << 20;

}  // namespace

TEST_CASE("every block is aligned, large enough and apart from the others") {
  std::vector<std::unique_ptr<Storage>> all;
  std::vector<std::int64_t> sizes;
  for (std::int64_t bytes = 1; bytes < 8 * kMiB; bytes = bytes * 5 / 3 + 1) sizes.push_back(bytes);
  for (std::int64_t log = 6; log <= 22; ++log)
    for (std::int64_t off = -1; off <= 1; ++off) sizes.push_back((std::int64_t{1} << log) + off);
  const std::int64_t before = memory_stats().current;
  for (const std::int64_t bytes : sizes) {
    all.push_back(std::make_unique<Storage>(bytes));
    Storage& storage = *all.back();
    CHECK(storage.bytes() == bytes);
    CHECK(reinterpret_cast<std::uintptr_t>(storage.data()) % 64 == 0);
    if (bytes >= 2 * kMiB)
      CHECK(reinterpret_cast<std::uintptr_t>(storage.data()) % (2 * kMiB) == 0);
    std::memset(storage.data(), static_cast<int>(all.size() % 251),
                static_cast<std::size_t>(bytes));
  }
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto wanted = static_cast<std::byte>((i + 1) % 251);
    CHECK(all[i]->data()[0] == wanted);
    CHECK(all[i]->data()[all[i]->bytes() - 1] == wanted);
  }
  all.clear();
  CHECK(memory_stats().current == before);
}

TEST_CASE("at most an eighth of a block, or 63 bytes, is waste") {
  for (std::int64_t bytes = 1; bytes < 64 * kMiB; bytes = bytes * 9 / 8 + 1) {
    release_cached_memory();
    const std::int64_t before = memory_stats().current;
    const Storage storage(bytes);
    const std::int64_t block = memory_stats().current - before;
    CHECK(block >= bytes);
    CHECK(block - bytes <= std::max<std::int64_t>(63, bytes / 8 + 1));
  }
}

TEST_CASE("a freed block is used again, and the counters follow") {
  release_cached_memory();
  const MemoryStats start = memory_stats();
  CHECK(start.cached == 0);
  std::byte* first = nullptr;
  {
    const Storage a(kMiB);
    first = a.data();
    CHECK(memory_stats().current == start.current + kMiB);
    CHECK(memory_stats().allocations == start.allocations + 1);
  }
  CHECK(memory_stats().current == start.current);
  CHECK(memory_stats().cached == kMiB);
  {
    const Storage b(kMiB - 10);
    CHECK(b.data() == first);
    CHECK(memory_stats().cached == 0);
    CHECK(memory_stats().allocations == start.allocations + 1);
  }
  release_cached_memory();
  CHECK(memory_stats().cached == 0);
}

TEST_CASE("a large block stands for one a little smaller, and goes back as what it is") {
  release_cached_memory();
  const MemoryStats start = memory_stats();
  std::byte* first = nullptr;
  {
    const Storage a(12 * kMiB);
    first = a.data();
  }
  {
    const Storage b(9 * kMiB);
    CHECK(b.data() == first);
    CHECK(memory_stats().current == start.current + 12 * kMiB);
    const Storage c(7 * kMiB);
    CHECK(memory_stats().current == start.current + 19 * kMiB);
  }
  CHECK(memory_stats().cached == 19 * kMiB);
  CHECK(memory_stats().allocations == start.allocations + 2);
  const Storage small(4 * kMiB);  // the others are more than half as much again
  CHECK(memory_stats().allocations == start.allocations + 3);
}

TEST_CASE("the peak is the most that was held since it was reset") {
  reset_peak_memory();
  const std::int64_t base = memory_stats().current;
  CHECK(memory_stats().peak == base);
  { const Storage a(4 * kMiB); }
  { const Storage b(kMiB); }
  CHECK(memory_stats().peak == base + 4 * kMiB);
  reset_peak_memory();
  CHECK(memory_stats().peak == base);
}

TEST_CASE("an empty storage takes nothing") {
  const MemoryStats before = memory_stats();
  const Storage a(0);
  CHECK(a.bytes() == 0);
  CHECK(a.data() != nullptr);
  CHECK(memory_stats().current == before.current);
}

TEST_CASE("a request above the limit says what is left") {
  const LimitGuard guard;
  const std::int64_t held = memory_stats().current;
  set_memory_limit(held + 8 * kMiB);
  CHECK(memory_limit() == held + 8 * kMiB);
  const Storage a(5 * kMiB);
  const std::string text = error_text<MemoryError>([] { Storage(4 * kMiB); });
  CHECK(text.substr(0, 58) == "[memory] 4.0 MiB requested for one tensor, 3.0 MiB of 8.0 ");
  CHECK(text.ends_with(" available; use a smaller model, batch or context"));
  CHECK(memory_stats().current == held + 5 * kMiB);
  const Storage b(3 * kMiB);  // fits to the byte
}

TEST_CASE("cached blocks give way to a request that would not fit beside them") {
  const LimitGuard guard;
  release_cached_memory();
  { const Storage a(6 * kMiB); }
  CHECK(memory_stats().cached == 6 * kMiB);
  set_memory_limit(memory_stats().current + 8 * kMiB);
  const Storage b(7 * kMiB);
  CHECK(memory_stats().cached == 0);
}

TEST_CASE("absurd sizes are refused, not wrapped around") {
  CHECK(error_text<MemoryError>([] {
          Storage(std::numeric_limits<std::int64_t>::max());
        }).starts_with("[memory] 8.0 EiB requested for one tensor"));
  CHECK(error_text<MemoryError>([] {
          Tensor::empty({std::int64_t{1} << 61}, DType::f64);
        }).starts_with("[memory] 8.0 EiB requested"));
  CHECK(error_text<ShapeError>([] {
          Tensor::empty({std::int64_t{1} << 40, std::int64_t{1} << 40});
        }) == "[shape] more than 2^62 elements: (1099511627776, 1099511627776)");
  CHECK(error_text<ShapeError>([] {
          Tensor::empty({3, -1});
        }) == "[shape] a size may not be negative: (3, -1)");
  CHECK(error_text<ConfigError>([] { set_memory_limit(-1); }) ==
        "[memory] a limit may not be negative: -1");
}

TEST_CASE("the default limit is what the machine has") {
  set_memory_limit(0);
  CHECK(memory_limit() > 64 * kMiB);
}

TEST_CASE("several threads may take and give back at once") {
  const std::int64_t before = memory_stats().current;
  std::vector<int> torn(4, 0);
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([&torn, t] {
        for (int i = 0; i < 2000; ++i) {
          const Storage a(64 * (1 + i % 40));
          std::memset(a.data(), t, static_cast<std::size_t>(a.bytes()));
          const Storage b(64 * (1 + i % 40));
          std::memset(b.data(), 100 + t, static_cast<std::size_t>(b.bytes()));
          if (a.data()[a.bytes() - 1] != static_cast<std::byte>(t))
            ++torn[static_cast<std::size_t>(t)];
        }
      });
  }
  CHECK(torn == std::vector<int>(4, 0));
  CHECK(memory_stats().current == before);
}
