// Tables of any columns: what a file is read as, what is learned of its columns, and rows as models
// get them.
#include "data/table/table_rows.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string>

#include "core/error.h"
#include "tests/data/scratch.h"

using namespace weft;
using namespace weft::data;
using weft_test::message_of;
using weft_test::Scratch;
using weft_test::shipped;

namespace {

std::vector<std::int64_t> first_rows(std::int64_t count) {
  std::vector<std::int64_t> rows;
  for (std::int64_t i = 0; i < count; ++i) rows.push_back(i);
  return rows;
}

TableSchema schema_of(const Records& table, const SchemaOptions& options = {}) {
  std::vector<std::string> notes;
  const auto rows = first_rows(table.rows());
  return learn_schema(table, rows, target_of(table, options), options, notes);
}

std::string features_as_text(const Records& table, const TableSchema& schema) {
  const TableRows rows = read_rows(table, schema, false);
  const Tensor features = table_features(rows, first_rows(rows.size()), schema);
  std::string text;
  for (std::int64_t i = 0; i < features.size(0); ++i) {
    for (std::int64_t j = 0; j < features.size(1); ++j)
      text += fmt::format("{}{}", j > 0 ? " " : "", features.at({i, j}));
    text += '\n';
  }
  return text;
}

}  // namespace

TEST_CASE("a first line names the columns if nothing in it is a number, or when told") {
  const auto named = [](const std::string& text, HeaderRule rule = HeaderRule::automatic) {
    return Records::parse(text, "t.csv", {.header = rule});
  };
  const Records plain = named("39,State-gov,<=50K\n50,Private,>50K\n");
  CHECK_FALSE(plain.named());
  CHECK(plain.names() == std::vector<std::string>{"column_1", "column_2", "column_3"});
  CHECK(plain.rows() == 2);
  CHECK(named("a,b\n1,2\n").named());
  CHECK_FALSE(named("p,x,p\ne,b,s\n").named());  // a name twice
  CHECK_FALSE(named("p,?,x\ne,b,s\n").named());
  CHECK(named("a,\"2020\"\n1,2\n").named());
  CHECK(named("a,2020\n1,2\n", HeaderRule::yes).names()[1] == "2020");
  CHECK(named("a,b\nc,d\n", HeaderRule::no).rows() == 2);
  CHECK(message_of<IoError>([&] { named("a,2,a\n1,2,3\n", HeaderRule::yes); }) ==
        "[t.csv:1] two columns are called `a`: rename one");
}

TEST_CASE("cells that say that there is nothing are empty") {
  const Records table = Records::parse("a;b\n;?\nNA;n/a\nNaN;NULL\nNone;x\n", "t.csv");
  for (std::int64_t row = 0; row < 4; ++row) CHECK(table.cell(row, 0).empty());
  CHECK(table.cell(3, 1) == "x");
  for (std::int64_t row = 0; row < 3; ++row) CHECK(table.cell(row, 1).empty());
}

TEST_CASE("ragged lines are errors with their place, or left out and counted") {
  const std::string text = "a,b\n1,2\n3\n4,5,6\n7,8\n";
  CHECK(message_of<IoError>([&] { Records::parse(text, "t.csv"); }) ==
        "[t.csv:3] 1 columns, where the first line has 2 (separated by `,`); --skip-bad leaves "
        "such lines out");
  const Records table = Records::parse(text, "t.csv", {.skip_bad = true});
  CHECK(table.rows() == 2);
  CHECK(table.skipped() == 2);
  CHECK(table.place(1) == "t.csv:5");
  CHECK(message_of<IoError>([&] { Records::parse("a,b\n", "t.csv"); }) ==
        "[t.csv] has no rows below its header");
}

TEST_CASE("a column's type is what all of its values are") {
  const Records table = Records::parse(
      "n,d,c,zip,y\n1,2024-03-01,red,10,a\n,2024-03-02T12:00:00Z,blue,10,b\n3,,red,20,a\n"
      "5,2024/03/05,,20,b\n",
      "t.csv");
  const TableSchema schema =
      schema_of(table, {.categorical = {"zip"}, .standardize = false, .min_count = 1});
  REQUIRE(schema.columns.size() == 4);
  CHECK(schema.columns[0].type == ColumnType::number);
  CHECK(schema.columns[0].median == 3);
  CHECK(schema.columns[0].indicator);
  CHECK(schema.columns[1].type == ColumnType::date);
  CHECK(schema.columns[2].categories == std::vector<std::string>{"", "blue", "red"});
  CHECK(schema.columns[3].categories == std::vector<std::string>{"10", "20"});
  CHECK(schema.target.classes == std::vector<std::string>{"a", "b"});
  CHECK(schema.widths() == std::vector<std::int64_t>{2, 2, 4, 3});
  // Number and indicator, date and indicator, one of unknown, "", blue, red; of unknown, 10, 20.
  CHECK(features_as_text(table, schema) ==
        "1 0 19783 0 0 0 0 1 0 1 0\n"
        "3 1 19784.5 0 0 0 1 0 0 1 0\n"
        "3 0 19784.5 1 0 0 0 1 0 0 1\n"
        "5 0 19787 0 0 1 0 0 0 0 1\n");
  // Another table: other order of columns, one more, values that are not known, no target.
  const Records other = Records::parse("zip,extra,c,n,d\n30,x,green,7,2024-03-01\n", "u.csv");
  CHECK(features_as_text(other, schema) == "7 0 19783 0 1 0 0 0 1 0 0\n");
  CHECK(read_rows(other, schema, false).unknown == 2);
  const TableSchema again = TableSchema::from_json(schema.to_json(), "test");
  CHECK(again.to_json() == schema.to_json());
  CHECK(features_as_text(other, again) == features_as_text(other, schema));
  CHECK(message_of<IoError>([&] {
          read_rows(Records::parse("c,n,d\nx,1,2024-01-01\n", "u.csv"), schema, false);
        }) == "[u.csv] has no column zip: its columns are c, n, d");
  CHECK(message_of<IoError>([&] {
          read_rows(Records::parse("zip,c,n,d\n1,x,many,2024-01-01\n", "u.csv"), schema, false);
        }) == "[u.csv:2] column n: `many` is not a number, as its training rows are");
}

TEST_CASE("tokens are the same features, a column apart") {
  const Records table = Records::parse("n,c,y\n1,a,0\n2,b,1\n3,a,1\n4,b,0\n", "t.csv");
  const TableSchema schema = schema_of(table, {.standardize = false});
  const TableRows rows = read_rows(table, schema);
  const Tensor tokens = table_tokens(rows, {1, 3}, schema);
  CHECK(tokens.shape() == Shape{2, 2, 3});
  CHECK(tokens.to_vector<float>() == std::vector<float>{2, 0, 0, 0, 0, 1, 4, 0, 0, 0, 0, 1});
  CHECK(rows.targets.to_vector<std::int64_t>() == std::vector<std::int64_t>{0, 1, 1, 0});
}

TEST_CASE("numbers are brought to mean 0 and deviation 1 over the training rows") {
  const Records table = Records::parse("n,y\n1e9,0\n1000000002,1\n1000000004,2.5\n", "t.csv");
  const TableSchema schema = schema_of(table);
  CHECK(schema.target.is_number());
  const TableRows rows = read_rows(table, schema);
  CHECK(rows.numbers.at({0, 0}) == doctest::Approx(-1.2247449));
  CHECK(rows.numbers.at({1, 0}) == 0);
  CHECK(rows.targets.to_vector<double>() == std::vector<double>{0, 1, 2.5});
}

TEST_CASE("the target says what is told") {
  const auto target = [](const std::string& text, const SchemaOptions& options = {}) {
    return target_of(Records::parse(text, "t.csv"), options);
  };
  const std::string numbers = "x,y\n1,3\n2,4\n3,5\n", two = "x,y\n1,0\n2,1\n3,0\n";
  CHECK(target(numbers).is_number());
  CHECK(target(numbers, {.task = "classification"}).classes.size() == 3);
  CHECK(target(two).outputs() == 1);
  CHECK_FALSE(target(two).is_number());
  CHECK(target(two, {.task = "regression"}).is_number());
  CHECK(target("x,y\n1,a\n2,b\n3,c\n").outputs() == 3);
  CHECK(target(numbers, {.target = "x"}).name == "x");
  CHECK(message_of<ConfigError>([&] { target(numbers, {.target = "z"}); }) ==
        "[config] target names the column z, which t.csv does not have: its columns are x, y");
  CHECK(message_of<ConfigError>([&] { target("x,y\n1,a\n2,a\n"); }) ==
        "[t.csv] the target y has one value, a: there is nothing to tell apart");
  CHECK(message_of<ConfigError>([&] { target("x,y\n1,a\n2,b\n", {.task = "regression"}); }) ==
        "[config] predict number needs numbers, and the target y holds a");
}

TEST_CASE("rare values, empty columns and empty targets are named") {
  const Records table = Records::parse("id,c,e,y\nq,a,,0\nr,a,,1\ns,b,,0\n", "t.csv");
  CHECK(message_of<ConfigError>([&] { schema_of(table); }) ==
        "[t.csv] column e is empty in all training rows: use --drop \"e\", or --skip-bad");
  std::vector<std::string> notes;
  const SchemaOptions options{.skip_bad = true};
  const TableSchema schema =
      learn_schema(table, first_rows(3), target_of(table, options), options, notes);
  CHECK(notes == std::vector<std::string>{
                     "t.csv: no value of column id is in 2 training rows or more: nothing can be "
                     "learned from it; --drop it, or lower --min-count",
                     "t.csv: of the 2 values of column c the 1 rarest count as unknown",
                     "t.csv: left out column e, which is empty"});
  CHECK(schema.columns[1].categories == std::vector<std::string>{"a"});
  const Scratch scratch;
  const std::string path = scratch.write("t.csv", "x,y\n1,0\n2,\n3,1\n4,0\n5,1\n6,0\n");
  CHECK(message_of<IoError>([&] { load_table({.train = path}); }) ==
        "[" + path + ":3] the target y is empty; --skip-bad leaves such rows out");
  const TableData data = load_table({.train = path, .records = {.skip_bad = true}});
  CHECK(data.rows(Split::train).size() + data.rows(Split::validation).size() +
            data.rows(Split::test).size() ==
        5);
}

TEST_CASE("splits have of each class its share, and the same test rows whatever else is chosen") {
  const TableData all = load_table({.train = shipped("adult.csv")});
  CHECK(all.rows(Split::test).size() == 6032);
  CHECK(all.rows(Split::validation).size() == 3016);
  CHECK(all.rows(Split::train).size() == 30162 - 6032 - 3016);
  for (const Split split : {Split::train, Split::validation, Split::test}) {
    const auto labels = all.rows(split).targets.to_vector<std::int64_t>();
    const double share = static_cast<double>(std::count(labels.begin(), labels.end(), 1)) /
                         static_cast<double>(labels.size());
    CHECK(share == doctest::Approx(0.2489).epsilon(0.002));
  }
  const TableData few = load_table({.train = shipped("adult.csv"), .train_rows = 700});
  CHECK(few.rows(Split::train).size() == 700);
  CHECK(few.rows(Split::test).targets.to_vector<std::int64_t>() ==
        all.rows(Split::test).targets.to_vector<std::int64_t>());
}

TEST_CASE("files of their own validate and test") {
  const Scratch scratch;
  std::string rows = "x,c,y\n";
  for (int i = 0; i < 40; ++i) rows += fmt::format("{},{},{}\n", i, i % 2 ? "a" : "b", i % 4 / 2);
  const std::string train = scratch.write("train.csv", rows),
                    test = scratch.write("test.csv", "y,x,c\n1,3,new\n0,4,a\n");
  const TableData data = load_table({.train = train, .validation = test, .test = test});
  CHECK(data.rows(Split::train).size() == 40);
  CHECK(data.rows(Split::test).targets.to_vector<std::int64_t>() ==
        std::vector<std::int64_t>{1, 0});
  CHECK(std::any_of(data.notes.begin(), data.notes.end(), [](const std::string& note) {
    return note.find("1 cell of the test rows holds a category") != std::string::npos;
  }));
  const std::string wrong = scratch.write("wrong.csv", "y,x,c\n7,3,a\n");
  CHECK(message_of<IoError>([&] { load_table({.train = train, .test = wrong}); }) ==
        "[" + wrong + ":2] the target y is `7`, which is none of the classes 0, 1");
}

TEST_CASE("dates are days, and nothing else is a date") {
  CHECK(field_date("1970-01-02") == 1);
  CHECK(field_date("2024-02-29 06:00") == 19782.25);
  CHECK(field_date("2024-02-29T06:00:00Z") == 19782.25);
  CHECK(field_date("2024/02/29T23:59:60.5") == doctest::Approx(19782 + (86399 + 1.5) / 86400));
  for (const char* text : {"2023-02-29", "2024-13-01", "2024-1-1", "24-01-01", "2024-01/01",
                           "2024-01-01x", "2024-01-01 24:00", "2024-01-01 10:0", "", "2024-01-01 ",
                           "20240101", "2024-01-01T10:00:99"})
    CHECK_FALSE_MESSAGE(field_date(text).has_value(), text);
}
