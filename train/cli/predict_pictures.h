// weft predict RUN FOLDER --out FILE.csv: many pictures at once.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "train/tasks/common/image_uses.h"

namespace weft::cli {

struct PicturesBelow {
  std::vector<std::string> files;  ///< in the order of their names
  std::int64_t strays = 0;         ///< files that are no pictures by their names
};

/// The pictures in a folder and in the folders below it; what is hidden is passed over. Throws
/// IoError for a folder that cannot be read or holds no picture.
PicturesBelow pictures_below(const std::string& folder);

/// The name of a class, or its number where classes have none.
std::string class_name(const train::ImageGuess& guess, std::int64_t label);

/// A line for each picture: its file, the class that is likeliest, the probability of each.
class PictureTable {
 public:
  void add(const std::string& file, const train::ImageGuess& guess);
  /// Writes the CSV file and says so; without a line there is nothing to write. Throws IoError.
  void write(const std::string& to) const;

 private:
  std::string text_;
  std::int64_t rows_ = 0;
};

}  // namespace weft::cli
