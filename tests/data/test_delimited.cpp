// Every reader of delimited files against everything that such a file may look like: the right
// values, or an error with file and line.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <set>
#include <sstream>

#include "data/image/annotated_images.h"
#include "data/image/png.h"
#include "data/recommend/clicks.h"
#include "data/table/csv.h"
#include "data/table/delimited.h"
#include "data/table/records.h"
#include "data/text/labeled_text.h"
#include "data/text/tabbed_lines.h"
#include "data/text/text_pairs.h"
#include "tests/data/scratch.h"

using namespace weft;
using namespace weft::data;
using weft_test::contains;
using weft_test::message_of;
using weft_test::Scratch;

namespace {

using Row = std::vector<std::string>;

/// What a reader took from a file: its values as text, and its notes.
struct Read {
  std::string values;
  std::string notes;
};

struct Reader {
  std::string source;  ///< the file of the code that reads
  std::string file;    ///< its name
  std::string separator;
  bool quotes;  ///< as in RFC 4180
  bool named;   ///< whether the reader knows columns by their names
  Row columns;
  std::vector<Row> rows;
  std::function<Read(const Scratch&)> read;
};

std::string joined(const std::vector<std::string>& notes) {
  std::string text;
  for (const std::string& note : notes) text += note + "\n";
  return text;
}

Read read_table(const Scratch& scratch) {
  const CsvTable table = read_csv(scratch.path("table.csv"));
  std::set<std::string> columns;
  for (std::int64_t c = 0; c < table.values.size(1); ++c) {
    std::string text = table.names.empty() ? "" : table.names[static_cast<std::size_t>(c)];
    for (std::int64_t r = 0; r < table.values.size(0); ++r)
      text += fmt::format(" {}", table.values.at({r, c}));
    columns.insert(text);
  }
  return {fmt::format("{}", fmt::join(columns, "|")), ""};
}

Read read_records(const Scratch& scratch) {
  const Records table = Records::read(scratch.path("people.csv"));
  std::set<std::string> columns;
  for (std::size_t c = 0; c < table.columns(); ++c) {
    std::string text = table.names()[c];
    for (std::int64_t r = 0; r < table.rows(); ++r) text += fmt::format(" {}", table.cell(r, c));
    columns.insert(text);
  }
  return {fmt::format("{}", fmt::join(columns, "|")), ""};
}

Read read_clicks(const Scratch& scratch) {
  const ClickData data = load_ratings(scratch.folder(), {.history = 3});
  std::string values = fmt::format("{:x}", data.fingerprint());
  for (std::int64_t i = 1; i < data.n_item(); ++i)
    values += fmt::format(" {}", data.category_of(static_cast<std::int32_t>(i)));
  return {values, joined(data.notes())};
}

Read read_movies(const Scratch& scratch) {
  std::string ratings;
  for (const int user : {1, 2})
    for (int i = 0; i < 5; ++i)
      ratings += fmt::format("{},{},{},{}\n", user, 10 + i % 3, (i + user) % 2 == 0 ? 5 : 2,
                             100 * user + i);
  scratch.write("ratings.csv", ratings);
  return read_clicks(scratch);
}

Read read_boxes(const Scratch& scratch) {
  for (int i = 0; i < 4; ++i)
    save_png(scratch.path(fmt::format("p{}.png", i)), Tensor::full({20, 40}, 10 * i, DType::u8));
  const AnnotatedImages data(scratch.folder(), {.side = 32});
  return {fmt::format("{} {:x}", fmt::join(data.classes(), "/"), data.fingerprint()),
          joined(data.notes())};
}

Read read_labeled(const std::string& path) {
  const LabeledData data = load_labeled(path);
  std::string values = fmt::format("{}", fmt::join(data.classes(), "/"));
  for (const Split split : {Split::train, Split::validation, Split::test})
    for (const LabeledText& example : data.examples(split))
      values += fmt::format("|{} {}", example.label, example.text);
  return {values, joined(data.notes())};
}

Read read_text_pairs(const std::string& path) {
  const TextPairs data = read_pairs(path);
  std::string values;
  for (const TextPair& pair : data.pairs)
    values += fmt::format("|{} > {}", pair.source, pair.target);
  return {values, joined(data.notes)};
}

std::vector<Reader> readers() {
  std::vector<Row> ratings, labeled, pairs;
  for (const int user : {1, 2})
    for (int i = 0; i < 5; ++i)
      ratings.push_back({std::to_string(user), std::to_string(10 + i % 3),
                         (i + user) % 2 == 0 ? "4.5" : "2", std::to_string(100 * user + i)});
  std::vector<Row> whole = ratings;
  for (Row& row : whole) row[2] = row[2] == "4.5" ? "5" : "2";
  for (int i = 0; i < 12; ++i) {
    labeled.push_back({i % 2 == 0 ? "good" : "bad", fmt::format("é film {} of an evening", i)});
    pairs.push_back({fmt::format("the {} houses", i), fmt::format("die {} Häuser", i)});
  }
  const Row rating_columns{"userId", "movieId", "rating", "timestamp"};
  const auto text = [](auto read, std::string file) {
    return [read, file](const Scratch& scratch) { return read(scratch.path(file)); };
  };
  return {
      {"data/table/csv.cpp",
       "table.csv",
       ";",
       true,
       false,
       {"acid", "sugar", "quality"},
       {{"1", "2.5", "3"}, {"4", "-5e1", "6"}, {"7", "8", ".9"}},
       read_table},
      {"data/table/records.cpp",
       "people.csv",
       ",",
       true,
       false,
       {"age", "city", "income"},
       {{"31", "Łódź", "high"}, {"40", "", "low"}, {"50", "Hull", "low"}},
       read_records},
      {"data/recommend/ratings.cpp", "ratings.csv", ",", true, true, rating_columns, ratings,
       read_clicks},
      {"data/recommend/ratings.cpp", "u.data", "\t", false, true, rating_columns, whole,
       read_clicks},
      {"data/recommend/ratings.cpp",
       "movies.csv",
       ",",
       true,
       true,
       {"movieId", "title", "genres"},
       {{"10", "Title", "Comedy|Drama"},
        {"11", "Other", "Action"},
        {"12", "Third", "(no genres listed)"}},
       read_movies},
      {"data/image/annotated_images.cpp",
       "boxes.csv",
       ",",
       true,
       true,
       {"file", "label", "x0", "y0", "x1", "y1"},
       {{"p0.png", "cat", "1", "2", "9", "9"},
        {"p1.png", "dog", "0", "0", "40", "20"},
        {"p2.png", "cat", "3", "3", "4.5", "4"},
        {"p3.png", "cat", "3", "1", "8", "4"}},
       read_boxes},
      {"data/text/tabbed_lines.cpp",
       "labeled.tsv",
       "\t",
       false,
       true,
       {"label", "text"},
       labeled,
       text(read_labeled, "labeled.tsv")},
      {"data/text/tabbed_lines.cpp",
       "labeled.csv",
       ",",
       true,
       true,
       {"label", "text"},
       labeled,
       text(read_labeled, "labeled.csv")},
      {"data/text/tabbed_lines.cpp",
       "pairs.tsv",
       "\t",
       false,
       true,
       {"source", "target"},
       pairs,
       text(read_text_pairs, "pairs.tsv")},
      {"data/text/tabbed_lines.cpp",
       "pairs.csv",
       ";",
       true,
       true,
       {"source", "target"},
       pairs,
       text(read_text_pairs, "pairs.csv")},
  };
}

std::string line_of(const Reader& reader, const Row& row, bool quoted = false) {
  std::string line;
  for (std::size_t i = 0; i < row.size(); ++i)
    line += (i == 0 ? "" : reader.separator) + (quoted ? "\"" + row[i] + "\"" : row[i]);
  return line;
}

/// The file with its header, each line through `edit(line number from 1, row)`.
std::string file_of(const Reader& reader, const std::function<void(std::size_t, Row&)>& edit = {},
                    bool quoted = false, const std::string& end = "\n") {
  std::string text;
  for (std::size_t i = 0; i <= reader.rows.size(); ++i) {
    Row row = i == 0 ? reader.columns : reader.rows[i - 1];
    if (edit) edit(i + 1, row);
    text += line_of(reader, row, quoted) + end;
  }
  return text;
}

Read read_file_of(const Reader& reader, const std::string& text) {
  const Scratch scratch;
  scratch.write(reader.file, text);
  return reader.read(scratch);
}

/// The error of a text, which must name the file and this line.
std::string error_in_line(const Reader& reader, const std::string& text, std::size_t line) {
  const Scratch scratch;
  const std::string path = scratch.write(reader.file, text);
  const std::string message = message_of<Error>([&] { reader.read(scratch); });
  CHECK(contains(message, fmt::format("[{}:{}] ", path, line)));
  return message;
}

}  // namespace

TEST_CASE(
    "every reader takes a byte order mark, CR LF, quotes, columns in another order, and files "
    "without a header") {
  for (const Reader& reader : readers()) {
    CAPTURE(reader.file);
    const std::string plain = file_of(reader), wanted = read_file_of(reader, plain).values;
    CHECK_FALSE(wanted.empty());
    CHECK(read_file_of(reader, "\xef\xbb\xbf" + plain).values == wanted);
    CHECK(read_file_of(reader, file_of(reader, {}, false, "\r\n")).values == wanted);
    CHECK(read_file_of(reader, plain.substr(0, plain.size() - 1)).values == wanted);
    CHECK(read_file_of(reader, plain + "\r\n\n  \n").values == wanted);
    CHECK(read_file_of(reader, file_of(reader,
                                       [](std::size_t, Row& row) {
                                         std::rotate(row.begin(), row.begin() + 1, row.end());
                                       }))
              .values == wanted);
    if (reader.quotes) {
      CHECK(read_file_of(reader, file_of(reader, {}, true)).values == wanted);
      CHECK(read_file_of(reader, file_of(reader, {}, true, "  \r\n")).values == wanted);
    }
    if (!reader.named) continue;
    const std::string without_header = plain.substr(plain.find('\n') + 1);
    CHECK(read_file_of(reader, without_header).values == wanted);
    CHECK(read_file_of(reader, file_of(reader,
                                       [](std::size_t line, Row& row) {
                                         for (std::string& name : row)
                                           for (char& c : name)
                                             c = line == 1 && c >= 'a' && c <= 'z'
                                                     ? static_cast<char>(c - 'a' + 'A')
                                                     : c;
                                       }))
              .values == wanted);
    const Read more = read_file_of(reader, file_of(reader, [](std::size_t line, Row& row) {
                                     row.insert(row.begin() + 1, line == 1 ? "license" : "CC-BY");
                                   }));
    CHECK(more.values == wanted);
    CHECK(contains(more.notes, "left out the column `license`"));
  }
}

TEST_CASE("every reader names file and line of what it cannot read") {
  for (const Reader& reader : readers()) {
    CAPTURE(reader.file);
    const auto with = [&](std::size_t line, const std::function<void(Row&)>& change) {
      return file_of(reader,
                     [&](std::size_t number, Row& row) { number == line ? change(row) : void(); });
    };
    error_in_line(reader, with(3, [](Row& row) { row.pop_back(); }), 3);
    error_in_line(reader, with(2, [](Row& row) { row.emplace_back("more"); }), 2);
    error_in_line(reader, with(3, [](Row& row) { row.back() += std::string("\0x", 2); }), 3);
    error_in_line(reader, with(4, [](Row& row) { row.back() += "\xff"; }), 4);
    error_in_line(reader, with(3, [](Row& row) { row.back() = std::string((1 << 24) + 1, '1'); }),
                  3);
    if (reader.quotes) {
      CHECK(contains(error_in_line(reader, with(4, [](Row& row) { row[0] = "\"" + row[0]; }), 4),
                     "a quote is opened and not closed"));
      CHECK(contains(
          error_in_line(reader, with(3, [](Row& row) { row[0] = "\"" + row[0] + "\"x"; }), 3),
          "follows a closing quote"));
    }
    if (!reader.named) continue;
    for (std::size_t gone = 0; gone < reader.columns.size(); ++gone) {
      if (reader.columns[gone] == "title") continue;  // the one that nothing is read from
      CAPTURE(reader.columns[gone]);
      const std::string text = file_of(reader, [&](std::size_t, Row& row) {
        row.erase(row.begin() + static_cast<std::ptrdiff_t>(gone));
      });
      if (reader.columns.size() > 2)
        CHECK(contains(error_in_line(reader, text, 1), "no column for the"));
      else
        error_in_line(reader, text, 1);
      const std::string twice =
          file_of(reader, [&](std::size_t, Row& row) { row.push_back(row[gone]); });
      CHECK(contains(error_in_line(reader, twice, 1), "two columns for the"));
    }
  }
}

TEST_CASE("a first row without a header is a row") {
  for (const Reader& reader : readers()) {
    if (!reader.named) continue;
    CAPTURE(reader.file);
    const std::string plain = file_of(reader);
    const std::string rows = plain.substr(plain.find('\n') + 1),
                      fewer = rows.substr(rows.find('\n') + 1);
    CHECK(read_file_of(reader, rows).values != read_file_of(reader, fewer).values);
  }
}

TEST_CASE("quotes as in RFC 4180, or characters like any other") {
  const auto fields_of = [](std::string_view text, const DelimitedFormat& format) {
    std::vector<std::vector<std::string>> all;
    for (DelimitedReader reader(text, "f", format); reader.next();)
      all.emplace_back(reader.fields().begin(), reader.fields().end());
    return all;
  };
  using Fields = std::vector<std::vector<std::string>>;
  CHECK(fields_of("a, \"b,\"\"c\"\"\" ,\"\"\n\"d\r\ne\",f\"g\",\n", {.separator = ','}) ==
        Fields{{"a", "b,\"c\"", ""}, {"d\r\ne", "f\"g\"", ""}});
  CHECK(fields_of("\"a\tb\" \"c\n", {.separator = '\t', .quotes = false}) ==
        Fields{{"\"a", "b\" \"c"}});
  CHECK(fields_of(" a\tb\tc ", {.separator = '\t', .quotes = false, .most_columns = 2}) ==
        Fields{{"a", "b\tc"}});
  CHECK(fields_of("\"a;b\",c", {}) == Fields{{"a;b", "c"}});
  CHECK(fields_of("", {}).empty());
  CHECK(fields_of("a,b\r", {}) == Fields{{"a", "b"}});
  CHECK(fields_of("a,b", {}) == Fields{{"a", "b"}});
  CHECK(fields_of("a,\"b\rc\"\r\nd,e\r\n", {}) == Fields{{"a", "b\rc"}, {"d", "e"}});
  // Of carriage returns alone a file would be one line.
  CHECK(message_of<IoError>([&] { fields_of("a,b\r1,2\r3,4\r", {}); }) ==
        "[f:1] its lines end with a carriage return alone, which is read as part of a line; "
        "convert them, for example with tr '\\r' '\\n'");
  DelimitedReader lines("\"a\nb\"\n\nc\n", "f", {});
  REQUIRE((lines.next() && lines.next()));
  CHECK(lines.place() == "f:4");
}

TEST_CASE("of very many columns a message names the first") {
  std::string many = "label\ttext", plain = "a\tb";
  for (int i = 0; i < 60'000; ++i) many += "\tcolumn" + std::to_string(i), plain += "\tc";
  const TextColumns columns{"label", "text", {}, {}};
  const TextTable named = read_text_columns(many + "\n" + plain + "\n", "f", columns);
  REQUIRE(named.notes.size() == 1);
  CHECK(contains(named.notes[0], "`column0`, `column1`"));
  CHECK(contains(named.notes[0], "(60000 in all)"));
  CHECK(named.notes[0].size() < 2000);
  const TextTable unnamed = read_text_columns(plain + "\n", "f", columns);
  REQUIRE(unnamed.notes.size() == 1);
  CHECK(contains(unnamed.notes[0], ", ... 60002"));
  CHECK(unnamed.notes[0].size() < 2000);
  DelimitedReader header(many, "f", {});
  REQUIRE(header.next());
  const std::vector<Column> wanted{{"label", {}}, {"text", {}}, {"author", {}}};
  const std::string missing = message_of<IoError>([&] { find_columns(header, wanted, 2); });
  CHECK(contains(missing, "no column for the author"));
  CHECK(missing.size() < 2000);
}

TEST_CASE(
    "what reads lines of fields reads them with the one reader, and stands in the list of this "
    "test") {
  namespace fs = std::filesystem;
  std::set<std::string> listed, found;
  for (const Reader& reader : readers()) listed.insert(reader.source);
  // CIFAR's names of classes, texts for pieces and poems are no fields, Unicode's readers count
  // lines for messages, matrices of `weft explain` are separated by any white space.
  const std::set<std::string> others{
      "data/image/image_set.cpp",      "data/table/delimited.cpp", "data/text/encoding.cpp",
      "data/text/piece_tokenizer.cpp", "data/text/text_pairs.cpp", "data/text/utf8.cpp",
      "train/explain/matrix_file.cpp"};
  for (const char* folder : {"data", "train/tasks", "train/explain"}) {
    for (const auto& entry : fs::recursive_directory_iterator(fs::path(WEFT_SOURCE_DIR) / folder)) {
      if (entry.path().extension() != ".cpp") continue;
      const std::string path = fs::relative(entry.path(), WEFT_SOURCE_DIR).generic_string();
      std::ifstream in(entry.path());
      const std::string text((std::istreambuf_iterator<char>(in)), {});
      if (text.find("DelimitedReader reader(") != std::string::npos) found.insert(path);
      const bool splits = text.find("find('\\n'") != std::string::npos ||
                          text.find("find(','") != std::string::npos ||
                          text.find("getline(") != std::string::npos ||
                          text.find("find('\\t'") != std::string::npos;
      if (splits && !others.contains(path))
        FAIL_CHECK(path << " splits lines or fields itself: use data/table/delimited.h");
    }
  }
  CHECK(found == listed);
}
