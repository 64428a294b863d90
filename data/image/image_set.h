// Labeled pictures as they lie in files, of every layout that is read: what ImageData is made of.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/tensor.h"

namespace weft::data {

/// Pictures u8 (N, C, H, W) with labels u8 (N,); undefined where there are none.
struct LabeledPictures {
  Tensor images;
  Tensor labels;
};

struct ImageSet {
  LabeledPictures train, validation, test;
  std::vector<std::string> class_names{};  ///< by label; none: labels are numbers
  std::vector<std::string> notes{};        ///< what was left out, or chosen
};

struct ImageSetOptions {
  std::int64_t size = 0;  ///< pictures are scaled and cut to size x size; 0: as they are, if they
                          ///< are all of one size
  bool skip_bad = false;  ///< pictures that cannot be read are left out and counted
  bool keep_test =
      true;  ///< of folders of classes without a test split, a tenth of each class is one
};

/// Reads
///   - a folder with IDX files of images and labels: `train-images-idx3-ubyte`, `t10k-...`, also
///     with other beginnings (EMNIST's), `test` for `t10k`, `.` for `-` (Kaggle's), gzipped or not;
///     idx3 is (N, H, W), idx4 (N, C, H, W);
///   - a folder with CIFAR-10's or CIFAR-100's binary files;
///   - a folder with a folder of pictures (PNG, JPEG, WebP) for each class, or with folders
///   `train`,
///     `val` (or `validation`, `valid`) and `test` of such;
///   - a CSV file with the columns `file` and `label`, files relative to it.
/// Gray pictures stay gray where all are. Files that are no pictures are passed over and counted.
/// Without a folder `test` (or `val`) a tenth of each class is kept for the test, if asked. Throws
/// IoError: no such layout, a picture that cannot be read (with its name), sizes that differ, one
/// class.
ImageSet read_image_set(const std::string& path, const ImageSetOptions& options = {});

}  // namespace weft::data
