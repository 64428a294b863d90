// Which examples are held out: the same for every seed, and of data sorted by class as fair as of
// any other.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "data/image/annotated_images.h"
#include "data/image/idx.h"
#include "data/image/image_dataset.h"
#include "data/image/png.h"
#include "data/stratified.h"
#include "data/table/table_tokens.h"
#include "data/text/labeled_text.h"
#include "data/text/text_pairs.h"
#include "tests/data/scratch.h"

using namespace weft;
using namespace weft::data;
using weft_test::contains;
using weft_test::message_of;
using weft_test::Scratch;

namespace {

constexpr std::int64_t kExamples = 300;
constexpr int kClasses = 3;
constexpr Split kAllSplits[] = {Split::train, Split::validation, Split::test};

/// Example i of data that are sorted by class.
int class_of(std::int64_t i) { return static_cast<int>(i * kClasses / kExamples); }

using Counts =
    std::array<std::array<std::int64_t, kClasses>, 3>;  ///< examples of each class in each split

/// Readers of data whose examples have classes: each writes sorted data and says what has come into
/// which split.
std::map<std::string, std::function<Counts(const Scratch&, std::uint64_t seed)>> split_readers() {
  std::map<std::string, std::function<Counts(const Scratch&, std::uint64_t)>> all;
  all["images"] = [](const Scratch& scratch, std::uint64_t seed) {
    for (const char* part : {"train", "t10k"}) {
      std::vector<std::uint8_t> labels;
      for (std::int64_t i = 0; i < kExamples; ++i)
        labels.push_back(static_cast<std::uint8_t>(class_of(i)));
      write_idx(scratch.path(std::string(part) + "-labels-idx1-ubyte"),
                Tensor::from(labels, {kExamples}));
      write_idx(scratch.path(std::string(part) + "-images-idx3-ubyte"),
                Tensor::full({kExamples, 2, 2}, 9, DType::u8));
    }
    const ImageData data = load_images(scratch.folder(), {.seed = seed});
    Counts counts{};
    for (const Split split : kAllSplits)
      for (const int label : data.labels(split).to_vector<int>())
        ++counts[static_cast<std::size_t>(split)][static_cast<std::size_t>(label)];
    return counts;
  };
  all["boxes"] = [](const Scratch& scratch, std::uint64_t seed) {
    std::string list = "file,label,x0,y0,x1,y1\n";
    for (std::int64_t i = 0; i < kExamples; ++i) {
      const std::string file = fmt::format("{:03}.png", i);
      save_png(scratch.path(file), Tensor::full({2, 2}, 9, DType::u8));
      list += fmt::format("{},{},0,0,1,1\n", file, class_of(i));
    }
    scratch.write("boxes.csv", list);
    const AnnotatedImages data(scratch.folder(), {.side = 16, .seed = seed});
    Counts counts{};
    for (const Split split : kAllSplits) {
      const std::int64_t count =
          split == Split::train ? kExamples - data.size(Split::validation) - data.size(Split::test)
                                : data.size(split);
      for (std::int64_t i = 0; i < count; ++i)
        ++counts[static_cast<std::size_t>(split)]
                [static_cast<std::size_t>(data.scene(split, i).boxes.at({0, 0}))];
    }
    return counts;
  };
  all["table"] = [](const Scratch& scratch, std::uint64_t) {
    std::string rows = "a,class\n";
    for (std::int64_t i = 0; i < kExamples; ++i) rows += fmt::format("{},{}\n", i, class_of(i));
    const TokenData data = load_table_tokens(scratch.write("t.csv", rows), {});
    Counts counts{};
    for (const Split split : kAllSplits)
      for (const double target : data.targets(split).to_vector<double>())
        ++counts[static_cast<std::size_t>(split)][static_cast<std::size_t>(target)];
    return counts;
  };
  all["labeled"] = [](const Scratch&, std::uint64_t) {
    std::string lines;
    for (std::int64_t i = 0; i < kExamples; ++i)
      lines += fmt::format("{}\ttext {}\n", class_of(i), i);
    const LabeledData data(lines, {}, "labeled");
    Counts counts{};
    for (const Split split : kAllSplits)
      for (const auto& example : data.examples(split))
        ++counts[static_cast<std::size_t>(split)][static_cast<std::size_t>(example.label)];
    return counts;
  };
  all["pairs"] = [](const Scratch&, std::uint64_t) {
    std::vector<TextPair> pairs;
    for (std::int64_t i = 0; i < kExamples; ++i)
      pairs.push_back({fmt::format("{:03}", i), std::to_string(class_of(i)), i + 1});
    const PairData data(pairs, "pairs");
    Counts counts{};
    for (const Split split : kAllSplits)
      for (const TextPair& pair : data.pairs(split))
        ++counts[static_cast<std::size_t>(split)][static_cast<std::size_t>(std::stoi(pair.target))];
    return counts;
  };
  return all;
}

Tensor labels_of(const std::vector<std::uint8_t>& labels) {
  return Tensor::from(labels, {std::ssize(labels)});
}

}  // namespace

TEST_CASE("of data sorted by class every class is in every split, the same for every seed") {
  for (const auto& [name, read] : split_readers()) {
    CAPTURE(name);
    const Scratch scratch;
    const Counts counts = read(scratch, 1);
    for (const auto& split : counts) {
      const std::int64_t all = split[0] + split[1] + split[2];
      for (const std::int64_t of_class : split) {
        CAPTURE(of_class);
        CHECK(all >= 30);
        CHECK(of_class * 100 >=
              all * 12);  // of 33 in 100; chance alone gives 20 of 100 or more in 30
      }
    }
    CHECK(read(scratch, 2) == counts);
  }
}

TEST_CASE(
    "images: each class gives its share to within one, and the last of the file only where that is "
    "asked for") {
  const Scratch scratch;
  const Counts counts = split_readers()["images"](scratch, 1);
  CHECK(counts[1] == std::array<std::int64_t, 3>{10, 10, 10});  // a tenth
  const ImageData last = load_images(scratch.folder(), {.held_out = HeldOut::last});
  CHECK(last.size(Split::validation) == 30);
  for (const int label : last.labels(Split::validation).to_vector<int>()) CHECK(label == 2);
}

TEST_CASE(
    "images read from files are split as those that are there already, which stay as they are") {
  const Scratch scratch;
  constexpr std::int64_t kCount = 40;
  const Tensor images = Tensor::empty({kCount, 2, 2}, DType::u8),
               labels = Tensor::empty({kCount}, DType::u8);
  for (std::int64_t i = 0; i < images.numel(); ++i)
    images.data<std::uint8_t>()[i] = static_cast<std::uint8_t>(i);
  for (std::int64_t i = 0; i < kCount; ++i)
    labels.data<std::uint8_t>()[i] = static_cast<std::uint8_t>(i / 13);
  write_idx(scratch.path("train-images-idx3-ubyte"), images);
  write_idx(scratch.path("train-labels-idx1-ubyte"), labels);
  for (const std::int64_t validation : {0, 1, 9, 39}) {
    const auto before = images.to_vector<int>();
    const ImageData read = load_images(scratch.folder(), {.validation = validation}),
                    there(images, labels, {}, {}, {.validation = validation}, "there");
    CHECK(images.to_vector<int>() == before);
    std::vector<int> all;
    for (const Split split : {Split::train, Split::validation}) {
      const auto pixels = read.images(split).to_vector<int>();
      CHECK(pixels == there.images(split).to_vector<int>());
      CHECK(read.labels(split).to_vector<int>() == there.labels(split).to_vector<int>());
      for (std::int64_t i = 0; i < read.size(split);
           ++i)  // each with its own label, in the order of the file
        CHECK(read.labels(split).at({i}) == pixels[static_cast<std::size_t>(4 * i)] / 4 / 13);
      CHECK(std::is_sorted(pixels.begin(), pixels.end()));
      all.insert(all.end(), pixels.begin(), pixels.end());
    }
    std::sort(all.begin(), all.end());
    CHECK(all == before);
  }
}

TEST_CASE("drawing by class") {
  const auto count_of = [](const std::vector<std::uint8_t>& labels,
                           const std::vector<std::int64_t>& drawn) {
    std::map<int, int> counts;
    for (const auto i : drawn) ++counts[labels.at(static_cast<std::size_t>(i))];
    return counts;
  };
  // 50, 30 and 20 of 100 give 5.5, 3.3 and 2.2 of 11: the largest remainder takes the eleventh.
  std::vector<std::uint8_t> labels(50, 7);
  labels.insert(labels.end(), 30, 0);
  labels.insert(labels.end(), 20, 255);
  const auto drawn = draw_by_class(labels_of(labels), 11);
  CHECK(count_of(labels, drawn) == std::map<int, int>{{7, 6}, {0, 3}, {255, 2}});
  CHECK(std::is_sorted(drawn.begin(), drawn.end()));
  CHECK(std::set<std::int64_t>(drawn.begin(), drawn.end()).size() == 11);
  CHECK(drawn == draw_by_class(labels_of(labels), 11));
  // Shuffled within a class: neither its first nor its last ones.
  CHECK(drawn[0] > 0);
  CHECK(drawn[5] - drawn[0] > 5);
  CHECK(drawn[5] < 49);
  // Where the classes stand in the file does not change which of a class are drawn.
  std::vector<std::uint8_t> turned(labels.rbegin(), labels.rend());
  const auto of_class_7 = [](const std::vector<std::uint8_t>& all,
                             const std::vector<std::int64_t>& which) {
    std::vector<std::int64_t> numbers;
    const auto first = std::find(all.begin(), all.end(), 7) - all.begin();
    for (const auto i : which)
      if (all[static_cast<std::size_t>(i)] == 7) numbers.push_back(i - first);
    return numbers;
  };
  CHECK(of_class_7(labels, drawn) == of_class_7(turned, draw_by_class(labels_of(turned), 11)));

  // A class of one is left to be trained on, as long as the others can make up for it.
  const std::vector<std::uint8_t> rare{0, 1, 1, 1, 2, 2};
  for (const std::int64_t count : {1, 2, 3})
    CHECK(count_of(rare, draw_by_class(labels_of(rare), count)).count(0) == 0);
  CHECK(std::ssize(draw_by_class(labels_of(rare), 5)) == 5);
  CHECK(std::ssize(draw_by_class(labels_of(rare), 6)) == 6);
  CHECK(draw_by_class(labels_of(rare), 0).empty());
  CHECK(draw_by_class(Tensor::empty({0}, DType::u8), 0).empty());
  CHECK(message_of<ConfigError>([&] { draw_by_class(labels_of(rare), 7); }) ==
        "[split] 7 examples cannot be drawn of 6");
  CHECK_THROWS_AS(draw_by_class(labels_of(rare), -1), ConfigError);
  CHECK_THROWS_AS(draw_by_class(Tensor::zeros({3}), 1), DTypeError);
  CHECK_THROWS_AS(draw_by_class(Tensor::zeros({3, 1}, DType::u8), 1), ShapeError);
}

TEST_CASE("small sets give a share to validate on, large ones no more than 5,000") {
  const auto held_out = [](std::int64_t count, HeldOut rule) {
    const Tensor labels = Tensor::empty({count}, DType::u8);
    for (std::int64_t i = 0; i < count; ++i)
      labels.data<std::uint8_t>()[i] = static_cast<std::uint8_t>(i % 10);
    return ImageData(Tensor::zeros({count, 1, 1}, DType::u8), labels, {}, {}, {.held_out = rule},
                     "set")
        .size(Split::validation);
  };
  CHECK(held_out(2, HeldOut::stratified) == 1);
  CHECK(held_out(100, HeldOut::stratified) == 10);
  CHECK(held_out(6000, HeldOut::stratified) == 600);
  CHECK(held_out(60000, HeldOut::stratified) == 5000);
  CHECK(held_out(100000, HeldOut::stratified) == 5000);
  // As runs of earlier versions had it.
  CHECK(held_out(6000, HeldOut::last) == 5000);
  CHECK(held_out(5000, HeldOut::last) == 500);
  CHECK(contains(message_of<IoError>([&] { held_out(1, HeldOut::stratified); }),
                 "[set] 1 training image is too few: at least 2 are needed"));
}
