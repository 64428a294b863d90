// MovieLens' files.
#include <algorithm>
#include <charconv>
#include <filesystem>
#include <map>
#include <unordered_map>

#include "core/error.h"
#include "core/io/file.h"
#include "core/storage.h"
#include "data/recommend/clicks.h"
#include "data/table/delimited.h"

namespace weft::data {
namespace fs = std::filesystem;
namespace {

constexpr std::int64_t kMostRatingBytes = std::int64_t{1} << 32;
constexpr std::size_t kLongestRatingField = 4096;
constexpr std::size_t kItemFields = 24, kGenreFields = 19;  // of u.item
constexpr double kClickedFrom = 4;

struct Rating {
  std::int64_t user, item, time;
  bool clicked;
};

template <class T>
bool to_number(std::string_view text, T& value) {
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && stop == text.data() + text.size();
}

/// Whole numbers: ids and times keep all their digits, up to 64 bits.
std::int64_t whole_number(std::string_view text, std::string_view what, bool negative,
                          const DelimitedReader& at) {
  std::int64_t value = 0;
  if (to_number(text, value) && (negative || value >= 0)) return value;
  const auto digits = text.starts_with('-') ? text.substr(1) : text;
  const auto other = digits.find_first_not_of("0123456789");
  if (digits.size() > 18 && other == std::string_view::npos)
    fail<IoError>(at.place(), "the {} is beyond 64 bits: {}", what, shown_field(text));
  fail<IoError>(at.place(), "the {} must be {}, got \"{}\"", what,
                negative ? "a whole number of seconds" : "a whole number from 0",
                shown_field(text));
}

const std::vector<Column>& rating_columns() {
  static const std::vector<Column> columns = {
      {"user", {"userId"}},
      {"item", {"itemId", "movieId", "movie", "productId", "product", "bookId"}},
      {"rating", {"stars", "score"}},
      {"time", {"timestamp", "date", "unixTime", "ts"}},
  };
  return columns;
}

/// What a file holds, and what there is to say of it.
struct Ratings {
  std::vector<Rating> all;
  std::vector<std::string> notes;
};

Ratings read_ratings(const fs::path& file, bool csv, bool old_rules) {
  const std::string text = read_file(file.string(), std::min(kMostRatingBytes, memory_limit()));
  DelimitedReader reader(text, file.string(),
                         {.separator = csv ? ',' : '\t',
                          .quotes = csv && !old_rules,
                          .utf8 = !old_rules,
                          .longest_field = kLongestRatingField});
  const auto& columns = rating_columns();
  ColumnPlaces places{.places = {0, 1, 2, 3}, .left_out = {}, .columns = columns.size()};
  Ratings ratings;
  for (bool first = true; reader.next(); first = false) {
    if (first && old_rules && csv) continue;
    if (first && !old_rules) places = find_columns(reader, columns, 1);
    if (first && places.header) continue;
    const auto& fields = reader.fields();
    if (!places.header && fields.size() != columns.size()) {
      fail<IoError>(reader.place(),
                    "expects user, item, rating and time, four fields with {} between them, or a "
                    "header that names its columns: got {}",
                    csv ? "commas" : "tabs", fields.size());
    }
    reader.check_columns(places.header ? places.columns : columns.size());
    const auto field = [&](std::size_t k) { return fields[places.places[k]]; };
    double stars = 0;
    Rating rating{.user = whole_number(field(0), "user", false, reader),
                  .item = whole_number(field(1), "item", false, reader),
                  .time = 0,
                  .clicked = false};
    if (!to_number(field(2), stars) || !(stars >= 0.5 && stars <= 5))
      fail<IoError>(reader.place(), "the rating must be 0.5 to 5, got \"{}\"",
                    shown_field(field(2)));
    rating.time = whole_number(field(3), "time", true, reader);
    rating.clicked = stars >= kClickedFrom;
    ratings.all.push_back(rating);
  }
  if (ratings.all.empty()) fail<IoError>(file.string(), "holds no ratings");
  if (auto note = left_out_note(file.string(), places, columns); !note.empty())
    ratings.notes.push_back(std::move(note));
  return ratings;
}

using Genres = std::unordered_map<std::int64_t, std::string>;  // the first one of each item

std::int64_t item_of(std::string_view field, const DelimitedReader& reader) {
  std::int64_t item = 0;
  if (!to_number(field, item) || item < 0)
    fail<IoError>(reader.place(), "the item must be a whole number from 0, got \"{}\"",
                  shown_field(field));
  return item;
}

/// movies.csv: `(no genres listed)` and nothing at all are no genre.
Genres read_movies(const fs::path& file, bool old_rules, std::vector<std::string>& notes) {
  static const std::vector<Column> columns = {
      {"item", {"itemId", "movieId", "movie", "productId", "product", "bookId"}},
      {"title", {"name"}, false},
      {"genres", {"genre", "category", "categories"}},
  };
  const std::string text = read_file(file.string(), std::min(kMostRatingBytes, memory_limit()));
  DelimitedReader reader(text, file.string(),
                         {.separator = ',', .quotes = !old_rules, .utf8 = !old_rules});
  ColumnPlaces places{.places = {0, 1, 2}, .left_out = {}, .columns = columns.size()};
  Genres genres;
  for (bool first = true; reader.next(); first = false) {
    const auto& fields = reader.fields();
    if (first && old_rules) continue;
    if (first) places = find_columns(reader, columns, 2);
    if (first && places.header) continue;
    if (old_rules ? fields.size() < columns.size()
                  : !places.header && fields.size() != columns.size())
      fail<IoError>(reader.place(),
                    "expects item, title and genres with commas between them, or a header that "
                    "names its columns: got {} fields",
                    fields.size());
    if (!old_rules) reader.check_columns(places.header ? places.columns : columns.size());
    const std::string_view list = old_rules ? fields.back() : fields[places.places[2]];
    const std::string_view one = list.substr(0, list.find('|'));
    const std::int64_t item = item_of(fields[places.places[0]], reader);
    if (!one.empty() && one.front() != '(') genres[item] = std::string(one);
  }
  if (auto note = left_out_note(file.string(), places, columns); !note.empty())
    notes.push_back(std::move(note));
  return genres;
}

/// u.item: the last 19 fields say with 1 which genres an item has. Its titles are Latin-1; none is
/// read.
Genres read_items(const fs::path& file) {
  const std::string text = read_file(file.string(), std::min(kMostRatingBytes, memory_limit()));
  DelimitedReader reader(text, file.string(), {.separator = '|', .quotes = false, .utf8 = false});
  Genres genres;
  while (reader.next()) {
    const auto& fields = reader.fields();
    if (fields.size() < kItemFields)
      fail<IoError>(reader.place(),
                    "expects {} fields with | between them, an item's number first: got {}",
                    kItemFields, fields.size());
    const std::int64_t item = item_of(fields[0], reader);
    for (std::size_t g = fields.size() - kGenreFields; g < fields.size(); ++g) {
      if (fields[g] != "0" && fields[g] != "1")
        fail<IoError>(reader.place(), "field {} must be 0 or 1, got \"{}\"", g + 1,
                      shown_field(fields[g]));
      if (fields[g] == "1") {
        genres[item] = std::to_string(g);
        break;
      }
    }
  }
  return genres;
}

}  // namespace

ClickData load_ratings(const std::string& folder, const ClickOptions& options) {
  std::error_code error;
  const fs::path base(folder);
  const bool csv = fs::exists(base / "ratings.csv", error);
  if (!csv && !fs::exists(base / "u.data", error))
    fail<IoError>(folder,
                  "is not a folder with MovieLens' ratings.csv or u.data; clicks is the name of "
                  "the simulation");
  auto [ratings, notes] =
      read_ratings(base / (csv ? "ratings.csv" : "u.data"), csv, options.old_rules);
  std::stable_sort(ratings.begin(), ratings.end(),
                   [](const Rating& a, const Rating& b) { return a.time < b.time; });

  std::map<std::int64_t, std::int32_t> users, items;  // theirs -> ours, in the order of theirs
  for (const Rating& rating : ratings) users[rating.user] = items[rating.item] = 0;
  std::int32_t next = 0;
  for (auto& [theirs, ours] : users) ours = ++next;
  next = 0;
  for (auto& [theirs, ours] : items) ours = ++next;

  const fs::path genre_file = base / (csv ? "movies.csv" : "u.item");
  Genres genres;
  if (fs::exists(genre_file, error))
    genres = csv ? read_movies(genre_file, options.old_rules, notes) : read_items(genre_file);
  std::map<std::string, std::int32_t> categories;
  for (const auto& [item, genre] : genres) categories[genre] = 0;
  next = 1;  // 1 is for items without a genre
  for (auto& [genre, ours] : categories) ours = ++next;
  std::vector<std::int32_t> category(items.size() + 1, 1);
  category[0] = 0;
  for (const auto& [theirs, ours] : items)
    if (const auto it = genres.find(theirs); it != genres.end())
      category[static_cast<std::size_t>(ours)] = categories[it->second];

  std::vector<std::vector<ClickEvent>> events(users.size() + 1);
  for (const Rating& rating : ratings)
    events[static_cast<std::size_t>(users[rating.user])].push_back(
        {items[rating.item], rating.clicked});
  ClickData data(std::move(events), std::move(category), options, folder);
  for (std::string& note : notes) data.add_note(std::move(note));
  return data;
}

}  // namespace weft::data
