// Runs of the kind sequence, tiny ones.
#include <doctest/doctest.h>

#include <string>

#include "core/error.h"
#include "tests/train/tiny_runs.h"
#include "train/tasks/sequence/sequence_config.h"

using namespace weft;
using namespace weft::train;
using test::refusal;
using test::TempFolder;

namespace {

SequenceConfig tiny_sequence_config(const std::string& data) {
  SequenceConfig c;
  c.data = data;
  c.symbols = 4;
  c.length = data == "recall" ? 8 : 3;
  c.pairs = 2;
  c.modulus = 5;
  c.held_out = 50;
  test::set(c, {{"layers", "1"}, {"heads", "2"}, {"width", "16"}});
  c.batch = 16;
  c.steps = 6;
  c.eval_every = 3;
  return c;
}

}  // namespace

TEST_CASE("every rule is trained, validated and tested") {
  const TempFolder folder;
  for (const std::string data : {"recall", "induction", "copy", "reverse", "modular_addition"}) {
    CAPTURE(data);
    const Summary summary = train_run(tiny_sequence_config(data), {.out = folder / data});
    CHECK(summary.steps == 6);
    for (const Evaluation& evaluation : {summary.validation, summary.test}) {
      CHECK(evaluation.loss > 0);
      CHECK(evaluation.figure("accuracy") >= evaluation.figure("exact"));
      CHECK(evaluation.figure("accuracy") <= 1);
    }
  }
}

TEST_CASE("an encoder-decoder is trained on what has a source and a target") {
  const TempFolder folder;
  for (const std::string data : {"copy", "reverse", "modular_addition"}) {
    SequenceConfig c = tiny_sequence_config(data);
    c.model = "encoder_decoder";
    CHECK(train_run(c, {.out = folder / data}).test.loss > 0);
  }
  SequenceConfig c = tiny_sequence_config("recall");
  c.model = "encoder_decoder";
  CHECK(refusal(c) ==
        "[config] an encoder_decoder needs a source and a target, and rows of recall have none: "
        "use copy, reverse or modular_addition, or model gpt");
}

TEST_CASE("copying three symbols is soon learned") {
  const TempFolder folder;
  SequenceConfig c = tiny_sequence_config("copy");
  test::set(c, {{"layers", "2"}, {"width", "32"}});
  c.lr = 1e-2;
  c.batch = 32;
  c.steps = c.eval_every = 250;
  CHECK(train_run(c, {.out = folder / "copy"}).test.figure("exact") > 0.95);
}

TEST_CASE("arms see the same batches whatever their attention, and other seeds others") {
  const TempFolder folder;
  SequenceConfig c = tiny_sequence_config("recall");
  const auto hash = [&](const std::string& name) {
    return train_run(c, {.out = folder / name}).batch_hash;
  };
  const std::string softmax = hash("softmax");
  test::set(c, {{"attention", "lightning"}});
  CHECK(hash("lightning") == softmax);
  c.seed = 2;
  CHECK(hash("seed") != softmax);
}

TEST_CASE("rules that a configuration breaks") {
  SequenceConfig c = tiny_sequence_config("recall");
  c.pairs = 3;
  CHECK(refusal(c) == "[sequence] pairs must be 1 to 2, got 3");
  c = tiny_sequence_config("recall");
  c.length = 7;
  CHECK(refusal(c) ==
        "[sequence] 2 pairs and their queries, each with its answer's place, need a length of 8, "
        "got 7");
  c = tiny_sequence_config("copy");
  c.until = "val_auc=0.5";
  CHECK(refusal(c).find("auc") != std::string::npos);
}
