#include <doctest/doctest.h>

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
  const CsvTable named = parse_csv("\xef\xbb\xbf\"fixed acidity\";\"a;b\"\r\n7;\"0.27\"\r\n+6.3;.5\r\n\r\n", "t.csv");
  CHECK(named.names == std::vector<std::string>{"fixed acidity", "a;b"});
  CHECK(named.values.to_vector<double>() == std::vector<double>{7, 0.27, 6.3, 0.5});
  CHECK(parse_csv("1\t2\n3\t4", "t").values.shape() == Shape{2, 2});
  CHECK(parse_csv("5\n6\n", "t").values.shape() == Shape{2, 1});
  CHECK(parse_csv("1 2\n3 4\n", "t", {.separator = ' '}).values.at({1, 0}) == 3);
}

TEST_CASE("a torn or wrong line is named with its number, its column and what is wrong") {
  const auto message = [](const std::string& text, CsvOptions options = {}) { return message_of<Error>([&] { parse_csv(text, "t.csv", options); }); };
  CHECK(message("a,b\n1,2\n3\n") == "[t.csv:3] 1 columns, where the first line has 2 (separated by `,`)");
  CHECK(message("1,2\n3,4,5\n") == "[t.csv:2] 3 columns, where the first line has 2 (separated by `,`)");
  CHECK(message("acid,sugar\n1,2\n3,4x\n") == "[t.csv:3] column 2 (`sugar`): `4x` is no finite number");
  CHECK(message("1,2\n3,nan\n") == "[t.csv:2] column 2: `nan` is no finite number");
  CHECK(message("1,2\n3,1e999\n") == "[t.csv:2] column 2: `1e999` is no finite number");
  CHECK(message("1,2\n,4\n") == "[t.csv:2] column 1 is empty; every cell must be a number");
  CHECK(message("1,2\n\n3,4\n") == "[t.csv:2] is empty, but lines follow");
  CHECK(message("a,b\n\"1,2\n") == "[t.csv:2] a quote is opened and not closed");
  CHECK(message("a,b\n") == "[t.csv] has a header and no rows");
  CHECK(message("\n\n") == "[t.csv] is empty: a table has a line for each row");
  CHECK(message("1,2", {.separator = '.'}) == "[csv] the separator cannot be `.`: numbers and lines are made of it");
  CHECK(message(std::string("1,2\n\0,3\n", 8)) == "[t.csv:2] column 1: `?` is no finite number");
  CHECK(message("1,2\n3," + std::string(100, 'x')).find("`" + std::string(40, 'x') + "...`") != std::string::npos);
  const Scratch scratch;
  CHECK(message_of<IoError>([&] { read_csv(scratch.path("none.csv")); }).find("none.csv") != std::string::npos);
}

TEST_CASE("the wines are what their README says, split the same way for every seed") {
  const CsvTable wine = read_csv(shipped("winequality-white.csv"));
  CHECK(wine.values.shape() == Shape{4898, 12});
  const TokenData data = load_table_tokens(shipped("winequality-white.csv"), {});
  CHECK(data.tokens(Split::train).shape() == Shape{4898 - 2 * 979, 11, 1});
  CHECK(data.size(Split::validation) == 979);
  CHECK_FALSE(data.binary());
  CHECK(data.target_statistics().mean == doctest::Approx(5.88).epsilon(0.01));
  CHECK(data.tokens(Split::train).to_vector<float>() == load_table_tokens(shipped("winequality-white.csv"), {}).tokens(Split::train).to_vector<float>());
  // A smaller training split leaves the test rows what they are.
  const TokenData fewer = load_table_tokens(shipped("winequality-white.csv"), {.train = 100, .binary = true, .at_least = 7, .standardise = true});
  CHECK(fewer.size(Split::train) == 100);
  CHECK(fewer.binary());
  const auto quality = data.targets(Split::test).to_vector<float>(), good = fewer.targets(Split::test).to_vector<float>();
  for (std::size_t i = 0; i < quality.size(); ++i) CHECK((quality[i] >= 7) == (good[i] == 1));
}

TEST_CASE("splits and targets that leave nothing to learn are refused") {
  const Tensor table = Tensor::from({1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0}, {5, 2});
  const auto message = [&](const Tensor& values, const TableTokens& options) { return message_of<Error>([&] { table_tokens(values, options, "t.csv"); }); };
  CHECK(table_tokens(table, {}, "t.csv").size(Split::train) == 3);
  CHECK(message(table, {.validation = 2, .test = 3}) == "[data] validation 2 and test 3 leave 0 of 5 rows to train on: use smaller ones");
  CHECK(message(table, {.train = 4}) == "[data] validation 1 and test 1 leave 3 of 5 rows to train on: use smaller ones");
  CHECK(message(table, {.binary = true, .at_least = 11}) == "[t.csv] no targets are at least 11: there are no two classes to be told apart");
  CHECK(message(table, {.binary = true, .at_least = 1}) == "[t.csv] all targets are at least 1: there are no two classes to be told apart");
  CHECK(message(Tensor::ones({5, 1}, DType::f64), {}) == "[t.csv] a table needs at least one column of features and the last one as target, this has 1");
  CHECK(message(Tensor::full({5, 2}, 1e300, DType::f64), {}).find("is beyond what a 32-bit float holds; scale the column") != std::string::npos);
}
