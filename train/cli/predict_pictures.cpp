#include "train/cli/predict_pictures.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "core/error.h"
#include "core/io/file.h"
#include "data/image/picture.h"
#include "train/cli/csv_field.h"
#include "train/cli/terminal.h"

namespace weft::cli {
namespace fs = std::filesystem;

PicturesBelow pictures_below(const std::string& folder) {
  PicturesBelow found;
  std::error_code error;
  fs::recursive_directory_iterator place(folder, error);
  for (; !error && place != fs::recursive_directory_iterator(); place.increment(error)) {
    const bool hidden = place->path().filename().string().starts_with('.');
    std::error_code unknown;
    if (place->is_directory(unknown)) {
      if (hidden) place.disable_recursion_pending();
      continue;
    }
    if (hidden) continue;
    const std::string file = place->path().string();
    if (data::is_picture_name(file))
      found.files.push_back(file);
    else
      ++found.strays;
  }
  if (error) fail<IoError>(folder, "cannot be read: {}", error.message());
  if (found.files.empty())
    fail<IoError>(folder,
                  "holds no picture (.png, .jpg, .jpeg, .webp): name a folder with pictures, or "
                  "files");
  std::sort(found.files.begin(), found.files.end());
  return found;
}

std::string class_name(const train::ImageGuess& guess, std::int64_t label) {
  return guess.class_names.empty() ? fmt::format("{}", label)
                                   : guess.class_names[static_cast<std::size_t>(label)];
}

void PictureTable::add(const std::string& file, const train::ImageGuess& guess) {
  const auto& shares = guess.probabilities;
  if (rows_ == 0) {
    text_ = "file,predicted";
    for (std::int64_t label = 0; label < std::ssize(shares); ++label)
      text_ += "," + csv_field("probability of " + class_name(guess, label));
    text_ += '\n';
  }
  const auto best = std::max_element(shares.begin(), shares.end()) - shares.begin();
  text_ += csv_field(file) + "," + csv_field(class_name(guess, best));
  for (const auto share : shares) text_ += fmt::format(",{:.6g}", share);
  text_ += '\n';
  ++rows_;
}

void PictureTable::write(const std::string& to) const {
  if (rows_ == 0) return put_line(fmt::format("weft: nothing to write to {}", to));
  write_file(to, text_);
  put_line(fmt::format("weft: {} pictures in {}", rows_, to));
}

}  // namespace weft::cli
