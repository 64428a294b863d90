// A short fuzzing of every reader: mutated valid files are taken or refused by a weft::Error, and
// memory stays small. WEFT_FUZZ_RUNS sets how many each. For long runs with coverage feedback:
// ./weft fuzz TARGET SECONDS.
#include <doctest/doctest.h>
#include <sys/resource.h>

#include <cstdlib>

#include "core/random.h"
#include "core/storage.h"
#include "tests/fuzz/targets.h"

using namespace weft;

namespace {

constexpr std::size_t kMostFuzzBytes = 1 << 16;
constexpr std::int64_t kMostFuzzMemory = std::int64_t{1} << 30;

std::int64_t wanted_runs() {
  const char* const text = std::getenv("WEFT_FUZZ_RUNS");
  return text == nullptr ? 4000 : std::max(1L, std::atol(text));
}

/// One to eight small changes: bits, bytes, numbers at their limits, cuts, repeats, parts of
/// another seed.
std::string mutated(Generator& random, const std::vector<std::string>& seeds) {
  std::string bytes = seeds[random.next_below(seeds.size())];
  const auto place = [&] { return static_cast<std::size_t>(random.next_below(bytes.size() + 1)); };
  for (std::uint64_t changes = 1 + random.next_below(8); changes > 0; --changes) {
    const std::size_t at = place();
    const std::size_t length = std::min<std::size_t>(bytes.size() - at, 1 + random.next_below(16));
    switch (random.next_below(9)) {
      case 0:
        if (at < bytes.size())
          bytes[at] = static_cast<char>(bytes[at] ^ (1 << random.next_below(8)));
        break;
      case 1:
        if (at < bytes.size()) bytes[at] = static_cast<char>(random.next_u32());
        break;
      case 2:
        bytes.insert(at, 1 + random.next_below(4), static_cast<char>(random.next_u32()));
        break;
      case 3:
        bytes.erase(at, length);
        break;
      case 4:
        bytes.resize(at);
        break;
      case 5:
        bytes.insert(at, bytes.substr(at, length));
        break;
      case 6: {
        constexpr const char* kNumbers[] = {
            "0",          "-1",  "1e999",  "9223372036854775808", "-9223372036854775809",
            "4294967296", "NaN", "1e-400", "2147483647"};
        bytes.insert(at, kNumbers[random.next_below(std::size(kNumbers))]);
        break;
      }
      case 7: {
        constexpr std::uint64_t kLimits[] = {0,
                                             1,
                                             0x7F,
                                             0xFF,
                                             0x7FFF,
                                             0xFFFF,
                                             0x7FFFFFFF,
                                             0xFFFFFFFF,
                                             0x7FFFFFFFFFFFFFFF,
                                             0xFFFFFFFFFFFFFFFF};
        const std::uint64_t value = kLimits[random.next_below(std::size(kLimits))];
        const std::size_t wide = std::size_t{1} << random.next_below(4);
        for (std::size_t i = 0; i < wide && at + i < bytes.size(); ++i)
          bytes[at + i] = static_cast<char>(value >> (8 * i));
        break;
      }
      default: {
        const std::string& other = seeds[random.next_below(seeds.size())];
        const std::size_t from = static_cast<std::size_t>(random.next_below(other.size() + 1));
        bytes.insert(at, other.substr(from, 1 + random.next_below(64)));
      }
    }
    if (bytes.size() > kMostFuzzBytes) bytes.resize(kMostFuzzBytes);
  }
  return bytes;
}

}  // namespace

TEST_CASE("no reader crashes, hangs or takes much memory, whatever it is fed") {
  std::int64_t all = 0;
  for (const fuzz::Target& target : fuzz::targets()) {
    CAPTURE(target.name);
    auto seeds = target.seeds();
    REQUIRE(!seeds.empty());
    for (std::string& file : fuzz::corpus(target.name)) seeds.push_back(std::move(file));
    for (const std::string& seed : seeds) CHECK_NOTHROW(fuzz::read_once(target, seed));
    CHECK(fuzz::read_once(target, seeds[0]));  // a valid file is taken
    reset_peak_memory();
    Generator random(2026, "fuzz-" + target.name);
    std::int64_t taken = 0;
    const std::int64_t runs =
        target.name == "suite" || target.name == "command-line" ? wanted_runs() / 4 : wanted_runs();
    for (std::int64_t i = 0; i < runs; ++i) {
      const std::string bytes = mutated(random, seeds);
      try {
        taken += fuzz::read_once(target, bytes) ? 1 : 0;
      } catch (const std::exception& error) {
        FAIL("run ", i, ": ", error.what());
      }
    }
    all += runs;
    CHECK(taken < runs);  // mutations do something
    CHECK(memory_stats().peak < kMostFuzzMemory);
  }
  MESSAGE(all, " executions over ", fuzz::targets().size(), " targets");
}
