#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cmath>
#include <set>
#include <string>

#include "data/table/csv.h"
#include "data/table/table_tokens.h"
#include "tests/data/scratch.h"

using namespace weft;
using namespace weft::data;
using weft_test::message_of;
using weft_test::Scratch;
using weft_test::shipped;

TEST_CASE("a table is read with and without a header, whatever separates it") {
  const CsvTable plain = parse_csv("1,2.5\n-3e2, 4 \n", "t.csv");
  CHECK(plain.names.empty());
  CHECK(plain.values.shape() == Shape{2, 2});
  CHECK(plain.values.to_vector<double>() == std::vector<double>{1, 2.5, -300, 4});
  const CsvTable named =
      parse_csv("\xef\xbb\xbf\"fixed acidity\";\"a;b\"\r\n7;\"0.27\"\r\n+6.3;.5\r\n\r\n", "t.csv");
  CHECK(named.names == std::vector<std::string>{"fixed acidity", "a;b"});
  CHECK(named.values.to_vector<double>() == std::vector<double>{7, 0.27, 6.3, 0.5});
  CHECK(parse_csv("1\t2\n3\t4", "t").values.shape() == Shape{2, 2});
  CHECK(parse_csv("5\n6\n", "t").values.shape() == Shape{2, 1});
  CHECK(parse_csv("1 2\n3 4\n", "t", {.separator = ' '}).values.at({1, 0}) == 3);
}

TEST_CASE("a torn or wrong line is named with its number, its column and what is wrong") {
  const auto message = [](const std::string& text, CsvOptions options = {}) {
    return message_of<Error>([&] { parse_csv(text, "t.csv", options); });
  };
  CHECK(message("a,b\n1,2\n3\n") ==
        "[t.csv:3] 1 columns, where the first line has 2 (separated by `,`)");
  CHECK(message("1,2\n3,4,5\n") ==
        "[t.csv:2] 3 columns, where the first line has 2 (separated by `,`)");
  CHECK(message("acid,sugar\n1,2\n3,4x\n") ==
        "[t.csv:3] column 2 (`sugar`): `4x` is not a finite number");
  CHECK(message("1,2\n3,nan\n") == "[t.csv:2] column 2: `nan` is not a finite number");
  CHECK(message("1,2\n3,1e999\n") == "[t.csv:2] column 2: `1e999` is not a finite number");
  CHECK(message("1,2\n,4\n") == "[t.csv:2] column 1 is empty; every field must be a number");
  CHECK(message("1,2\n\n3,4\n") == "[t.csv:2] is empty, but lines follow");
  CHECK(message("a,b\n\"1,2\n") == "[t.csv:2] a quote is opened and not closed");
  CHECK(message("a,b\n") == "[t.csv] has a header and no rows");
  CHECK(message("\n\n") == "[t.csv] is empty: a table has a line for each row");
  CHECK(message("1,2", {.separator = '.'}) ==
        "[csv] the separator cannot be `.`: numbers and lines are made of it");
  CHECK(message(std::string("1,2\n\0,3\n", 8)) ==
        "[t.csv:2] a zero byte at byte 0 of the line: this is not a text file");
  CHECK(message("1,2\n3," + std::string(100, 'x')).find("`" + std::string(40, 'x') + "...`") !=
        std::string::npos);
  const Scratch scratch;
  CHECK(message_of<IoError>([&] { read_csv(scratch.path("none.csv")); }).find("none.csv") !=
        std::string::npos);
}

TEST_CASE("the wines are what their README says, split the same way for every seed") {
  const CsvTable wine = read_csv(shipped("winequality-white.csv"));
  CHECK(wine.values.shape() == Shape{4898, 12});
  const TokenData data = load_table_tokens(shipped("winequality-white.csv"), {});
  CHECK(data.tokens(Split::train).shape() == Shape{4898 - 2 * 979, 11, 1});
  CHECK(data.size(Split::validation) == 979);
  CHECK_FALSE(data.binary());
  CHECK(data.target_statistics().mean == doctest::Approx(5.88).epsilon(0.01));
  CHECK(data.tokens(Split::train).to_vector<float>() ==
        load_table_tokens(shipped("winequality-white.csv"), {})
            .tokens(Split::train)
            .to_vector<float>());
  // A smaller training split leaves the test rows what they are.
  const TokenData fewer =
      load_table_tokens(shipped("winequality-white.csv"),
                        {.train = 100, .binary = true, .at_least = 7, .standardize = true});
  CHECK(fewer.size(Split::train) == 100);
  CHECK(fewer.binary());
  const auto quality = data.targets(Split::test).to_vector<float>(),
             good = fewer.targets(Split::test).to_vector<float>();
  for (std::size_t i = 0; i < quality.size(); ++i) CHECK((quality[i] >= 7) == (good[i] == 1));
}

TEST_CASE("a first line of numbers and names is neither dropped nor guessed") {
  const auto message = [](const std::string& text) {
    return message_of<IoError>([&] { parse_csv(text, "t.csv"); });
  };
  CHECK(message("1,2,NA\n4,5,6\n")
            .starts_with("[t.csv:1] is neither a row of numbers, as column 3 is `NA`, nor a "
                         "header, as 2 of its 3 fields are numbers"));
  CHECK(parse_csv("\"2019\",\"2020\",price\n1,2,3\n", "t.csv").names ==
        std::vector<std::string>{"2019", "2020", "price"});
}

TEST_CASE("columns keep the digits that tell their values apart") {
  std::string text = "t,constant,small,price\n";
  for (int i = 0; i < 50; ++i)
    text += fmt::format("{},7,{},{}\n", 1700000000 + i, 0.1 * i, 1700000000 + 7 * (i % 5));
  const CsvTable table = parse_csv(text, "t.csv");
  const TokenData data = table_tokens(table, {.standardize = true}, "t.csv");
  std::set<float> seen;
  for (const Split split : {Split::train, Split::validation, Split::test})
    for (std::int64_t i = 0; i < data.size(split); ++i)
      seen.insert(static_cast<float>(data.tokens(split).at({i, 0, 0})));
  CHECK(seen.size() == 50);
  CHECK(data.targets(Split::train).dtype() == DType::f64);
  CHECK(data.target_statistics().std == doctest::Approx(7 * std::sqrt(2.0)).epsilon(0.2));
  CHECK(data.notes() ==
        std::vector<std::string>{"t.csv: column 2 (`constant`) has one value in all training rows: "
                                 "nothing can be learned from it"});
  const TokenData raw = table_tokens(table, {}, "t.csv");
  REQUIRE(raw.notes().size() == 2);
  CHECK(
      weft_test::contains(raw.notes()[0], "t.csv: column 1 (`t`) loses digits as 32-bit numbers"));
  CHECK(weft_test::contains(raw.notes()[0], "use --standardize"));
  // Beyond 2^53 a column loses them as soon as it is read.
  std::string large;
  for (int i = 0; i < 20; ++i) large += fmt::format("{},{}\n", 1700000000123456789 + i, i);
  const TokenData lost = table_tokens(parse_csv(large, "n.csv"), {.standardize = true}, "n.csv");
  REQUIRE(lost.notes().size() == 1);
  CHECK((weft_test::contains(lost.notes()[0], "column 1") &&
         (lost.notes()[0].find("loses digits as 64-bit numbers") != std::string::npos ||
          lost.notes()[0].find("has one value") != std::string::npos)));
  CHECK(message_of<ConfigError>([] {
          table_tokens(parse_csv("a,y\n1,5\n2,5\n3,5\n4,5\n5,5\n", "t.csv"), {}, "t.csv");
        }) == "[t.csv] all 3 training targets (column 2 (`y`)) are 5: there is nothing to learn");
  // A run of before keeps the numbers that it had.
  const TokenData old = table_tokens(table, {.standardize = true, .old_rules = true}, "t.csv");
  CHECK(old.targets(Split::train).dtype() == DType::f32);
  CHECK(old.notes().empty());
}

TEST_CASE("splits and targets that leave nothing to learn are refused") {
  const Tensor table = Tensor::from({1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0}, {5, 2});
  const auto message = [&](const Tensor& values, const TableTokens& options) {
    return message_of<Error>([&] { table_tokens(values, options, "t.csv"); });
  };
  CHECK(table_tokens(table, {}, "t.csv").size(Split::train) == 3);
  CHECK(message(table, {.validation = 2, .test = 3}) ==
        "[data] validation 2 and test 3 leave 0 of 5 rows to train on: use smaller ones");
  CHECK(message(table, {.train = 4}) ==
        "[data] validation 1 and test 1 leave 3 of 5 rows to train on: use smaller ones");
  CHECK(message(table, {.binary = true, .at_least = 11}) ==
        "[t.csv] none of the 3 training targets are at least 11: there are not two classes to "
        "distinguish");
  CHECK(message(table, {.binary = true, .at_least = 1}) ==
        "[t.csv] all of the 3 training targets are at least 1: there are not two classes to "
        "distinguish");
  CHECK(message(Tensor::ones({5, 1}, DType::f64), {}) ==
        "[t.csv] a table needs at least one column of features and the last one as target, this "
        "has 1");
  CHECK(message(Tensor::full({5, 2}, 1e300, DType::f64), {})
            .find("is beyond what a 32-bit float holds; scale the column") != std::string::npos);
  CHECK(message_of<IoError>([] {
          table_tokens(parse_csv("a,b\n1,2\n3,4\n5,1e300\n", "t.csv"), {}, "t.csv");
        }).starts_with("[t.csv] 1e+300 in row 3, column 2 (`b`) is beyond what "));
}
