#include "core/random.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/kernels/philox.h"
#include "core/math.h"
#include "core/parallel.h"
#include "core/shape_only.h"

namespace weft {
namespace {

using Words = std::array<std::uint32_t, 4>;

constexpr std::uint64_t kMultiplier0 = 0xD2511F53;
constexpr std::uint64_t kMultiplier1 = 0xCD9E8D57;
constexpr std::uint32_t kWeyl0 = 0x9E3779B9;
constexpr std::uint32_t kWeyl1 = 0xBB67AE85;
constexpr int kRounds = 10;

constexpr std::int64_t kGrain = 1 << 12;  // blocks a chunk
constexpr std::int64_t kLanes = 32;       // blocks worked out side by side
constexpr double kUnit24 = 0x1p-24;
constexpr double kUnit32 = 0x1p-32;
constexpr double kUnit53 = 0x1p-53;

constexpr std::uint64_t join(std::uint32_t low, std::uint32_t high) {
  return std::uint64_t{high} << 32 | low;
}
constexpr std::array<std::uint32_t, 2> split(std::uint64_t value) {
  return {static_cast<std::uint32_t>(value), static_cast<std::uint32_t>(value >> 32)};
}

std::uint64_t fnv1a(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return hash;
}

double uniform53(std::uint32_t low, std::uint32_t high) {
  return static_cast<double>(join(low, high) >> 11) * kUnit53;
}

/// Box and Muller (1958): two independent normal values from u in (0, 1] and v in [0, 1).
std::array<double, 2> box_muller(double u, double v) {
  const double radius = std::sqrt(-2 * math::log(u));
  const double angle = 2 * std::numbers::pi * v;
  return {radius * math::cos(angle), radius * math::sin(angle)};
}

std::array<double, 2> normal_pair(const Words& words) {
  return box_muller(uniform53(words[0], words[1]) + kUnit53, uniform53(words[2], words[3]));
}

std::array<double, 4> units(const Words& words, float) {
  return {(words[0] >> 8) * kUnit24, (words[1] >> 8) * kUnit24, (words[2] >> 8) * kUnit24,
          (words[3] >> 8) * kUnit24};
}
std::array<double, 2> units(const Words& words, double) {
  return {uniform53(words[0], words[1]), uniform53(words[2], words[3])};
}

std::array<double, 4> normals(const Words& words, float) {
  const auto [a, b] = box_muller((words[0] + 1.0) * kUnit32, words[1] * kUnit32);
  const auto [c, d] = box_muller((words[2] + 1.0) * kUnit32, words[3] * kUnit32);
  return {a, b, c, d};
}
std::array<double, 2> normals(const Words& words, double) { return normal_pair(words); }

/// Elements 0 .. k-1 come from the first block, the next k from the second, ...: the same values
/// whatever the threads.
template <class T, class Values>
void fill_blocks(Generator& generator, const Tensor& t, Values&& values) {
  constexpr std::int64_t kPerBlock = std::is_same_v<T, float> ? 4 : 2;
  const Tensor out = t.is_contiguous() ? t : Tensor::empty(t.shape(), t.dtype());
  T* data = out.data<T>();
  const std::int64_t n = out.numel();
  const std::int64_t blocks = chunk_count(n, kPerBlock);
  const std::uint64_t first = generator.reserve(static_cast<std::uint64_t>(blocks));
  parallel_for(blocks, kGrain, [&](std::int64_t begin, std::int64_t end) {
    std::uint32_t words[4 * kLanes];
    for (std::int64_t group = begin; group < end; group += kLanes) {
      const std::int64_t last = std::min(end, group + kLanes);
      generator.blocks(first + static_cast<std::uint64_t>(group), last - group, words);
      for (std::int64_t i = group; i < last; ++i) {
        const std::uint32_t* word = words + 4 * (i - group);
        const auto block = values(Words{word[0], word[1], word[2], word[3]}, T{});
        const std::int64_t count = std::min(kPerBlock, n - i * kPerBlock);
        for (std::int64_t j = 0; j < count; ++j)
          data[i * kPerBlock + j] = block[static_cast<std::size_t>(j)];
      }
    }
  });
  if (t.is_contiguous())
    t.bump_version();
  else
    t.copy_from(out);
}

}  // namespace

Words philox4x32(Words counter, std::array<std::uint32_t, 2> key) {
  for (int round = 0; round < kRounds; ++round) {
    const std::uint64_t product0 = kMultiplier0 * counter[0];
    const std::uint64_t product1 = kMultiplier1 * counter[2];
    counter = {static_cast<std::uint32_t>(product1 >> 32) ^ counter[1] ^ key[0],
               static_cast<std::uint32_t>(product1),
               static_cast<std::uint32_t>(product0 >> 32) ^ counter[3] ^ key[1],
               static_cast<std::uint32_t>(product0)};
    key[0] += kWeyl0;
    key[1] += kWeyl1;
  }
  return counter;
}

Generator::Generator(std::uint64_t seed, std::string_view stream_name)
    : key_(split(seed)), stream_(split(fnv1a(stream_name))) {}

Words Generator::block(std::uint64_t position) const {
  const auto [low, high] = split(position);
  return philox4x32({low, high, stream_[0], stream_[1]}, key_);
}

void Generator::blocks(std::uint64_t position, std::int64_t count, std::uint32_t* words) const {
  kernels::philox_blocks(key_, stream_, position, count, words);
}

std::uint64_t Generator::reserve(std::uint64_t blocks) {
  const std::uint64_t first = position_;
  position_ += blocks;
  return first;
}

std::uint32_t Generator::next_u32() { return block(position_++)[0]; }

double Generator::next_uniform() {
  const Words words = block(position_++);
  return uniform53(words[0], words[1]);
}

double Generator::next_normal() { return normal_pair(block(position_++))[0]; }

/// Multiply-shift with rejection. Source: Lemire, "Fast random integer generation in an interval"
/// (2019).
std::uint64_t Generator::next_below(std::uint64_t bound) {
  if (bound == 0) fail<NumericError>("random", "next_below expects a bound of at least 1");
  while (true) {
    const Words words = block(position_++);
    const auto product = static_cast<unsigned __int128>(join(words[0], words[1])) * bound;
    if (static_cast<std::uint64_t>(product) >= (0 - bound) % bound)
      return static_cast<std::uint64_t>(product >> 64);
  }
}

void Generator::fill_uniform(const Tensor& t, double low, double high) {
  if (!std::isfinite(low) || !std::isfinite(high) || low > high)
    fail<NumericError>("uniform", "expects finite low <= high, got {} and {}", low, high);
  compute_float(t.dtype(), "uniform", [&](auto zero) {
    using T = decltype(zero);
    const T bottom = static_cast<T>(low);
    const T top = std::max(std::nextafter(static_cast<T>(high), bottom),
                           bottom);  // rounding may not reach `high`
    fill_blocks<T>(*this, t, [=](const Words& words, T) {
      const auto unit = units(words, T{});
      std::array<T, unit.size()> out;
      for (std::size_t i = 0; i < out.size(); ++i)
        out[i] = std::min(static_cast<T>(low + (high - low) * unit[i]), top);
      return out;
    });
  });
}

void Generator::fill_normal(const Tensor& t, double mean, double std) {
  if (!std::isfinite(mean) || !std::isfinite(std) || std < 0)
    fail<NumericError>("normal", "expects a finite mean and std >= 0, got {} and {}", mean, std);
  compute_float(t.dtype(), "normal", [&](auto zero) {
    using T = decltype(zero);
    fill_blocks<T>(*this, t, [=](const Words& words, T) {
      const auto normal = normals(words, T{});
      std::array<T, normal.size()> out;
      for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<T>(mean + std * normal[i]);
      return out;
    });
  });
}

Tensor Generator::permutation(std::int64_t n) {
  Tensor order = Tensor::arange(n, DType::i64);
  if (shape_only()) return order;
  std::int64_t* values = order.data<std::int64_t>();
  for (std::int64_t i = n - 1; i > 0; --i)
    std::swap(values[i], values[next_below(static_cast<std::uint64_t>(i) + 1)]);
  return order;
}

namespace random {
namespace {

struct Registry {
  std::uint64_t seed = 0;
  std::map<std::string, Generator, std::less<>> streams;
};

Registry& registry() {
  thread_local Registry instance;
  return instance;
}

}  // namespace

void seed(std::uint64_t seed) {
  registry().seed = seed;
  for (auto& [name, generator] : registry().streams)
    generator = Generator(seed, name);  // in place: references stay good
}

std::uint64_t current_seed() { return registry().seed; }

Generator& stream(std::string_view name) {
  auto& streams = registry().streams;
  const auto found = streams.find(name);
  if (found != streams.end()) return found->second;
  return streams.emplace(std::string(name), Generator(registry().seed, name)).first->second;
}

std::map<std::string, std::uint64_t> positions() {
  std::map<std::string, std::uint64_t> all;
  for (const auto& [name, generator] : registry().streams)
    if (generator.position() > 0) all.emplace(name, generator.position());
  return all;
}

void restore(std::uint64_t seed_value, const std::map<std::string, std::uint64_t>& positions) {
  seed(seed_value);
  for (const auto& [name, position] : positions) stream(name).set_position(position);
}

}  // namespace random

ShapeOnly::ShapeOnly() : seed_(random::current_seed()), positions_(random::positions()) {
  ++detail::shape_only_depth;
  reset_peak();
}

ShapeOnly::~ShapeOnly() {
  --detail::shape_only_depth;
  random::restore(seed_, positions_);
}

}  // namespace weft
