#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <thread>
#include <vector>

#include "core/parallel.h"
#include "core/random.h"
#include "tests/core/error_text.h"

using namespace weft;
using weft::test::error_text;

namespace {

using Words = std::array<std::uint32_t, 4>;

struct Moments {
  double mean = 0;
  double variance = 0;
};

Moments moments(const std::vector<double>& values) {
  Moments m;
  for (const double v : values) m.mean += v / static_cast<double>(values.size());
  for (const double v : values)
    m.variance += (v - m.mean) * (v - m.mean) / static_cast<double>(values.size());
  return m;
}

}  // namespace

TEST_CASE("Philox gives the known answers of Random123") {
  CHECK(philox4x32({0, 0, 0, 0}, {0, 0}) == Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  constexpr std::uint32_t kAll = 0xffffffff;
  CHECK(philox4x32({kAll, kAll, kAll, kAll}, {kAll, kAll}) ==
        Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
        Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("a block is Philox of position, stream and seed, and many blocks are the same as each") {
  const std::uint64_t seed = 0x123456789abcdef0;
  const Generator generator(seed, "init");
  // FNV-1a of "init", worked out apart.
  std::uint64_t hash = 14695981039346656037u;
  for (const char c : {'i', 'n', 'i', 't'})
    hash = (hash ^ static_cast<std::uint64_t>(c)) * 1099511628211u;
  const std::uint64_t position = 0xfffffffffffffffe;
  CHECK(generator.block(position) ==
        philox4x32({0xfffffffe, 0xffffffff, static_cast<std::uint32_t>(hash),
                    static_cast<std::uint32_t>(hash >> 32)},
                   {0x9abcdef0, 0x12345678}));
  for (const std::uint64_t start :
       {std::uint64_t{0}, std::uint64_t{5}, std::uint64_t{0xfffffffd}}) {
    std::vector<std::uint32_t> words(4 * 21);
    generator.blocks(start, 21, words.data());
    for (std::uint64_t i = 0; i < 21; ++i) {
      const Words one = generator.block(start + i);
      CHECK(std::equal(one.begin(), one.end(), words.begin() + static_cast<std::ptrdiff_t>(4 * i)));
    }
  }
}

TEST_CASE("seeds and names make streams of their own") {
  std::set<std::uint32_t> first;
  for (const std::uint64_t seed : {0, 1, 2})
    for (const char* name : {"init", "data", "dropout", "sample"})
      first.insert(Generator(seed, name).next_u32());
  CHECK(first.size() == 12);
  CHECK(Generator(7, "data").next_u32() == Generator(7, "data").next_u32());
}

TEST_CASE("a position resumes exactly") {
  Generator a(3, "data");
  a.next_u32();
  a.next_normal();
  a.next_below(10);
  a.fill_uniform(Tensor::empty({7}));
  Generator b(3, "data");
  b.set_position(a.position());
  for (int i = 0; i < 5; ++i) {
    CHECK(a.next_u32() == b.next_u32());
    CHECK(a.next_uniform() == b.next_uniform());
    CHECK(a.next_normal() == b.next_normal());
    CHECK(a.next_below(1000) == b.next_below(1000));
  }
  const std::uint64_t before = a.position();
  CHECK(a.reserve(10) == before);
  CHECK(a.position() == before + 10);
}

TEST_CASE("next_below is in range and even") {
  Generator generator(1, "test");
  std::vector<int> counts(7, 0);
  for (int i = 0; i < 70000; ++i) {
    const std::uint64_t value = generator.next_below(7);
    REQUIRE(value < 7);
    ++counts[value];
  }
  double chi2 = 0;
  for (const int count : counts) chi2 += (count - 10000.0) * (count - 10000.0) / 10000.0;
  CHECK(chi2 < 22.5);  // 6 degrees of freedom, p = 0.001
  CHECK(generator.next_below(1) == 0);
  CHECK(generator.next_below(~std::uint64_t{0}) < ~std::uint64_t{0});
  CHECK(error_text<NumericError>([&] { generator.next_below(0); }) ==
        "[random] next_below expects a bound of at least 1");
}

TEST_CASE("uniform and normal values have their moments and ranges") {
  for (const DType dtype : {DType::f32, DType::f64}) {
    INFO(std::string(name(dtype)));
    const Tensor t = Tensor::empty({200001}, dtype);
    Generator generator(5, "test");
    generator.fill_uniform(t);
    std::vector<double> values = t.to_vector<double>();
    CHECK(*std::min_element(values.begin(), values.end()) >= 0);
    CHECK(*std::max_element(values.begin(), values.end()) < 1);
    CHECK(std::abs(moments(values).mean - 0.5) < 0.003);
    CHECK(std::abs(moments(values).variance - 1.0 / 12) < 0.001);
    generator.fill_uniform(t, -2, 6);
    values = t.to_vector<double>();
    CHECK(*std::min_element(values.begin(), values.end()) >= -2);
    CHECK(*std::max_element(values.begin(), values.end()) < 6);
    CHECK(std::abs(moments(values).mean - 2) < 0.03);
    generator.fill_normal(t, 1, 2);
    values = t.to_vector<double>();
    CHECK(std::abs(moments(values).mean - 1) < 0.02);
    CHECK(std::abs(moments(values).variance - 4) < 0.06);
    double fourth = 0;
    for (const double v : values)
      fourth += std::pow((v - 1) / 2, 4) / static_cast<double>(values.size());
    CHECK(std::abs(fourth - 3) < 0.15);
  }
}

TEST_CASE("neighbors of a fill are not correlated") {
  for (const DType dtype : {DType::f32, DType::f64}) {
    const Tensor t = Tensor::empty({100000}, dtype);
    Generator(11, "test").fill_normal(t);
    const std::vector<double> values = t.to_vector<double>();
    for (const std::size_t lag : {1, 2, 3, 4}) {
      double sum = 0;
      for (std::size_t i = 0; i + lag < values.size(); ++i) sum += values[i] * values[i + lag];
      CHECK(std::abs(sum / static_cast<double>(values.size())) < 0.015);
    }
  }
}

TEST_CASE("a range too narrow for a float still does not reach its end") {
  const Tensor t = Tensor::empty({10000});
  Generator generator(5, "test");
  const double high = 1 + 0x1p-23;
  generator.fill_uniform(t, 1, high);
  for (const float value : t.to_vector<float>()) REQUIRE(value == 1.0f);
  generator.fill_uniform(t, 3, 3);
  CHECK(t.to_vector<float>() == std::vector<float>(10000, 3.0f));
}

TEST_CASE("a fill is the same for any number of threads, and does not depend on what it fills") {
  const int before = num_threads();
  for (const DType dtype : {DType::f32, DType::f64}) {
    std::vector<double> uniform;
    std::vector<double> normal;
    for (const int threads : {1, 2, 3, 8}) {
      set_num_threads(threads);
      Generator generator(9, "test");
      const Tensor t = Tensor::empty({99, 1001}, dtype);
      generator.fill_uniform(t);
      if (threads == 1) uniform = t.to_vector<double>();
      CHECK(t.to_vector<double>() == uniform);
      generator.fill_normal(t);
      if (threads == 1) normal = t.to_vector<double>();
      CHECK(t.to_vector<double>() == normal);
    }
    const Tensor view = raw::transpose(Tensor::empty({1001, 99}, dtype), 0, 1);
    Generator(9, "test").fill_uniform(view);
    CHECK(view.to_vector<double>() == uniform);
  }
  set_num_threads(before);
}

TEST_CASE("a fill takes its blocks from the stream, and refuses nonsense") {
  Generator generator(1, "test");
  generator.fill_uniform(Tensor::empty({5}));
  CHECK(generator.position() == 2);
  generator.fill_normal(Tensor::empty({5}, DType::f64));
  CHECK(generator.position() == 5);
  generator.fill_normal(Tensor::empty({0}));
  CHECK(generator.position() == 5);
  const Tensor t = Tensor::empty({2});
  CHECK(error_text<NumericError>([&] { generator.fill_uniform(t, 2, 1); }) ==
        "[uniform] expects finite low <= high, got 2 and 1");
  CHECK(error_text<NumericError>([&] { generator.fill_normal(t, 0, -1); }) ==
        "[normal] expects a finite mean and std >= 0, got 0 and -1");
  CHECK(error_text<DTypeError>([&] { generator.fill_normal(Tensor::empty({2}, DType::i64)); }) ==
        "[normal] expects f32 or f64, got i64");
}

TEST_CASE("a permutation holds every index once") {
  Generator generator(2, "data");
  const auto order = generator.permutation(1000).to_vector<std::int64_t>();
  std::vector<std::int64_t> sorted = order;
  std::sort(sorted.begin(), sorted.end());
  for (std::int64_t i = 0; i < 1000; ++i) REQUIRE(sorted[static_cast<std::size_t>(i)] == i);
  CHECK(order != sorted);
  CHECK(generator.permutation(1000).to_vector<std::int64_t>() != order);
  CHECK(generator.permutation(0).numel() == 0);
  CHECK(generator.permutation(1).item() == 0);
  std::vector<int> first(3, 0);
  for (int i = 0; i < 3000; ++i)
    ++first[static_cast<std::size_t>(generator.permutation(3).at({0}))];
  for (const int count : first) CHECK(std::abs(count - 1000) < 120);
}

TEST_CASE("the streams of a run are named, seeded together, and come back") {
  random::seed(42);
  CHECK(random::current_seed() == 42);
  CHECK(random::positions().empty());
  Generator& init = random::stream("init");
  const std::uint32_t word = init.next_u32();
  random::stream("dropout").next_uniform();
  random::stream("dropout").next_uniform();
  const auto positions = random::positions();
  CHECK(positions == std::map<std::string, std::uint64_t>{{"dropout", 2}, {"init", 1}});
  const std::uint32_t next = random::stream("dropout").next_u32();
  random::seed(43);
  CHECK(init.next_u32() != word);  // the reference is still good
  random::restore(42, positions);
  CHECK(random::stream("dropout").next_u32() == next);
  random::seed(42);
  CHECK(random::stream("init").next_u32() == word);
  random::stream("data").next_u32();
  random::seed(42);
  random::stream("data");
  CHECK(random::stream("init").next_u32() == word);  // another stream in between moves nothing
  std::uint64_t elsewhere = 1;
  std::jthread([&] { elsewhere = random::current_seed(); }).join();
  CHECK(elsewhere == 0);
  random::seed(0);
}
