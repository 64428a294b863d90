// MovieLens' files.
#include <algorithm>
#include <charconv>
#include <filesystem>
#include <map>
#include <unordered_map>

#include "core/error.h"
#include "core/file.h"
#include "core/storage.h"
#include "data/recommend/clicks.h"

namespace weft::data {
namespace fs = std::filesystem;
namespace {

constexpr std::int64_t kMostRatingBytes = std::int64_t{1} << 32;
constexpr double kClickedFrom = 4;

struct Rating {
  std::int64_t user, item, time;
  bool clicked;
};

/// Calls f(line, where) for every line that is not empty, `where` being FILE:LINE.
template <class F>
void each_line(const fs::path& file, bool heading, F&& f) {
  const std::string text = read_file(file.string(), std::min(kMostRatingBytes, memory_limit()));
  std::int64_t number = 0;
  for (std::string_view rest = text; !rest.empty();) {
    const auto end = std::min(rest.find('\n'), rest.size());
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    ++number;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || (heading && number == 1)) continue;
    f(line, [&] { return fmt::format("{}:{}", file.string(), number); });
  }
}

std::vector<std::string_view> cut(std::string_view line, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const auto end = line.find(separator);
    parts.push_back(line.substr(0, end));
    if (end == std::string_view::npos) return parts;
    line.remove_prefix(end + 1);
  }
}

template <class T>
bool to_number(std::string_view text, T& value) {
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && stop == text.data() + text.size();
}

std::vector<Rating> read_ratings(const fs::path& file, bool csv) {
  std::vector<Rating> ratings;
  each_line(file, csv, [&](std::string_view line, const auto& where) {
    const auto parts = cut(line, csv ? ',' : '\t');
    if (parts.size() != 4) fail<IoError>(where(), "wants user, item, rating and time, four fields with {} between them: got {}", csv ? "commas" : "tabs", parts.size());
    Rating rating{};
    double stars = 0;
    if (!to_number(parts[0], rating.user) || rating.user < 0) fail<IoError>(where(), "the user must be a number from 0, got \"{}\"", parts[0]);
    if (!to_number(parts[1], rating.item) || rating.item < 0) fail<IoError>(where(), "the item must be a number from 0, got \"{}\"", parts[1]);
    if (!to_number(parts[2], stars) || !(stars >= 0.5 && stars <= 5)) fail<IoError>(where(), "the rating must be 0.5 to 5, got \"{}\"", parts[2]);
    if (!to_number(parts[3], rating.time)) fail<IoError>(where(), "the time must be a whole number of seconds, got \"{}\"", parts[3]);
    rating.clicked = stars >= kClickedFrom;
    ratings.push_back(rating);
  });
  if (ratings.empty()) fail<IoError>(file.string(), "holds no ratings");
  return ratings;
}

/// The first genre of each item, by name; `(no genres listed)` and items without one have none.
std::unordered_map<std::int64_t, std::string> read_genres(const fs::path& file, bool csv) {
  std::unordered_map<std::int64_t, std::string> genres;
  each_line(file, csv, [&](std::string_view line, const auto& where) {
    std::int64_t item = 0;
    const auto parts = cut(line, csv ? ',' : '|');
    if (parts.size() < (csv ? 3U : 24U) || !to_number(parts[0], item) || item < 0)
      fail<IoError>(where(), "{}", csv ? "wants item, title and genres with commas between them" : "wants 24 fields with | between them, an item's number first");
    if (csv) {
      const auto first = cut(parts.back(), '|').front();  // a title in quotes may hold commas; the genres come last
      if (!first.empty() && first.front() != '(') genres[item] = std::string(first);
      return;
    }
    for (std::size_t g = parts.size() - 19; g < parts.size(); ++g) {
      if (parts[g] != "0" && parts[g] != "1") fail<IoError>(where(), "field {} must be 0 or 1, got \"{}\"", g + 1, parts[g]);
      if (parts[g] == "1") {
        genres[item] = std::to_string(g);
        break;
      }
    }
  });
  return genres;
}

}  // namespace

ClickData load_ratings(const std::string& folder, const ClickOptions& options) {
  std::error_code error;
  const fs::path base(folder);
  const bool csv = fs::exists(base / "ratings.csv", error);
  if (!csv && !fs::exists(base / "u.data", error))
    fail<IoError>(folder, "is no folder with MovieLens' ratings.csv or u.data; clicks is the name of the simulation");
  std::vector<Rating> ratings = read_ratings(base / (csv ? "ratings.csv" : "u.data"), csv);
  std::stable_sort(ratings.begin(), ratings.end(), [](const Rating& a, const Rating& b) { return a.time < b.time; });

  std::map<std::int64_t, std::int32_t> users, items;  // theirs -> ours, in the order of theirs
  for (const Rating& rating : ratings) users[rating.user] = items[rating.item] = 0;
  std::int32_t next = 0;
  for (auto& [theirs, ours] : users) ours = ++next;
  next = 0;
  for (auto& [theirs, ours] : items) ours = ++next;

  const fs::path genre_file = base / (csv ? "movies.csv" : "u.item");
  const auto genres = fs::exists(genre_file, error) ? read_genres(genre_file, csv) : std::unordered_map<std::int64_t, std::string>();
  std::map<std::string, std::int32_t> categories;
  for (const auto& [item, genre] : genres) categories[genre] = 0;
  next = 1;  // 1 is for items without a genre
  for (auto& [genre, ours] : categories) ours = ++next;
  std::vector<std::int32_t> category(items.size() + 1, 1);
  category[0] = 0;
  for (const auto& [theirs, ours] : items)
    if (const auto it = genres.find(theirs); it != genres.end()) category[static_cast<std::size_t>(ours)] = categories[it->second];

  std::vector<std::vector<ClickEvent>> events(users.size() + 1);
  for (const Rating& rating : ratings) events[static_cast<std::size_t>(users[rating.user])].push_back({items[rating.item], rating.clicked});
  return {std::move(events), std::move(category), options, folder};
}

}  // namespace weft::data
