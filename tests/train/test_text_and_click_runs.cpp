// Runs of the kinds bert, classify, embedding and recommend, tiny: trained, resumed, used,
// explained, refused.
#include <doctest/doctest.h>

#include <cmath>

#include "core/error.h"
#include "core/io/safetensors.h"
#include "nn/describe.h"
#include "tests/core/error_text.h"
#include "tests/train/tiny_runs.h"
#include "train/explain/embedding_map.h"
#include "train/explain/history_weights.h"
#include "train/metrics/ranking.h"
#include "train/tasks/bert/fill_in.h"
#include "train/tasks/classify/classify_run.h"
#include "train/tasks/classify/classify_task.h"
#include "train/tasks/common/kinds.h"
#include "train/tasks/common/pretrained_encoder.h"
#include "train/tasks/common/run_facts.h"
#include "train/tasks/embedding/embedding_run.h"
#include "train/tasks/recommend/recommend_run.h"

namespace weft::test {
namespace {

using namespace train;

/// Two classes that a word tells apart.
fs::path write_labeled(const TempFolder& folder) {
  const fs::path file = folder / "labels.tsv";
  std::string text;
  for (int i = 0; i < 120; ++i)
    text += i % 3 == 0 ? fmt::format("spam\twin {} prizes now call {}\n", i, i * 7 % 100)
                       : fmt::format("ham\tsee you {} at home in {} minutes\n", i, i * 7 % 50);
  write_file(file.string(), text);
  return file;
}

template <class C>
C tiny_encoder(const TempFolder& folder) {
  C c;
  c.data = write_labeled(folder).string();
  test::set(c, {{"layers", "1"}, {"heads", "2"}, {"width", "16"}});
  c.context = 16;
  c.vocabulary = 80;
  c.batch = 8;
  c.steps = 30;
  c.lr = 1e-2;
  test::set(c, {{"dropout", "0"}, {"init_std", "0.1"}});
  c.eval_every = 10;
  return c;
}

/// Every number of a run's checkpoint: weights and optimizer.
std::vector<std::vector<double>> numbers_of(const fs::path& run) {
  std::vector<std::vector<double>> numbers;
  for (const auto& [name, tensor] : read_safetensors(run / "last.safetensors").tensors)
    numbers.push_back(tensor.to_vector<double>());
  return numbers;
}

/// Stops a run after `steps`, goes on, and gives its folder.
template <class C>
fs::path interrupted(const C& config, const fs::path& out, int steps) {
  int asked = 0;
  CHECK(train_run(config, {.out = out, .stop = [&] { return ++asked > steps; }}).interrupted);
  CHECK_FALSE(resume_run({.out = out, .resume = true}, kind_of(config).name(), 0).interrupted);
  return out;
}

}  // namespace

TEST_CASE("bert: pretrained, resumed to the same bits, fills in words; classify begins with it") {
  const TempFolder folder;
  const auto config = tiny_encoder<BertRunConfig>(folder);
  const Summary summary = train_run(config, {.out = folder / "bert"});
  CHECK(summary.validation.loss < std::log(80.0));
  CHECK(summary.validation.figure("accuracy") > 0);
  CHECK(numbers_of(interrupted(config, folder / "again", 14)) == numbers_of(folder / "bert"));
  CHECK(read_run(folder / "again").facts.progress.batch_hash ==
        read_run(folder / "bert").facts.progress.batch_hash);
  CHECK(read_run(folder / "again").facts.progress.last.loss ==
        read_run(folder / "bert").facts.progress.last.loss);

  const PretrainedEncoder run = load_pretrained_encoder(read_run(folder / "bert"));
  const auto answers = fill_in(run, "see you [MASK] at ___", 3);
  REQUIRE(answers.size() == 2);
  REQUIRE(answers[0].size() == 3);
  CHECK(answers[0][0].probability >= answers[0][1].probability);
  CHECK(error_text<ConfigError>([&] { fill_in(run, "see you", 3); }) ==
        "[predict] there is nothing to fill in: write [MASK] or ___ where a word is missing");
  CHECK(error_text<ConfigError>([&] {
          fill_in(run, "[MASK] a b c d e f g h i j k l m n o p q r s t", 3);
        }).find("make it shorter") != std::string::npos);

  auto fine = tiny_encoder<ClassifyConfig>(folder);
  fine.from = (folder / "bert").string();
  fine.steps = 100;
  const Summary tuned = train_run(fine, {.out = folder / "tuned"});
  CHECK(tuned.test.figure("f1") > 0.9);
  CHECK(std::isfinite(tuned.test.loss));
  const ClassifyRun classifier(read_run(folder / "tuned"));
  CHECK(classifier.probabilities("win 7 prizes now call 9")[1] > 0.5);
  CHECK(classifier.probabilities("see you at home")[1] < 0.5);
  CHECK(error_text<ConfigError>([&] {
          load_pretrained_encoder(read_run(folder / "tuned"));
        }).find("is the configuration of a classify run") != std::string::npos);
  CHECK(error_text<ConfigError>([&] { classifier.probabilities(" \n"); }) ==
        "[predict] a text without a word has no class: give it one");
  test::set(fine, {{"width", "32"}});
  CHECK(error_text<ConfigError>([&] { train_run(fine, {.out = folder / "wide"}); }) ==
        "[config] width is 32 here but 16 in the run it begins with: leave it out");

  const ClassifyData data = load_classify_data(fine, run.tokenizer);
  test::set(fine, {{"width", "16"}});
  ClassifyTask task(fine, data, run.model.get());
  const auto ours = task.model().state_dict(), theirs = run.model->state_dict();
  for (const auto& [name, tensor] : ours)
    for (const auto& [other, value] : theirs)
      if (name == other && name.starts_with("bert."))
        CHECK(tensor.to_vector<double>() == value.to_vector<double>());
}

TEST_CASE("classify: a bag of words, and a BERT that fills in words first") {
  const TempFolder folder;
  auto config = tiny_encoder<ClassifyConfig>(folder);
  config.model = "bow";
  config.tokenizer = "words";
  config.lr = 0.05;
  CHECK(train_run(config, {.out = folder / "bow"}).test.figure("f1") == 1);
  CHECK(ClassifyRun(read_run(folder / "bow")).probabilities("win prizes")[1] > 0.5);

  auto both = tiny_encoder<ClassifyConfig>(folder);
  both.pretrain = 20;
  both.steps = 120;
  CHECK(train_run(both, {.out = folder / "both"}).test.figure("f1") > 0.9);
  const auto half =
      interrupted(both, folder / "half", 15);  // stopped in the middle of the pretraining
  CHECK(read_run(half).facts.progress.last.loss ==
        read_run(folder / "both").facts.progress.last.loss);
  both.pretrain = 120;
  CHECK(error_text<ConfigError>([&] { kind_of(both).check(both); }) ==
        "[config] pretrain must leave steps to learn the classes in: pretrain 120, steps 120");
  both.pretrain = 0;
  both.positive = "egg";
  CHECK(error_text<ConfigError>([&] { train_run(both, {.out = folder / "egg"}); }) ==
        fmt::format("[data] \"egg\" is not a label of {}: its labels are ham, spam", both.data));
  CHECK_FALSE(fs::exists(folder / "egg"));
}

TEST_CASE("embedding: planted synonyms are neighbors, and the page shows them") {
  const TempFolder folder;
  EmbeddingConfig config;
  config.data = "synonyms";
  test::set(config, {{"width", "32"}});
  config.lr = 1e-2;
  config.steps = 600;
  const Summary summary = train_run(config, {.out = folder / "words"});
  CHECK(summary.validation.figure("synonyms") >= 0.95);
  const EmbeddingRun run(read_run(folder / "words"));
  const explain::EmbeddingMap map =
      explain::explain_embedding(run, {.tokens = {"w7a"}, .count = 3});
  REQUIRE(map.neighbors.size() == 1);
  REQUIRE(map.neighbors[0].nearest.size() == 3);
  CHECK(explain::to_html(map).find(">w7a</text>") != std::string::npos);
  CHECK(explain::to_json(map).find("\"w7a\"") != std::string::npos);
  CHECK(error_text<ConfigError>([&] {
          explain::explain_embedding(run, {.tokens = {"w7z"}});
        }).find("[explain] synonyms has no vector for \"w7z\"; did you mean w7") == 0);
  config.tokenizer = "chars";
  config.steps = 20;
  CHECK(std::isfinite(train_run(config, {.out = folder / "chars"}).validation.loss));
}

TEST_CASE("principal axes: of points on a tilted line") {
  const Tensor points = Tensor::from<double>({0, 0, 3, 4, 6, 8, 9, 12}, {4, 2});
  std::vector<double> shares;
  const Tensor axes = explain::principal_axes(points, 2, &shares);
  CHECK(axes.at({0, 0}) == doctest::Approx(0.6));
  CHECK(axes.at({0, 1}) == doctest::Approx(0.8));
  CHECK(shares[0] == doctest::Approx(1));
  CHECK(shares[1] < 1e-9);
}

TEST_CASE("recommend: FLOPs by formula are those of the calls that are made") {
  RecommendConfig config;
  config.users = config.items = 20;
  config.topics = 5;
  config.events = 30;
  const Kind& kind = kind_of(config);
  const auto facts = kind.inspect_data(config);
  for (const std::string model : {"fm", "deepfm", "sum", "din", "bst", "autoint"}) {
    CAPTURE(model);
    config.model = model;
    nn::Recommender recommender(
        recommender_config(config, {.items = 21, .categories = 6, .users = 21}));
    CHECK(kind.forward_flops(config, *facts) == nn::describe(recommender).flops);
  }
}

TEST_CASE("recommend: every model learns, resumes to the same bits, and DIN's weights are shown") {
  const TempFolder folder;
  RecommendConfig config;
  config.users = 200;
  config.items = 60;
  config.topics = 6;
  config.interests = 2;
  config.history = 12;
  config.events = 30;
  config.epochs = 10;
  config.lr = 1e-2;
  for (const char* model : {"fm", "deepfm", "sum", "din", "bst", "autoint"}) {
    config.model = model;
    config.penalty = std::string(model) == "din" ? 1e-3 : 0;
    if (std::string(model) == "fm") test::set(config, {{"user_id", "yes"}});
    const Summary summary = train_run(config, {.out = folder / model});
    CHECK_MESSAGE(summary.test.figure("auc") > 0.55,
                  model);  // the transformer has learned least by then
    CHECK_MESSAGE(summary.test.figure("gauc") > 0.55, model);
  }
  config.model = "din";
  config.penalty = 1e-3;
  test::set(config, {{"user_id", "false"}});
  CHECK(read_run(interrupted(config, folder / "half", 50)).facts.progress.last.loss ==
        read_run(folder / "din").facts.progress.last.loss);

  const explain::HistoryWeights weights =
      explain::explain_history(RecommendRun(read_run(folder / "din")), {0, 1});
  REQUIRE(weights.examples.size() == 2);
  CHECK(weights.same_topic > weights.other_topic);
  CHECK(explain::to_html(weights).find("class=\"bar") != std::string::npos);
  CHECK(error_text<ConfigError>([&] {
          explain::explain_history(RecommendRun(read_run(folder / "sum")), {0});
        }).find("only din weighs the history") != std::string::npos);
  config.data = (folder / "none").string();
  CHECK(error_text<IoError>([&] {
          train_run(config, {.out = folder / "x"});
        }).find("is not a folder with MovieLens' ratings.csv or u.data") != std::string::npos);
}

TEST_CASE("AUC, grouped AUC and F1 against counting by hand") {
  CHECK(auc({1, 2, 3, 4}, {false, false, true, true}) == 1);
  CHECK(auc({4, 3, 2, 1}, {false, false, true, true}) == 0);
  CHECK(auc({1, 1, 1}, {true, false, false}) == 0.5);
  CHECK(auc({0.1, 0.4, 0.35, 0.8}, {false, false, true, true}) == 0.75);
  CHECK(std::isnan(auc({1, 2}, {true, true})));
  CHECK(std::isnan(auc({NAN, 2}, {true, false})));
  for (std::size_t bad = 0; bad < 40; ++bad) {  // enough for sorting to lose its way
    std::vector<double> some(40);
    std::vector<bool> is(40);
    for (std::size_t i = 0; i < some.size(); ++i)
      some[i] = static_cast<double>(i * 7 % 40), is[i] = i % 3 == 0;
    some[bad] = NAN;
    CHECK(std::isnan(auc(some, is)));
    CHECK(std::isnan(grouped_auc(some, is, std::vector<std::int64_t>(40, 1))));
  }
  // No group is left out because of a score that is not a number.
  CHECK(std::isnan(grouped_auc({1, 2, NAN, 4}, {false, true, false, true}, {1, 1, 2, 2})));
  // Every pair compared.
  std::vector<double> scores;
  std::vector<bool> positive;
  for (int i = 0; i < 40; ++i) scores.push_back(i * 7 % 11), positive.push_back(i * 5 % 3 == 0);
  double wins = 0, pairs = 0;
  for (std::size_t a = 0; a < 40; ++a)
    for (std::size_t b = 0; b < 40; ++b)
      if (positive[a] && !positive[b])
        wins += scores[a] > scores[b] ? 1 : scores[a] == scores[b] ? 0.5 : 0, ++pairs;
  CHECK(auc(scores, positive) == doctest::Approx(wins / pairs));
  CHECK(grouped_auc({1, 2, 2, 1, 5, 9}, {false, true, false, true, true, true},
                    {1, 1, 2, 2, 3, 3}) == 0.5);
  CHECK(std::isnan(grouped_auc({1, 2}, {true, false}, {1, 2})));
  CHECK(f1_score({1, 1, 0, 0, 1}, {1, 0, 1, 0, 1}, 1) == doctest::Approx(2.0 / 3));
  CHECK(f1_score({0, 0}, {0, 0}, 1) == 0);
}

}  // namespace weft::test
