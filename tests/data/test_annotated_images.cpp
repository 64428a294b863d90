// A user's pictures with boxes: read, scaled, split, and what is wrong with them.
#include "data/image/annotated_images.h"

#include <doctest/doctest.h>

#include <set>

#include "data/image/png.h"
#include "tests/data/scratch.h"

using namespace weft;
using namespace weft::data;
using weft_test::message_of;
using weft_test::Scratch;

namespace {

/// 20 pictures of 40 x 20 pixels, one of them without an object; each box is around the bright part
/// of its picture.
void write_pictures(const Scratch& scratch) {
  std::string list = "file,label,x0,y0,x1,y1\n";
  for (int i = 0; i < 20; ++i) {
    const std::string file = "p" + std::to_string(i) + ".png";
    const Tensor picture = Tensor::zeros({20, 40}, DType::u8);
    const int x = 2 * i % 20, y = i / 2;
    for (std::int64_t row = y; row < y + 8; ++row)
      for (std::int64_t column = x; column < x + 16; ++column)
        picture.data<std::uint8_t>()[row * 40 + column] = 255;
    save_png(scratch.path(file), picture);
    list += i == 7 ? file + ",,,,,\r\n"
                   : file + (i % 2 ? ",square," : ",brick,") + std::to_string(x) + "," +
                         std::to_string(y) + "," + std::to_string(x + 16) + "," +
                         std::to_string(y + 8) + "\n";
  }
  scratch.write("boxes.csv", list);
}

std::string list_error(const std::string& lines) {
  const Scratch scratch;
  write_pictures(scratch);
  const std::string path = scratch.write("boxes.csv", lines);
  std::string text;
  try {
    AnnotatedImages(scratch.folder(), {});
    text = "nothing thrown";
  } catch (const Error& error) {
    text = error.what();
  }
  const auto place = text.find(path);
  return place == std::string::npos ? text : text.replace(place, path.size(), "boxes.csv");
}

}  // namespace

TEST_CASE("pictures are scaled with their boxes, and split by their names alone") {
  const Scratch scratch;
  write_pictures(scratch);
  CHECK(has_boxes(scratch.folder()));
  const AnnotatedImages data(scratch.folder(), {.side = 80}),
      other(scratch.folder(), {.side = 80, .seed = 2});
  CHECK(data.classes() == std::vector<std::string>{"brick", "square"});
  CHECK(data.most_boxes() == 1);
  CHECK(data.size(Split::train) == 0);
  CHECK(data.size(Split::validation) == 2);
  CHECK(data.size(Split::test) == 2);
  CHECK(data.fingerprint() == other.fingerprint());
  std::set<std::vector<std::uint8_t>> seen;
  int empty = 0;
  for (std::int64_t i = 0; i < 16; ++i) {  // an epoch shows every picture once
    const Scene scene = data.scene(Split::train, i);
    seen.insert(scene.image.to_vector<std::uint8_t>());
    empty += scene.boxes.size(0) == 0;
    if (scene.boxes.size(0) == 0) continue;
    const auto at = [&](std::int64_t column) { return scene.boxes.at({0, column}); };
    CHECK(at(3) - at(1) == 32);  // 40 pixels have become 80, and 20 have
    CHECK(at(4) - at(2) == 32);
    const auto middle = [](double low, double high) {
      return static_cast<std::int64_t>((low + high) / 2);
    };
    CHECK(scene.image.at({0, middle(at(2), at(4)), middle(at(1), at(3))}) == 255);
  }
  CHECK(seen.size() == 16);
  CHECK(empty <= 1);
  bool same = true;
  for (std::int64_t i = 0; i < 16; ++i)
    same = same && data.scene(Split::train, i).boxes.to_vector<float>() ==
                       other.scene(Split::train, i).boxes.to_vector<float>();
  CHECK_FALSE(same);
  const SceneBatch batch = train_batches(std::make_shared<AnnotatedImages>(data), 3, 5, 6)[0];
  CHECK(batch.images.shape() == Shape{3, 1, 80, 80});
  CHECK(batch.boxes.shape() == Shape{3, 1, 5});
  CHECK(message_of<IndexError>([&] { data.scene(Split::test, 2); }) ==
        "[detection data] test picture 2 does not exist: there are 2, counted from 0");
}

TEST_CASE("names of pictures and labels may be quoted, and columns be those of other tools") {
  const Scratch scratch, other;
  write_pictures(scratch);
  write_pictures(other);
  scratch.write("boxes.csv",
                "p0.png,\"cat, asleep\",1,2,9,9\np1.png,\"a \"\"dog\"\"\",1,2,9,9\np2.png,\"cat, "
                "asleep\",1,2,9,9\n");
  other.write("boxes.csv",
              "xmin,ymin,xmax,ymax,class,filename\n1,2,9,9,\"cat, asleep\",p0.png\n1,2,9,9,\"a "
              "\"\"dog\"\"\",p1.png\n1,2,9,9,\"cat, asleep\",p2.png\n");
  const AnnotatedImages data(scratch.folder(), {});
  CHECK(data.classes() == std::vector<std::string>{"a \"dog\"", "cat, asleep"});
  CHECK(data.fingerprint() == AnnotatedImages(other.folder(), {}).fingerprint());
  other.write("boxes.csv",
              "file,label,x1,y1,x2,y2\np0.png,\"cat, asleep\",1,2,9,9\np1.png,\"a "
              "\"\"dog\"\"\",1,2,9,9\np2.png,\"cat, asleep\",1,2,9,9\n");
  CHECK(data.fingerprint() == AnnotatedImages(other.folder(), {}).fingerprint());
  scratch.write(
      "boxes.csv",
      "p0.png,a,1,2,3,4\np1.png,,,,,\np2.png,,,,,\n");  // only one of them can be trained on
  std::string said;
  try {
    said = AnnotatedImages(scratch.folder(), {}).notes().at(0);
  } catch (const ConfigError& error) {
    said = error.what();
  }
  CHECK(weft_test::contains(said, "there is no box in the 1 "));
}

TEST_CASE("what is wrong with a list of boxes is said with its line") {
  CHECK(list_error("p0.png,a,1,2,3,4\np1.png,a,1,2\n") ==
        "[boxes.csv:2] 4 cells instead of 6: a line is file,label,x0,y0,x1,y1");
  CHECK(list_error("p0.png,a,1,2,3,four\n") ==
        "[boxes.csv:1] \"four\" is not a number: a line is file,label,x0,y0,x1,y1");
  CHECK(list_error("p0.png,a,1,2,3,inf\n") ==
        "[boxes.csv:1] \"inf\" is not a number: a line is file,label,x0,y0,x1,y1");
  CHECK(list_error("p0.png,a,3,2,3,4\n") ==
        "[boxes.csv:1] the box has no area: (3, 2, 3, 4); expects x0 < x1 and y0 < y1");
  // What has an area in 64 bits and none in the 32 that it is used in.
  CHECK(list_error("p0.png,,,,,\np1.png,a,5,5,5.0000001,5.0000001\np2.png,a,1,2,3,4\n") ==
        "[boxes.csv:2] the box has no area in 32-bit floats: (5, 5, 5.0000001, 5.0000001) of "
        "p1.png is 0 x 0 of the 96 x 96 pixels that the model sees");
  CHECK(list_error("p0.png,,,,,\np1.png,a,5,5,5.0000001,8\np2.png,a,1,2,3,4\n")
            .starts_with("[boxes.csv:2] the box has no area in 32-bit floats"));
  CHECK(list_error("p0.png,,1,2,3,4\n") ==
        "[boxes.csv:1] a box without a label: a line is file,label,x0,y0,x1,y1");
  CHECK(list_error(",a,1,2,3,4\n") ==
        "[boxes.csv:1] the file name is missing: a line is file,label,x0,y0,x1,y1");
  CHECK(list_error("../p0.png,a,1,2,3,4\n") ==
        "[boxes.csv:1] images must lie in the folder of the list; this one is ../p0.png");
  CHECK(list_error("p0.png,,,,,\np1.png,a,1,2,3,4\np2.png,a,30,2,41,4\n") ==
        "[boxes.csv:3] the box lies outside p2.png, which has 40 x 20 pixels: (30, 2, 41, 4)");
  CHECK(list_error("p0.png,,,,,\np1.png,a,1,2,3,4\n") ==
        "[boxes.csv] names 2 images: it needs at least 3, one per split");
  CHECK(list_error("p0.png,,,,,\np1.png,,,,,\np2.png,,,,,\n") ==
        "[boxes.csv] there is no box in any picture");
  CHECK(list_error("p0.png,,,,,\np1.png,,,,,\nnone.png,a,1,2,3,4\n").find("none.png") !=
        std::string::npos);
  CHECK(list_error("p0.png,\xff,1,2,3,4\n").find("not UTF-8") != std::string::npos);
}
