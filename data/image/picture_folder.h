// Pictures that are a file each: folders of classes, and lists of files with their labels.
// Not for users: read_image_set() (data/image/image_set.h) is.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "data/image/image_set.h"

namespace weft::data {

/// What an error says of layouts that are read.
inline constexpr std::string_view kLayouts =
    "a folder with a folder of PNG, JPEG or WebP files for each class (perhaps in train, val and "
    "test), with IDX files (train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-...), or with "
    "CIFAR's .bin files; or a CSV file with the columns file and label";

/// What lies in a folder, in the order of names. Throws IoError.
std::vector<std::filesystem::path> sorted_entries(const std::filesystem::path& folder);
/// A folder a class, or folders `train`, `val` and `test` of such. Throws as read_image_set().
ImageSet read_picture_folders(const std::string& path, const ImageSetOptions& options);
/// A CSV file with the columns `file` and `label`. Throws as read_image_set().
ImageSet read_picture_list(const std::string& path, const ImageSetOptions& options);

}  // namespace weft::data
