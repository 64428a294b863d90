// A user's own pictures with boxes: a folder of PNG files and a list of what is where in them.
#pragma once

#include <string>
#include <vector>

#include "data/detection_data.h"

namespace weft::data {

struct AnnotatedOptions {
  std::int64_t side = 96;  ///< pictures are made gray and scaled to this
  std::uint64_t seed = 1;  ///< of the order of the training pictures
  bool old_rules = false;  ///< the list as runs before config format 3 read it: no quotes, no order
                           ///< of columns but one
};

/// FOLDER/boxes.csv has a line for each box: file,label,x0,y0,x1,y1, in pixels of the file, x to
/// the right and y down; a box ends where its last pixel does. Fields may be quoted as in RFC 4180.
/// A first line of names (also xmin, ymin, xmax, ymax and the like) says where the columns stand,
/// and others are left out with a note; without one they stand in this order. A box must have an
/// area in the 32-bit floats of the scaled picture, too. A picture without objects has one line
/// with nothing after its name: `empty.png,,,,,`. A tenth of the pictures is tested on, a tenth
/// validates; which, depends on nothing but their names. All pictures are held in memory.
class AnnotatedImages final : public DetectionData {
 public:
  /// Throws IoError and ConfigError, `[FOLDER/boxes.csv:LINE] ...`, for a torn line, a number that
  /// is none, a box outside its picture or of no area, a picture that cannot be read;
  /// `[FOLDER/boxes.csv] ...` for fewer than three pictures, and for none with a box.
  AnnotatedImages(const std::string& folder, const AnnotatedOptions& options);

  std::int64_t side() const override { return options_.side; }
  std::int64_t most_boxes() const override { return most_boxes_; }
  std::vector<std::string> classes() const override { return classes_; }
  std::int64_t size(Split split) const override {
    return split == Split::train
               ? 0
               : static_cast<std::int64_t>(splits_[static_cast<int>(split)].size());
  }
  bool has_test() const override { return true; }
  const Normalization& normalization() const override { return normalization_; }
  Edges edges() const override { return edges_; }
  std::uint64_t fingerprint(bool = true) const override { return fingerprint_; }
  std::vector<std::string> notes() const override { return notes_; }
  Scene scene(Split split, std::int64_t number) const override;

 private:
  void check_has_objects(const std::string& path);

  AnnotatedOptions options_;
  std::vector<std::string> notes_;
  std::vector<std::string> classes_;
  std::vector<Scene> splits_[3];
  std::int64_t most_boxes_ = 1;
  Normalization normalization_;
  Edges edges_ = Edges::unknown;
  std::uint64_t fingerprint_ = 0;
};

/// Whether a folder holds boxes.csv.
bool has_boxes(const std::string& folder);

}  // namespace weft::data
