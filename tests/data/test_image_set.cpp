// Sets of pictures in every layout that is read, and what is said of those that cannot be.
#include "data/image/image_set.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "core/io/file.h"
#include "data/image/idx.h"
#include "data/image/image_dataset.h"
#include "data/image/picture.h"
#include "data/image/png.h"
#include "tests/data/scratch.h"

using namespace weft;
using namespace weft::data;
using weft_test::contains;
using weft_test::message_of;
using weft_test::Scratch;
namespace fs = std::filesystem;

namespace {

const std::string kPictures = std::string(WEFT_SOURCE_DIR) + "/tests/golden/files/pictures/";

void put_picture(const fs::path& file, std::int64_t height, std::int64_t width, int level,
                 std::int64_t channels = 3) {
  fs::create_directories(file.parent_path());
  save_png(file.string(), Tensor::full({channels, height, width}, level, DType::u8));
}

/// `count` pictures of each class, in `folder`/CLASS.
void put_classes(const fs::path& folder, int count, std::int64_t side = 4) {
  for (const char* name : {"cat", "dog"})
    for (int i = 0; i < count; ++i)
      put_picture(folder / name / fmt::format("{}.png", i), side, side,
                  name[0] == 'c' ? 10 + i : 200 - i);
}

std::string all_of(const std::vector<std::string>& notes) {
  std::string text;
  for (const std::string& note : notes) text += note + "\n";
  return text;
}

}  // namespace

TEST_CASE("a folder a class: sorted classes, a tenth of each kept for the test") {
  const Scratch scratch;
  put_classes(scratch.folder(), 20);
  const ImageSet set = read_image_set(scratch.folder());
  CHECK(set.class_names == std::vector<std::string>{"cat", "dog"});
  CHECK(set.train.images.shape() == Shape{36, 3, 4, 4});
  CHECK(set.test.images.shape() == Shape{4, 3, 4, 4});
  for (const LabeledPictures* part : {&set.train, &set.test})
    for (std::int64_t i = 0; i < part->labels.numel(); ++i) {
      const int level = part->images.data<std::uint8_t>()[i * 48];
      CHECK(part->labels.data<std::uint8_t>()[i] == (level > 100 ? 1 : 0));
    }
  const auto tested = set.test.labels.to_vector<int>();
  CHECK(std::count(tested.begin(), tested.end(), 1) == 2);
  const ImageData data = load_images(scratch.folder());
  CHECK(data.class_names().size() == 2);
  CHECK(data.size(Split::validation) == 3);
}

TEST_CASE("folders train, val and test are the splits") {
  const Scratch scratch;
  const fs::path root = scratch.folder();
  put_classes(root / "train", 5);
  put_classes(root / "val", 2);
  put_classes(root / "test", 3);
  const ImageData data = load_images(root.string());
  CHECK(data.size(Split::train) == 10);
  CHECK(data.size(Split::validation) == 4);
  CHECK(data.size(Split::test) == 6);
  CHECK(load_images(root.string(), {.validation = 2}).size(Split::train) == 8);
  CHECK(load_images(root.string(), {.validation = 4}).size(Split::train) == 10);  // their number
}

TEST_CASE(
    "pictures of several sizes are scaled and cut, gray ones stay gray, and strays are counted") {
  const Scratch scratch;
  const fs::path root = scratch.folder();
  put_picture(root / "a" / "1.png", 4, 8, 10, 1);
  put_picture(root / "a" / "2.png", 8, 4, 20, 1);
  put_picture(root / "b" / "1.png", 5, 5, 30, 1);
  write_file((root / "b" / "notes.txt").string(), "x");
  write_file((root / "README").string(), "x");
  write_file((root / "a" / ".hidden.png").string(), "x");
  const ImageSet gray = read_image_set(root.string());
  CHECK(gray.train.images.shape() == Shape{3, 1, 64, 64});
  CHECK(contains(all_of(gray.notes), "pictures of several sizes are scaled and cut to 64 x 64"));
  CHECK(contains(all_of(gray.notes), "passed over 2 files that are no picture"));
  CHECK(read_image_set(root.string(), {.size = 6}).train.images.shape() == Shape{3, 1, 6, 6});
  fs::copy(kPictures + "color.jpg", root / "b" / "2.JPG");
  CHECK(read_image_set(root.string(), {.size = 6}).train.images.shape() == Shape{4, 3, 6, 6});
}

TEST_CASE("labels of other pictures are numbered as the run's classes are") {
  const Scratch scratch;
  const fs::path root = scratch.folder();
  put_classes(root, 3);
  const ImageData data =
      load_images(root.string(), {.validation = 0, .class_order = {"bird", "dog", "cat"}});
  CHECK(data.classes() == 3);
  const auto labels = data.labels(Split::train).to_vector<int>();
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const int level = data.images(Split::train).data<std::uint8_t>()[i * 48];
    CHECK(labels[i] == (level > 100 ? 1 : 2));
  }
  CHECK(contains(message_of<ConfigError>([&] {
                   load_images(root.string(), {.class_order = {"bird", "dog"}});
                 }),
                 "has the class cat, which the run does not know: its classes are bird, dog"));
}

TEST_CASE("a picture that cannot be read is named, or left out and counted") {
  const Scratch scratch;
  const fs::path root = scratch.folder();
  put_classes(root, 6);
  const std::string jpeg = read_file(kPictures + "color.jpg");
  const std::string torn = (root / "cat" / "torn.jpg").string();
  write_file(torn, jpeg.substr(0, jpeg.size() / 2));
  const std::string message =
      message_of<IoError>([&] { read_image_set(root.string(), {.size = 4}); });
  CHECK(contains(message, "[" + torn + "] is a damaged JPEG: "));
  CHECK(contains(message, "; --skip-bad leaves such pictures out"));
  write_file((root / "dog" / "empty.png").string(), "");
  const ImageSet set = read_image_set(root.string(), {.size = 4, .skip_bad = true});
  CHECK(set.train.labels.numel() + set.test.labels.numel() == 12);
  CHECK(contains(all_of(set.notes), "left out: [" + torn + "]"));
  CHECK(contains(all_of(set.notes), "empty.png] is empty"));
}

TEST_CASE("what is no set of pictures for a classifier is refused with a reason") {
  const Scratch scratch;
  const fs::path root = scratch.folder();
  const auto message = [](const fs::path& path) {
    return message_of<IoError>([&] { read_image_set(path.string()); });
  };
  CHECK(contains(message(root), "holds no images that are read"));
  put_picture(root / "one" / "only" / "1.png", 4, 4, 1);
  put_picture(root / "one" / "only" / "2.png", 4, 4, 1);
  CHECK(contains(message(root / "one"), "has pictures of 1 class"));
  fs::create_directories(root / "one" / "empty");
  CHECK(contains(message(root / "one"), "is the folder of a class without a picture"));
  CHECK(contains(message(root / "nowhere"), "is not a folder"));
}

TEST_CASE("hostile picture files get an error") {
  const Scratch scratch;
  for (const char* name :
       {"color.jpg", "progressive.jpg", "turned6.jpg", "color.webp", "color.png"}) {
    CAPTURE(std::string(name));
    const std::string whole = read_file(kPictures + name);
    for (std::size_t cut :
         {std::size_t{0}, std::size_t{3}, whole.size() / 3, whole.size() * 2 / 3}) {
      CHECK_THROWS_AS(decode_picture(std::string_view(whole).substr(0, cut), "x", 3), IoError);
    }
  }
  // A JPEG that claims 65,500 x 65,500 pixels.
  std::string bomb = read_file(kPictures + "color.jpg");
  const auto frame = bomb.find("\xFF\xC0");
  REQUIRE(frame != std::string::npos);
  for (const std::size_t at : {frame + 5, frame + 7}) bomb[at] = '\xFF', bomb[at + 1] = '\xDC';
  CHECK(contains(message_of<IoError>([&] { decode_picture(bomb, "x.jpg", 3); }),
                 "[x.jpg] 65500 x 65500 pixels, at most"));
}

TEST_CASE("a list of files with labels") {
  const Scratch scratch;
  const fs::path root = scratch.folder();
  put_classes(root / "all", 6);
  std::string list = "label,file,photographer\n";
  for (int i = 0; i < 6; ++i)
    list += fmt::format("tabby,all/cat/{}.png,x\nhound,all/dog/{}.png,y\n", i, i);
  const std::string path = scratch.write("list.csv", list);
  const ImageSet set = read_image_set(path);
  CHECK(set.class_names == std::vector<std::string>{"hound", "tabby"});
  CHECK(set.train.labels.numel() + set.test.labels.numel() == 12);
  CHECK(contains(
      message_of<IoError>([&] { read_image_set(scratch.write("wrong.csv", "a,b,c\nx,y,z\n")); }),
      "needs the columns file and label; its columns are a, b, c"));
  CHECK(contains(message_of<IoError>([&] {
                   read_image_set(scratch.write("gone.csv", "file,label\nnone.png,a\n1.png,b\n"));
                 }),
                 "none.png] cannot be opened"));
}

TEST_CASE("CIFAR's binary files, their names, and files that are torn") {
  const Scratch scratch;
  std::string bytes;
  for (int i = 0; i < 20; ++i) {
    bytes += static_cast<char>(i % 3);
    for (int c = 0; c < 3; ++c) bytes += std::string(1024, static_cast<char>(10 * c + i));
  }
  scratch.write("data_batch_1.bin", bytes);
  scratch.write("data_batch_2.bin", bytes);
  scratch.write("test_batch.bin", bytes.substr(0, 2 * 3073));
  scratch.write("batches.meta.txt", "airplane\nautomobile\r\nbird\n\n");
  const ImageSet set = read_image_set(scratch.folder());
  CHECK(set.train.images.shape() == Shape{40, 3, 32, 32});
  CHECK(set.test.images.shape() == Shape{2, 3, 32, 32});
  CHECK(set.class_names == std::vector<std::string>{"airplane", "automobile", "bird"});
  CHECK(set.train.images.at({21, 2, 5, 5}) == 21);
  CHECK(set.train.labels.at({21}) == 1);
  CHECK(read_image_set(scratch.folder(), {.size = 8}).test.images.shape() == Shape{2, 3, 8, 8});
  scratch.write("data_batch_2.bin", bytes.substr(1));
  CHECK(contains(message_of<IoError>([&] { read_image_set(scratch.folder()); }),
                 "which are no whole records of 3073"));
  const Scratch hundred;
  std::string fine;
  for (int i = 0; i < 4; ++i)
    fine += std::string(1, '\1') + static_cast<char>(40 + i) + std::string(3072, 'x');
  hundred.write("train.bin", fine);
  CHECK(read_image_set(hundred.folder()).train.labels.to_vector<int>() ==
        std::vector<int>{40, 41, 42, 43});
}

TEST_CASE("IDX files under the names of EMNIST and Kaggle") {
  const Tensor images = Tensor::full({3, 4, 4}, 7, DType::u8),
               labels = Tensor::from(std::vector<std::uint8_t>{0, 1, 2}, {3});
  for (const auto& [train_images, train_labels, test_images, test_labels] :
       {std::array{
            "emnist-letters-train-images-idx3-ubyte", "emnist-letters-train-labels-idx1-ubyte",
            "emnist-letters-test-images-idx3-ubyte", "emnist-letters-test-labels-idx1-ubyte"},
        std::array{"train-images.idx3-ubyte", "train-labels.idx1-ubyte", "t10k-images.idx3-ubyte",
                   "t10k-labels.idx1-ubyte"}}) {
    const Scratch scratch;
    write_idx(scratch.path(train_images), images);
    write_idx(scratch.path(train_labels), labels);
    write_idx(scratch.path(test_images), images);
    write_idx(scratch.path(test_labels), labels);
    const ImageSet set = read_image_set(scratch.folder());
    CHECK(set.train.images.shape() == Shape{3, 1, 4, 4});
    CHECK(set.test.labels.numel() == 3);
    write_idx(scratch.path("other-train-images-idx3-ubyte"), images);
    CHECK(contains(message_of<IoError>([&] { read_image_set(scratch.folder()); }),
                   "holds several sets, such as"));
  }
}
