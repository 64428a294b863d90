// Ctrl-C saves, says how to go on, and the run that goes on is the undisturbed one.
#include <doctest/doctest.h>

#include <csignal>

#include "core/io/safetensors.h"
#include "tests/cli/run_program.h"

using namespace weft;
using test::operator+;
using test::Outcome;
using test::Running;
using test::TempFolder;
using test::tiny_train;
using test::weft_with;

namespace {

using Words = std::vector<std::string>;

void check_interrupt(int signal, int code) {
  const TempFolder folder;
  const std::string cut = (folder / "cut").string();
  const std::string whole = (folder / "whole").string();
  // Many steps, so that the signal comes amid them; the cosine runs over all of them.
  const Words more{"--steps", "3000", "--eval-every", "1000", "--dropout", "0.1"};
  Running running(Words{test::program()} + tiny_train(folder, cut) + more, folder);
  REQUIRE(test::wait_for(folder / "cut" / "metrics.jsonl", "\"step\":20,"));
  // Every line that is there can be read while the run goes on.
  CHECK(test::read_metrics(folder / "cut").size() >= 20);
  running.signal(signal);
  const Outcome stopped = running.wait();
  CAPTURE(stopped.err);
  if (stopped.code == 0) {
    MESSAGE("the run ended before the signal came");
    return;
  }
  CHECK(stopped.code == code);
  CHECK(stopped.err.find("weft train text --resume --out " + cut) != std::string::npos);
  CHECK_FALSE(std::filesystem::exists(cut + "/summary.json"));
  CHECK(std::filesystem::exists(cut + "/last.safetensors"));

  REQUIRE(weft_with(folder, {"train", "text", "--resume", "--out", cut}).code == 0);
  REQUIRE(weft_with(folder, tiny_train(folder, whole) + more).code == 0);
  const auto a = read_safetensors(cut + "/last.safetensors");
  const auto b = read_safetensors(whole + "/last.safetensors");
  REQUIRE(a.tensors.size() == b.tensors.size());
  for (std::size_t i = 0; i < a.tensors.size(); ++i)
    CHECK(a.tensors[i].second.to_vector<float>() == b.tensors[i].second.to_vector<float>());
  CHECK(test::read_metrics(cut).size() == 3000);
}

}  // namespace

TEST_CASE("SIGINT saves and exits with 130") { check_interrupt(SIGINT, 130); }

TEST_CASE("SIGTERM saves and exits with 143") { check_interrupt(SIGTERM, 143); }
