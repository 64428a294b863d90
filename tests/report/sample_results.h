// A results.json as `weft compare` writes it, with figures made up but judged as real ones are.
#pragma once

#include <cmath>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "train/compare/verdict.h"

namespace weft::test {

using Json = nlohmann::ordered_json;

/// Equal numbers on every machine.
class Noise {
 public:
  double uniform() {
    state_ = state_ * 6364136223846793005ULL + 1442695040888963407ULL;
    return static_cast<double>(state_ >> 11) / 9007199254740992.0;
  }
  double around_zero() { return uniform() + uniform() + uniform() - 1.5; }  // deviation 0.5

 private:
  std::uint64_t state_ = 20261122;
};

inline Json both(const std::string& en, const std::string& zh) { return {{"en", en}, {"zh", zh}}; }
inline Json ends(const compare::Interval& interval) {
  return {interval.low, interval.high};
}  // infinite: null

struct SampleArm {
  const char* name;
  const char* en;
  const char* zh;
  std::vector<double> accuracy;  ///< on each task
  double parameters;
};

struct SampleTask {
  const char* name;
  const char* en;
  const char* zh;
};

inline const std::vector<SampleTask>& sample_tasks() {
  static const std::vector<SampleTask> tasks{
      {"additive", "a weighted sum of all values", "所有数值的加权和"},
      {"within", "product of two dimensions of one token", "同一词元内两个不同维度之积"},
      {"same", "product of the same dimension of two tokens", "两个词元同一维度之积"},
      {"different", "product of different dimensions of two tokens: the thread's case",
       "两个词元不同维度之积，即帖中所问"},
      {"parity", "product of three values", "三个数值之积"},
      {"random", "labels at random", "随机标签"}};
  return tasks;
}

inline const std::vector<SampleArm>& sample_arms() {
  static const std::vector<SampleArm> arms{
      {"logistic", "logistic regression", "逻辑回归", {0.985, 0.502, 0.498, 0.501, 0.5, 0.5}, 65},
      {"fm",
       "factorization machine, rank 8",
       "因子分解机，秩 8",
       {0.984, 0.979, 0.976, 0.974, 0.503, 0.5},
       577},
      {"mlp",
       "two hidden layers",
       "两层隐藏层的感知机",
       {0.99, 0.985, 0.981, 0.98, 0.962, 0.501},
       12737},
      {"cnn",
       "1-D convolution over tokens",
       "沿词元的一维卷积",
       {0.986, 0.983, 0.9, 0.88, 0.72, 0.499},
       9217},
      {"diagonal",
       "attention alone, diagonal W_Q, W_K, W_V",
       "仅注意力，W_Q、W_K、W_V 为对角阵",
       {0.971, 0.551, 0.958, 0.517, 0.507, 0.5},
       97},
      {"full",
       "attention alone, full W_Q, W_K, W_V",
       "仅注意力，W_Q、W_K、W_V 为满阵",
       {0.978, 0.742, 0.968, 0.931, 0.561, 0.502},
       833},
      {"full-4",
       "the same with four heads",
       "同上，四个头",
       {0.979, 0.781, 0.971, 0.944, 0.583, 0.498},
       833},
      {"diagonal-ffn",
       "diagonal attention and an FFN",
       "对角注意力加前馈层",
       {0.984, 0.972, 0.965, 0.931, 0.81, 0.5},
       4321},
      {"transformer",
       "the whole: two blocks",
       "完整的变换器，两个块",
       {0.988, 0.986, 0.982, 0.981, 0.941, 0.501},
       25601},
      {"linear",
       "linear attention, no softmax",
       "线性注意力，无 softmax",
       {0.983, 0.951, 0.972, 0.968, 0.883, 0.499},
       25601},
      {"xcit",
       "cross-covariance attention over channels",
       "通道间的互协方差注意力",
       {0.981, 0.966, 0.942, 0.955, 0.874, 0.5},
       25611},
      {"features",
       "features as tokens (FT-Transformer)",
       "特征作为词元（FT-Transformer）",
       {0.987, 0.984, 0.98, 0.979, 0.953, 0.502},
       26177}};
  return arms;
}

struct SampleContrast {
  const char* task;
  const char* a;
  const char* b;
  const char* en;
  const char* zh;
  const char* expected;
};

struct SampleOptions {
  std::int64_t seeds = 8;
  std::size_t tasks = 6;
  std::size_t arms = 12;
};

inline std::string sample_command(const std::string& task, const std::string& arm,
                                  std::int64_t seed) {
  return "weft train tokens --task " + task + " --model " + arm +
         " --steps 600 --lr 0.003 --seed " + std::to_string(seed) +
         " --out runs/cross-dimension/runs/" + task + "/" + arm + "/" + std::to_string(seed);
}

inline Json sample_cell(const std::string& task, const SampleArm& arm, double accuracy,
                        const SampleOptions& options, Noise& noise) {
  std::vector<double> values;
  for (std::int64_t k = 0; k < options.seeds; ++k) {
    const double spread =
        accuracy < 0.52 ? 0.009 : 0.16 * (accuracy - 0.5) * (1.01 - accuracy) + 0.003;
    values.push_back(std::round(4000 * std::min(1.0, accuracy + spread * 2 * noise.around_zero())) /
                     4000);
  }
  const compare::Estimate estimate = compare::estimate(values);
  Json runs = Json::array();
  for (std::int64_t k = 0; k < options.seeds; ++k) {
    runs.push_back({{"seed", k + 1},
                    {"status", "done"},
                    {"value", values[static_cast<std::size_t>(k)]},
                    {"seconds", 0.4 + arm.parameters / 9000 + 0.1 * noise.uniform()},
                    {"peak_mib", 14 + std::round(arm.parameters / 1500)},
                    {"error", ""},
                    {"folder", "runs/" + task + "/" + arm.name + "/" + std::to_string(k + 1)},
                    {"command", sample_command(task, arm.name, k + 1)}});
  }
  Json steps = Json::array(), mean = Json::array(), low = Json::array(), high = Json::array();
  for (int step = 50; step <= 600; step += 50) {
    const double grown =
        0.5 + (estimate.mean - 0.5) / (1 + std::exp((180 + arm.parameters / 400 - step) / 60.0));
    const double band = 0.006 + 0.12 * (grown - 0.5) * std::max(0.0, 1 - grown);
    steps.push_back(step);
    mean.push_back(grown);
    low.push_back(grown - band);
    high.push_back(std::min(1.0, grown + band));
  }
  return {{"task", task},
          {"arm", arm.name},
          {"equal", true},
          {"values", values},
          {"failed", 0},
          {"mean", estimate.mean},
          {"deviation", estimate.deviation},
          {"interval", ends(estimate.interval)},
          {"parameters", arm.parameters},
          {"forward_flops", 38 * arm.parameters},
          {"training_flops", 38 * arm.parameters * 3 * 64 * 600},
          {"seconds", 0.45 + arm.parameters / 9000},
          {"peak_mib", 14 + std::round(arm.parameters / 1500)},
          {"steps", 600},
          {"width", 32},
          {"lr", 0.003},
          {"tried",
           {{{"factor", 0.5}, {"lr", 0.0015}, {"value", accuracy - 0.01}},
            {{"factor", 1}, {"lr", 0.003}, {"value", accuracy}},
            {{"factor", 2}, {"lr", 0.006}, {"value", accuracy - 0.02}}}},
          {"runs", runs},
          {"curve",
           {{"figure", "val_accuracy"},
            {"steps", steps},
            {"mean", mean},
            {"low", low},
            {"high", high}}}};
}

inline const Json& cell_of(const Json& results, const std::string& task, const std::string& arm) {
  for (const Json& cell : results["cells"]) {
    if (cell["task"] == task && cell["arm"] == arm) return cell;
  }
  throw std::runtime_error("no such cell");
}

inline void add_contrasts(Json& results) {
  static const std::vector<SampleContrast> declared{
      {"different", "full", "diagonal", "Do full W_Q, W_K, W_V relate different dimensions?",
       "满的 W_Q、W_K、W_V 能关联不同维度吗？", "better"},
      {"same", "full", "diagonal", "Is mixing needed for the same dimension?",
       "同一维度也需要混合吗？", "equivalent"},
      {"within", "full", "diagonal", "Within a token, does attention alone relate dimensions?",
       "在词元内部，仅靠注意力能关联维度吗？", "better"},
      {"within", "diagonal-ffn", "diagonal", "Is it the FFN that mixes?",
       "起混合作用的是前馈层吗？", "better"},
      {"different", "linear", "transformer", "Is the softmax needed?", "需要 softmax 吗？",
       "worse"},
      {"additive", "transformer", "mlp",
       "Is a transformer as good as an MLP where nothing is crossed?",
       "无需交叉时，变换器与感知机一样好吗？", "worse"}};
  std::vector<compare::Comparison> pairs;
  for (const SampleContrast& one : declared) {
    pairs.push_back({.a = cell_of(results, one.task, one.a)["values"],
                     .b = cell_of(results, one.task, one.b)["values"],
                     .lower_is_better = false,
                     .margin = 0.02});
  }
  const auto findings = compare::judge(pairs);
  for (std::size_t i = 0; i < declared.size(); ++i) {
    const auto& [task, a, b, en, zh, expected] = declared[i];
    const compare::Finding& finding = findings[i];
    static const char* const reasons[] = {
        "different",        "within_margin",      "too_few_seeds",  "failed_runs",
        "interval_of_zero", "interval_of_margin", "not_significant"};
    results["contrasts"].push_back(
        {{"task", task},
         {"a", a},
         {"b", b},
         {"question", both(en, zh)},
         {"expected", expected},
         {"expectation",
          both("Vaswani et al. 2017: the projections mix all dimensions before the dot product",
               "Vaswani 等 2017：点积之前，投影已混合所有维度")},
         {"differences", compare::paired_differences(pairs[i].a, pairs[i].b)},
         {"difference", finding.difference.mean},
         {"interval", ends(finding.difference.interval)},
         {"deviation", finding.difference.deviation},
         {"p", finding.p},
         {"p_adjusted", finding.p_adjusted},
         {"p_equivalence_adjusted", finding.p_equivalence_adjusted},
         {"detectable", finding.detectable},
         {"verdict", std::string(compare::name(finding.verdict))},
         {"reason", reasons[static_cast<std::size_t>(finding.reason)]},
         {"seeds", finding.difference.seeds},
         {"failed", finding.failed}});
  }
}

inline Json sample_results(const SampleOptions& options = {}) {
  Noise noise;
  const auto runs =
      static_cast<double>(options.tasks * options.arms) * static_cast<double>(options.seeds);
  Json results{{"weft", "0.1.0"},
               {"suite", "cross-dimension"},
               {"question", both("Does a transformer lack the ability to relate different "
                                 "dimensions, and what gives it that ability?",
                                 "变换器缺乏关联不同维度的能力吗？是什么赋予它这种能力？")},
               {"kind", "tokens"},
               {"quick", false},
               {"seeds", Json::array()},
               {"alpha", 0.05},
               {"machine", {{"cpu", "AMD EPYC 7B13"}, {"cores", 2}, {"simd", "AVX2"}}},
               {"started", "2026-11-22T15:00:00Z"},
               {"seconds", 812.3},
               {"jobs", 2},
               {"complete", true},
               {"runs_done", runs},
               {"runs_failed", 0},
               {"runs_wanted", runs},
               {"budget",
                {{"equal", "steps"},
                 {"amount", 600},
                 {"reference", ""},
                 {"tolerance", 0.02},
                 {"lr_factors", {0.5, 1, 2}},
                 {"tuning_seed", 0}}},
               {"tasks", Json::array()},
               {"arms", Json::array()},
               {"cells", Json::array()},
               {"contrasts", Json::array()},
               {"exploratory", Json::array()},
               {"controls", Json::array()}};
  for (std::int64_t k = 1; k <= options.seeds; ++k) results["seeds"].push_back(k);
  for (std::size_t t = 0; t < options.tasks; ++t) {
    const SampleTask& task = sample_tasks()[t % 6];
    Json pairing = Json::array();
    for (std::int64_t k = 1; k <= options.seeds; ++k)
      pairing.push_back({{"seed", k},
                         {"hash", "9f3c" + std::to_string(100000000000 + 7919 * k +
                                                          31 * static_cast<std::int64_t>(t))},
                         {"runs", options.arms},
                         {"equal", true}});
    results["tasks"].push_back({{"name", task.name},
                                {"about", both(task.en, task.zh)},
                                {"metric", "test_accuracy"},
                                {"lower_is_better", false},
                                {"margin", 0.02},
                                {"chance", 0.5},
                                {"ceiling", 1},
                                {"pairing", pairing}});
  }
  for (std::size_t i = 0; i < options.arms; ++i) {
    SampleArm arm = sample_arms()[i % 12];
    const std::string name = arm.name + (i < 12 ? std::string() : "-" + std::to_string(i));
    arm.name = name.c_str();
    results["arms"].push_back({{"name", name},
                               {"about", both(arm.en, arm.zh)},
                               {"unequal", false},
                               {"choices", {{"model", arm.name}, {"layers", 2}}}});
    for (std::size_t t = 0; t < options.tasks; ++t)
      results["cells"].push_back(
          sample_cell(results["tasks"][t]["name"], arm, arm.accuracy[t % 6], options, noise));
  }
  if (options.tasks == 6 && options.arms >= 12) add_contrasts(results);
  for (std::size_t i = 0; i + 1 < std::min<std::size_t>(options.arms, 12); ++i) {
    const std::string task = results["tasks"][0]["name"], a = results["arms"][i]["name"],
                      b = results["arms"][i + 1]["name"];
    const auto estimate = compare::explore({.a = cell_of(results, task, a)["values"],
                                            .b = cell_of(results, task, b)["values"],
                                            .lower_is_better = false,
                                            .margin = 0});
    results["exploratory"].push_back({{"task", task},
                                      {"a", a},
                                      {"b", b},
                                      {"difference", estimate.mean},
                                      {"interval", ends(estimate.interval)},
                                      {"seeds", estimate.seeds}});
  }
  for (std::size_t t = 1; t < std::min<std::size_t>(options.tasks, 5); ++t) {
    const Json& cell = cell_of(results, results["tasks"][t]["name"], "logistic");
    results["controls"].push_back({{"task", cell["task"]},
                                   {"arm", "logistic"},
                                   {"expect", "chance"},
                                   {"limit", 0.5},
                                   {"within", 0.02},
                                   {"mean", cell["mean"]},
                                   {"holds", std::abs(cell["mean"].get<double>() - 0.5) <= 0.02}});
  }
  return results;
}

/// The same as it stands while the suite runs: the last task not begun, one arm half done, one run
/// failed.
inline Json unfinished_results() {
  Json results = sample_results();
  results["complete"] = false;
  results["runs_failed"] = 1;
  results["runs_done"] = 470;
  Json cells = Json::array();
  for (Json cell : results["cells"]) {
    if (cell["task"] == "random") continue;
    if (cell["task"] == "parity" && cell["arm"] == "features") {
      for (std::size_t k = 4; k < 8; ++k) {
        cell["values"][k] = nullptr;
        cell["runs"][k]["status"] = "missing";
        cell["runs"][k]["value"] = nullptr;
      }
    }
    if (cell["task"] == "different" && cell["arm"] == "diagonal") {
      cell["failed"] = 1;
      cell["values"][2] = nullptr;
      cell["runs"][2]["status"] = "failed";
      cell["runs"][2]["value"] = nullptr;
      cell["runs"][2]["error"] =
          "[train] the loss is not finite at step 212; a lower --lr mends it";
    }
    cells.push_back(cell);
  }
  results["cells"] = cells;
  Json& first = results["contrasts"][0];
  first["verdict"] = "undecided";
  first["reason"] = "failed_runs";
  first["failed"] = 1;
  first["seeds"] = 7;
  first["differences"][2] = nullptr;
  results["arms"][3]["unequal"] = true;
  results["controls"][0]["holds"] = false;
  results["controls"][0]["mean"] = 0.61;
  return results;
}

}  // namespace weft::test
