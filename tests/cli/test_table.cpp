// Tables from training to predictions, as a user types it.
#include <doctest/doctest.h>

#include "data/table/records.h"
#include "tests/cli/run_program.h"

using namespace weft;
using namespace weft::test;
using Json = nlohmann::json;

namespace {

/// People whose income hangs on age and city.
std::string people(int from, int count, bool with_income = true) {
  std::string text = with_income ? "id,age,city,income\n" : "city,age,id\n";
  for (int i = from; i < from + count; ++i) {
    const int age = 20 + i * 7 % 41;
    const char* const city = i % 3 == 0 ? "Leeds" : i % 3 == 1 ? "\"York, old\"" : "";
    const bool high = age > 40 || i % 3 == 0;
    text += with_income ? fmt::format("p{},{},{},{}\n", i, age, city, high ? ">50K" : "<=50K")
                        : fmt::format("{},{},p{}\n", city, age, i);
  }
  return text;
}

}  // namespace

TEST_CASE("a table is learned, and new rows are predicted by the names of their columns") {
  const TempFolder folder;
  const std::string data = (folder / "people.csv").string(), run = (folder / "run").string(),
                    news = (folder / "new.csv").string(), out = (folder / "out.csv").string();
  write_file(data, people(0, 600));
  const Outcome trained =
      weft_with(folder, {"train", "table", "--data", data, "--drop", "id", "--steps", "300",
                         "--model", "mlp", "--lr", "0.01", "--out", run});
  REQUIRE_MESSAGE(trained.code == 0, trained.err);
  CHECK(trained.err.find("predicts income, 2 classes") != std::string::npos);
  const Json summary = Json::parse(read_file(run + "/summary.json"));
  CHECK(summary["test_accuracy"] > 0.9);

  write_file(news, people(1000, 90, false));
  fs::remove(data);  // the training file is not needed
  const Outcome predicted = weft_with(folder, {"predict", run, news, "--out", out});
  REQUIRE_MESSAGE(predicted.code == 0, predicted.err);
  const data::Records table = data::Records::read(out);
  CHECK(table.names() == std::vector<std::string>{"row", "predicted income", "probability of <=50K",
                                                  "probability of >50K"});
  REQUIRE(table.rows() == 90);
  int right = 0;
  for (int i = 0; i < 90; ++i) {
    const int number = 1000 + i, age = 20 + number * 7 % 41;
    right += table.cell(i, 1) == (age > 40 || number % 3 == 0 ? ">50K" : "<=50K") ? 1 : 0;
    const double sum =
        std::stod(std::string(table.cell(i, 2))) + std::stod(std::string(table.cell(i, 3)));
    CHECK(sum == doctest::Approx(1).epsilon(1e-4));
  }
  CHECK(right > 80);
  CHECK(weft_with(folder, {"predict", run, news}).out == read_file(out));
  const Json json = Json::parse(weft_with(folder, {"predict", run, news, "--json"}).out);
  CHECK(json["rows"].size() == 90);
  CHECK(json["rows"][0]["probabilities"].contains(">50K"));
}

TEST_CASE("new rows that cannot be read are named, and the target need not be there") {
  const TempFolder folder;
  const std::string data = (folder / "people.csv").string(), run = (folder / "run").string(),
                    news = (folder / "new.csv").string();
  write_file(data, people(0, 100));
  REQUIRE(weft_with(folder, {"train", "table", "--data", data, "--steps", "5", "--batch", "16",
                             "--model", "linear", "--out", run})
              .code == 0);
  const auto says = [&](const std::string& text, const std::vector<std::string>& more = {}) {
    write_file(news, text);
    std::vector<std::string> words{"predict", run, news};
    words.insert(words.end(), more.begin(), more.end());
    const Outcome outcome = weft_with(folder, words);
    return fmt::format("{} {}", outcome.code, outcome.err);
  };
  CHECK(says("age,id\n3,x\n").find("has no column city: its columns are age, id") !=
        std::string::npos);
  CHECK(says("age,city,id\nold,Leeds,p1\n").find(":2] column age: `old` is not a number") !=
        std::string::npos);
  CHECK(says("age,city,id\n1,Leeds\n2,Leeds,p1\n").find("--skip-bad leaves such lines out") !=
        std::string::npos);
  CHECK(says("age,city,id\n1,Leeds\n2,Leeds,p1\n", {"--skip-bad"}).starts_with("0 "));
  CHECK(says("age,city,id\n2,Paris,p1\n")
            .find("2 cells hold a category that training rows did not "
                  "have") != std::string::npos);
  write_file(news, people(0, 20));
  const Outcome eval = weft_with(folder, {"eval", run, "--data", news, "--json"});
  REQUIRE_MESSAGE(eval.code == 0, eval.err);
  CHECK(Json::parse(eval.out)["rows"] == 20);
}
