// `weft gradcheck`, with a sample planted here whose gradient is wrong.
#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>

#include "autograd/autograd.h"
#include "autograd/sample.h"
#include "train/cli/gradcheck_command.cpp"  // the program's own file: it is in no library

using namespace weft;

namespace {

const samples::Register planted("planted_fault", samples::Kind::op, [] {
  samples::Sample sample{.name = "planted_fault"};
  sample.cases = {{.label = "twice the gradient",
                   .inputs = {samples::values({3}, 1)},
                   .call = [](const std::vector<Tensor>& in) {
                     return record("planted_fault", raw::clone(in[0]), {in[0]},
                                   [](const Tensor& g) {
                                     const Tensor twice = raw::clone(g);
                                     raw::add_scaled(twice, g);
                                     return Gradients{twice};
                                   });
                   }}};
  return sample;
});

const samples::Register throwing("planted_throw", samples::Kind::op, [] {
  samples::Sample sample{.name = "planted_throw"};
  sample.cases = {
      {.label = "throws",
       .inputs = {samples::values({3}, 1)},
       .call = [](const std::vector<Tensor>&) -> Tensor { throw NumericError("[x] y"); }}};
  return sample;
});

struct Output {
  int code = 0;
  std::string text;
};

/// Runs the command with stdout in a file.
Output run(const cli::GradcheckCommand& command) {
  std::fflush(stdout);
  std::FILE* file = std::tmpfile();
  REQUIRE(file);
  const int before = dup(STDOUT_FILENO);
  dup2(fileno(file), STDOUT_FILENO);
  Output output;
  try {
    output.code = cli::run_gradcheck(command);
  } catch (...) {
    output.code = -1;
  }
  std::fflush(stdout);
  dup2(before, STDOUT_FILENO);
  close(before);
  std::rewind(file);
  for (int c = std::fgetc(file); c != EOF; c = std::fgetc(file))
    output.text += static_cast<char>(c);
  std::fclose(file);
  return output;
}

}  // namespace

TEST_CASE("what passes gives 0 and a row each") {
  const Output table = run({.pattern = "softmax"});
  CHECK(table.code == 0);
  CHECK(table.text.starts_with("name "));
  CHECK(table.text.find("\nlog_softmax ") != std::string::npos);
  CHECK(table.text.ends_with("all 2 passed\n"));
  CHECK(run({.pattern = "argmax"}).text.find("no gradient") != std::string::npos);
  CHECK(run({.pattern = "LINEAR"}).text.find("\nLinear ") != std::string::npos);
}

TEST_CASE("JSON is a list of objects") {
  const Output output = run({.pattern = "softmax", .json = true});
  const auto list = nlohmann::json::parse(output.text);
  REQUIRE(list.size() == 2);
  CHECK(list[0]["name"] == "log_softmax");
  CHECK(list[0]["kind"] == "op");
  CHECK(list[0]["passed"] == true);
  CHECK(list[0]["worst_error"].get<double>() < 1e-6);
}

TEST_CASE("a wrong gradient gives 1 and is named") {
  const Output output = run({.pattern = "planted_fault"});
  CHECK(output.code == 1);
  CHECK(output.text.find("FAILED [twice the gradient] input 0 element (") != std::string::npos);
  CHECK(output.text.ends_with("1 of 1 failed\n"));
  const Output both = run({.pattern = "planted", .json = true});
  CHECK(both.code == 1);
  const auto list = nlohmann::json::parse(both.text);
  REQUIRE(list.size() == 2);
  CHECK(list[0]["passed"] == false);
  CHECK(list[1]["worst_error"].is_null());
  CHECK(list[1]["message"] == "[throws] threw [x] y");
}

TEST_CASE("a name that nothing has") {
  CHECK_THROWS_WITH_AS(cli::run_gradcheck({.pattern = "nosuch"}),
                       "[gradcheck] no op, module or model has `nosuch` in its name", ConfigError);
}

TEST_CASE("other seeds give other numbers, and pass as well") {
  const Output output = run({.pattern = "softmax", .kind = "op", .seed = 7, .seeds = 3});
  CHECK(output.code == 0);
  CHECK(output.text.find("\nall 2 passed\n3 seeds: ") != std::string::npos);
  CHECK(output.text.ends_with(" elements in all, 0 of them failed\n"));
  samples::set_sample_seed(7);
  const std::vector<double> other = samples::values({4}, 1).to_vector<double>();
  samples::set_sample_seed(0);
  CHECK(other != samples::values({4}, 1).to_vector<double>());
  const Output wrong = run({.pattern = "planted_fault", .seed = 5, .seeds = 2});
  CHECK(wrong.code == 1);
  CHECK(wrong.text.find(" (--seed 5)\n") != std::string::npos);
  CHECK(wrong.text.ends_with(" 2 of them failed\n"));
  CHECK_THROWS_WITH_AS(cli::run_gradcheck({.pattern = "softmax", .kind = "model"}),
                       "[gradcheck] no model has `softmax` in its name", ConfigError);
}
