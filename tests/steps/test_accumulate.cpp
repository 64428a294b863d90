// Accumulating batches is the same as a larger batch: for every kind of run.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include "autograd/autograd.h"
#include "core/io/safetensors.h"
#include "core/random.h"
#include "data/synthetic/scenes.h"
#include "tests/train/tiny_runs.h"
#include "train/tasks/bert/bert_task.h"
#include "train/tasks/common/kinds.h"

using namespace weft;
using namespace weft::train;
using test::TempFolder;

namespace {

using Choices = std::vector<std::pair<std::string, std::string>>;

std::unique_ptr<RunConfig> make(const Kind& kind, const Choices& choices) {
  auto config = kind.make();
  for (const bool entries : {true, false})  // what else there is to choose depends on these
    for (const auto& [name, value] : choices)
      if (const Field* const field = kind.find_field(*config, name);
          field != nullptr && field->names_entry == entries)
        set_from_text(*config, *field, value, "test");
  kind.check(*config);
  return config;
}

/// Small, without what is drawn by the batch, and a step that shows the gradient.
const Choices kSmall = {{"layers", "1"},
                        {"heads", "1"},
                        {"width", "8"},
                        {"dropout", "0"},
                        {"optimizer", "sgd"},
                        {"momentum", "0"},
                        {"lr", "1"},
                        {"clip", "0"},
                        {"weight_decay", "0"},
                        {"warmup", "0"},
                        {"schedule", "constant"},
                        {"steps", "1"},
                        {"epochs", "1"},
                        {"context", "12"},
                        {"until", ""},
                        {"held_out", "10"},
                        {"symbols", "8"},
                        {"length", "16"},
                        {"pairs", "2"},
                        {"eval_scenes", "2"},
                        {"vocabulary", "60"},
                        {"min_count", "1"},
                        {"hidden", "8"},
                        {"unit_hidden", "4"},
                        {"label_smoothing", "0"}};

/// Of a kind: its own choices, and batches of which two make one.
struct Case {
  Choices choices;
  std::int64_t small = 0, large = 0;
};

std::string lines_of_words() {
  std::string text;
  for (int i = 0; i < 40; ++i)
    text += "some words of line " + std::to_string(i * 7 % 11) + " and more of them.\n";
  return text;
}

/// Eight training pairs, of very different lengths.
std::string pairs_of_texts() {
  std::string text;
  for (int i = 0; i < 10; ++i) {
    std::string source(1, static_cast<char>('a' + i));
    text += source + "\t" + std::string(i % 2 == 0 ? 1 : 9, static_cast<char>('k' + i)) + "\n";
  }
  return text;
}

/// Seven training texts.
std::string labeled_texts() {
  std::string text;
  for (int i = 0; i < 6; ++i) text += "tea\tcome for tea at " + std::to_string(i) + "\n";
  for (int i = 0; i < 5; ++i)
    text += "win\twin a prize number " + std::to_string(i) + " today and call\n";
  return text;
}

/// By kind. Kinds whose batches of another size are others (they are drawn by number) are not here.
std::map<std::string, Case> cases(const TempFolder& folder) {
  write_file((folder / "text.txt").string(), lines_of_words());
  write_file((folder / "pairs.tsv").string(), pairs_of_texts());
  write_file((folder / "labels.tsv").string(), labeled_texts());
  std::string rows = "age,city,income\n";
  for (int i = 0; i < 12; ++i)
    rows += std::to_string(20 + i * 5 % 12) + (i % 2 == 0 ? ",Hull," : ",York,") +
            (i % 3 == 0 ? "high\n" : "low\n");
  write_file((folder / "rows.csv").string(), rows);
  test::write_tiny_images(folder / "images");
  return {
      {"text", {{{"data", (folder / "text.txt").string()}}, 4, 8}},
      {"vision",
       {{{"data", (folder / "images").string()},
         {"model", "mlp"},
         {"validation", "10"},
         {"steps", "0"}},  // the whole epoch
        12,
        24}},
      {"sequence", {{}, 4, 8}},
      {"translate", {{{"data", (folder / "pairs.tsv").string()}}, 4, 8}},
      {"tokens", {{{"train", "16"}, {"validation", "4"}, {"test", "4"}}, 4, 8}},
      {"table",
       {{{"data", (folder / "rows.csv").string()},
         {"train", "8"},
         {"validation", "2"},
         {"test", "2"},
         {"min_count", "1"}},
        4,
        8}},
      {"classify", {{{"data", (folder / "labels.tsv").string()}}, 4, 7}},
      {"recommend",
       {{{"model", "din"},
         {"gate", "relu"},
         {"steps", "0"},
         {"penalty", "0.5"},
         {"users", "12"},
         {"items", "20"},
         {"topics", "6"},
         {"events", "12"},
         {"history", "6"}},
        4,
        8}},
  };
}

/// Why the batches of a kind are not those of a larger one.
const std::map<std::string, std::string> kDrawnByNumber = {
    {"bert", "what is hidden is drawn by the number of the batch: held to a larger one below"},
    {"embedding", "pairs are drawn by the number of the batch, always as many"},
    {"detect",
     "losses are sums over what is drawn within a batch, each by its own count; weighed by images, "
     "as evaluations weigh them"},
};

std::map<std::string, std::vector<double>> weights_of(const std::filesystem::path& run) {
  std::map<std::string, std::vector<double>> weights;
  for (const auto& [name, tensor] : read_safetensors(run / "last.safetensors").tensors)
    if (!name.starts_with("optimizer.")) weights[name] = tensor.to_vector<double>();
  return weights;
}

using Weights = std::map<std::string, std::vector<double>>;

double difference(const Weights& a, const Weights& b) {
  REQUIRE(a.size() == b.size());
  double most = 0;
  for (const auto& [name, values] : a) {
    const auto& others = b.at(name);
    REQUIRE(values.size() == others.size());
    for (std::size_t i = 0; i < values.size(); ++i)
      most = std::max(most, std::abs(values[i] - others[i]));
  }
  return most;
}

Weights trained(const Kind& kind, Choices choices, const std::filesystem::path& out,
                std::int64_t batch, std::int64_t accumulate, std::int64_t format = kConfigFormat) {
  choices.insert(choices.begin(), kSmall.begin(), kSmall.end());
  choices.emplace_back("batch", std::to_string(batch));
  choices.emplace_back("accumulate", std::to_string(accumulate));
  const auto config = make(kind, choices);
  config->format = format;
  train_run(kind, *config, {.out = out, .estimate = false});
  return weights_of(out);
}

}  // namespace

TEST_CASE("two batches accumulated are one of twice the size, for every kind of run") {
  const TempFolder folder;
  const auto all = cases(folder);
  for (const Kind* kind : kinds()) {
    CAPTURE(kind->name());
    if (kDrawnByNumber.contains(kind->name())) continue;
    REQUIRE_MESSAGE(all.contains(kind->name()), "a kind of run without a case");
    const Case& one = all.at(kind->name());
    const Weights large =
        trained(*kind, one.choices, folder / (kind->name() + "-large"), one.large, 1);
    const Weights small =
        trained(*kind, one.choices, folder / (kind->name() + "-small"), one.small, 2);
    const Weights half =
        trained(*kind, one.choices, folder / (kind->name() + "-half"), one.small, 1);
    CHECK(difference(large, small) < 2e-6);
    CHECK(difference(large, half) > 1e-4);  // so that it is no test of nothing
  }
}

TEST_CASE("a run of an earlier format goes on to weigh batches alike") {
  const TempFolder folder;
  const auto all = cases(folder);
  for (const char* name : {"translate", "vision", "classify", "recommend"}) {
    CAPTURE(name);
    const Kind& kind = find_kind(name, "test");
    const Case& one = all.at(name);
    const Weights now =
        trained(kind, one.choices, folder / (std::string(name) + "-now"), one.small, 2);
    const Weights before =
        trained(kind, one.choices, folder / (std::string(name) + "-before"), one.small, 2, 2);
    CHECK(difference(now, before) > 1e-5);
  }
}

TEST_CASE("hidden words weigh alike in whichever batch they are") {
  const TempFolder folder;
  write_file((folder / "labels.tsv").string(), labeled_texts());
  const Kind& kind = find_kind("bert", "test");
  // Texts of like length come together, so that batches hide different numbers of words.
  const Choices choices = {
      {"data", (folder / "labels.tsv").string()}, {"mask_share", "0.2"}, {"init_std", "0.3"}};
  Choices with = kSmall;
  with.insert(with.end(), choices.begin(), choices.end());
  with.emplace_back("batch", "4");
  with.emplace_back("accumulate", "2");
  const auto config = make(kind, with);
  const auto& own = static_cast<const BertRunConfig&>(*config);

  random::seed(static_cast<std::uint64_t>(config->seed));
  const EncoderData data = load_encoder_data(own);
  nn::Bert model(bert_config(own, data.tokenizer->vocab_size(), 0, true));
  data::EpochOrder order(data::lengths_of(data.sequences[0]), own.batch,
                         static_cast<std::uint64_t>(own.seed));
  std::vector<std::vector<std::int64_t>> hidden(2);
  std::vector<std::int64_t> inputs, targets;
  std::int64_t rows = 0;
  for (std::int64_t k = 0; k < 2; ++k) {
    const Tensor ids = data::pad(data.sequences[0], order.batch(k));
    const data::MaskedBatch batch =
        mask_batch(own, *data.tokenizer, ids, static_cast<std::uint64_t>(own.seed), k);
    for (std::int64_t r = 0; r < ids.size(0); ++r, ++rows) {
      for (std::int64_t t = 0; t < own.context; ++t) {
        const bool there = t < ids.size(1);
        inputs.push_back(there ? batch.inputs.data<std::int64_t>()[r * ids.size(1) + t]
                               : data::kPadId);
        targets.push_back(there ? batch.targets.data<std::int64_t>()[r * ids.size(1) + t]
                                : data::kIgnoreIndex);
        if (targets.back() != data::kIgnoreIndex)
          hidden[static_cast<std::size_t>(k)].push_back(targets.back());
      }
    }
  }
  REQUIRE(hidden[0].size() != hidden[1].size());
  const data::MaskedBatch both{Tensor::from(inputs, {rows, own.context}),
                               Tensor::from(targets, {rows, own.context})};
  masked_loss(model, both).backward();
  Weights wanted;
  for (const auto& [name, tensor] : model.named_parameters()) {
    wanted[name] = tensor.to_vector<double>();
    if (!tensor.grad().defined()) continue;
    const std::vector<double> gradient = tensor.grad().to_vector<double>();
    for (std::size_t i = 0; i < gradient.size(); ++i) wanted[name][i] -= gradient[i];  // lr is 1
  }
  CHECK(difference(wanted, trained(kind, choices, folder / "run", 4, 2)) < 2e-6);
  CHECK(difference(wanted, trained(kind, choices, folder / "before", 4, 2, 2)) > 1e-5);
}

TEST_CASE("every kind counts the targets of its batches") {
  const TempFolder folder;
  auto all = cases(folder);
  all["bert"] = {{{"data", (folder / "labels.tsv").string()}}, 4, 8};
  all["embedding"] = {{{"data", (folder / "text.txt").string()}}, 4, 8};
  all["detect"] = {{{"data", (folder / "images").string()}, {"model", "faster_rcnn"}}, 2, 4};
  for (const Kind* kind : kinds()) {
    CAPTURE(kind->name());
    REQUIRE(all.contains(kind->name()));
    Choices choices = all.at(kind->name()).choices;
    choices.insert(choices.begin(), kSmall.begin(), kSmall.end());
    choices.emplace_back("batch", std::to_string(all.at(kind->name()).small));
    const Prepared run = kind->prepare(make(*kind, choices));
    run.task->start(0);
    BatchRecord seen;
    run.task->next_loss(seen);
    CHECK(seen.items > 0);
    CHECK(seen.counted > 0);
    CHECK(std::isfinite(run.task->chance_loss()) ==
          (kind->name() != "detect"));  // whose losses have no such level
  }
}
