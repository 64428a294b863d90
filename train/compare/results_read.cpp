// results.json, as it is read.

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "train/compare/results.h"

namespace weft::compare {
namespace {

using Json = nlohmann::ordered_json;

constexpr double kNewestFormat = 1;
constexpr double kNoFigure = std::numeric_limits<double>::quiet_NaN();
constexpr double kUnbounded = std::numeric_limits<double>::infinity();
constexpr const char* kFile = "results.json";

/// A value of the file and the path to it, which every complaint names.
class ResultNode {
 public:
  ResultNode(const Json& json, std::string path) : json_(&json), path_(std::move(path)) {}

  bool has(const char* key) const { return json_->contains(key) && !(*json_)[key].is_null(); }

  ResultNode operator[](const char* key) const {
    const std::string path = place(key);
    if (!json_->contains(key)) fail<ConfigError>(kFile, "{} is missing", path);
    return {(*json_)[key], path};
  }

  /// The object itself, or the complaint that it is none.
  const ResultNode& object() const {
    if (!json_->is_object())
      fail<ConfigError>(kFile, "{} must be an object, got {}", path_.empty() ? "the whole" : path_,
                        json_->type_name());
    return *this;
  }

  std::vector<ResultNode> list() const {
    if (!json_->is_array())
      fail<ConfigError>(kFile, "{} must be a list, got {}", path_, json_->type_name());
    std::vector<ResultNode> nodes;
    for (std::size_t i = 0; i < json_->size(); ++i)
      nodes.emplace_back((*json_)[i], path_ + "[" + std::to_string(i) + "]");
    return nodes;
  }

  std::string text() const {
    if (!json_->is_string())
      fail<ConfigError>(kFile, "{} must be a text, got {}", path_, json_->type_name());
    return json_->get<std::string>();
  }

  /// null is what is not finite.
  double number() const {
    if (json_->is_null()) return kNoFigure;
    if (!json_->is_number())
      fail<ConfigError>(kFile, "{} must be a number or null, got {}", path_, json_->type_name());
    return json_->get<double>();
  }

  std::int64_t count() const {
    const double value = number();
    if (!(std::abs(value) < 9e15))
      fail<ConfigError>(kFile, "{} must be a count, got {}", path_, value);
    return static_cast<std::int64_t>(value);
  }

  bool flag() const {
    if (!json_->is_boolean())
      fail<ConfigError>(kFile, "{} must be true or false, got {}", path_, json_->type_name());
    return json_->get<bool>();
  }

  bool flag_or_unknown() const { return !json_->is_null() && flag(); }

  /// A text, or one in each language.
  Phrase phrase() const {
    if (json_->is_string()) return {text(), text()};
    const std::string en = object()["en"].text();
    return {en, has("zh") ? (*this)["zh"].text() : en};
  }

  std::vector<double> numbers() const {
    std::vector<double> values;
    for (const ResultNode& node : list()) values.push_back(node.number());
    return values;
  }

  // What may be left out.
  std::string text(const char* key) const { return has(key) ? (*this)[key].text() : std::string(); }
  double number(const char* key, double otherwise = kNoFigure) const {
    return has(key) ? (*this)[key].number() : otherwise;
  }
  std::int64_t count(const char* key) const { return has(key) ? (*this)[key].count() : 0; }
  std::vector<std::int64_t> counts(const char* key) const {
    std::vector<std::int64_t> values;
    for (const ResultNode& node : list(key)) values.push_back(node.count());
    return values;
  }
  bool flag(const char* key, bool otherwise = false) const {
    return has(key) ? (*this)[key].flag() : otherwise;
  }
  Phrase phrase(const char* key) const { return has(key) ? (*this)[key].phrase() : Phrase{}; }
  std::vector<double> numbers(const char* key) const {
    return has(key) ? (*this)[key].numbers() : std::vector<double>{};
  }
  std::vector<ResultNode> list(const char* key) const {
    return has(key) ? (*this)[key].list() : std::vector<ResultNode>{};
  }

  /// Low and high; `unknown` at both ends where the file has null for them or nothing at all.
  std::pair<double, double> interval(double unknown, const char* key = "interval") const {
    const std::vector<double> ends = numbers(key);
    if (ends.empty()) return {unknown, unknown};
    if (ends.size() != 2)
      fail<ConfigError>(kFile, "{} must hold two numbers, got {}", place(key), ends.size());
    return {std::isfinite(ends[0]) ? ends[0] : unknown, std::isfinite(ends[1]) ? ends[1] : unknown};
  }

  /// The number of one of `parts` that a name at `key` means.
  template <class Part>
  std::size_t index(const char* key, const std::vector<Part>& parts, const char* list_name) const {
    const std::string name = (*this)[key].text();
    const auto part =
        std::find_if(parts.begin(), parts.end(), [&](const Part& one) { return one.name == name; });
    if (part == parts.end())
      fail<ConfigError>(kFile, "{} is {}, which is not one of {}", place(key), name, list_name);
    return static_cast<std::size_t>(part - parts.begin());
  }

  template <class Choice, std::size_t n>
  Choice choice(const char* key, const Choice (&choices)[n]) const {
    const std::string word = (*this)[key].text();
    std::string known;
    for (const Choice value : choices) {
      if (word == name(value)) return value;
      known += (known.empty() ? "" : ", ") + std::string(name(value));
    }
    fail<ConfigError>(kFile, "{} is {}, which is not one of {}", place(key), word, known);
  }

  std::string place(const char* key) const { return path_.empty() ? key : path_ + "." + key; }

  /// As a configuration holds it.
  train::Value value() const {
    if (json_->is_boolean()) return json_->get<bool>();
    if (json_->is_number_integer()) return json_->get<std::int64_t>();
    if (json_->is_number()) return json_->get<double>();
    if (json_->is_string()) return json_->get<std::string>();
    fail<ConfigError>(kFile, "{} must be a text or a number", path_);
  }

  std::vector<std::pair<std::string, train::Value>> choices(const char* key) const {
    std::vector<std::pair<std::string, train::Value>> result;
    if (!has(key)) return result;
    const ResultNode node = (*this)[key].object();
    for (const auto& [name, value] : node.json_->items())
      result.emplace_back(name, ResultNode(value, node.path_ + "." + name).value());
    return result;
  }

 private:
  const Json* json_;
  std::string path_;
};

ResultTask read_task(const ResultNode& node) {
  ResultTask task{.name = node.object()["name"].text(),
                  .about = node.phrase("about"),
                  .metric = node["metric"].text(),
                  .lower_is_better = node.flag("lower_is_better"),
                  .margin = node.number("margin", 0),
                  .chance = node.number("chance"),
                  .ceiling = node.number("ceiling"),
                  .base = node.text("base"),
                  .multiple = node.number("multiple", 1),
                  .solved = node.number("solved"),
                  .test_rows = node.count("test_rows"),
                  .fresh_test = node.flag("fresh_test"),
                  .pairing = {}};
  for (const ResultNode& one : node.list("pairing")) {
    task.pairing.push_back({.seed = one.object().count("seed"),
                            .hash = one["hash"].text(),
                            .runs = one.count("runs"),
                            .steps = one.count("steps"),
                            .equal = one["equal"].flag()});
  }
  return task;
}

ResultCell read_cell(const ResultNode& node, const Results& results) {
  ResultCell cell{.task = node.object().index("task", results.tasks, "tasks"),
                  .arm = node.index("arm", results.arms, "arms")};
  cell.equal = node.flag("equal", true);
  cell.values = node["values"].numbers();
  if (cell.values.size() != results.seeds.size())
    fail<ConfigError>(kFile, "{} holds {} numbers for {} seeds", node.place("values"),
                      cell.values.size(), results.seeds.size());
  cell.failed = node.count("failed");
  cell.mean = node["mean"].number();
  cell.deviation = node.number("deviation");
  std::tie(cell.low, cell.high) = node.interval(kNoFigure);
  for (const auto& [key, figure] : {std::pair{"parameters", &cell.parameters},
                                    {"forward_flops", &cell.forward_flops},
                                    {"training_flops", &cell.training_flops},
                                    {"seconds", &cell.seconds},
                                    {"peak_mib", &cell.peak_mib},
                                    {"steps", &cell.steps},
                                    {"width", &cell.width},
                                    {"lr", &cell.lr}}) {
    *figure = node.number(key);
  }
  std::tie(cell.with_rows.low, cell.with_rows.high) =
      node.interval(kNoFigure, "interval_with_rows");
  cell.train_seconds = node.number("train_seconds");
  cell.grid_end = node.text("grid_end");
  for (const ResultNode& one : node.list("tried"))
    cell.tried.push_back({one.object().number("factor"), one.number("lr"), one.number("value")});
  for (const ResultNode& one : node.list("runs")) {
    cell.runs.push_back({.seed = one.object().count("seed"),
                         .status = one["status"].text(),
                         .value = one.number("value"),
                         .seconds = one.number("seconds"),
                         .train_seconds = one.number("train_seconds"),
                         .peak_mib = one.number("peak_mib"),
                         .error = one.text("error"),
                         .folder = one.text("folder"),
                         .command = one.text("command")});
  }
  if (node.has("curve")) {
    const ResultNode curve = node["curve"].object();
    cell.curve = {curve.text("figure"), curve.counts("steps"), curve.numbers("mean"),
                  curve.numbers("low"), curve.numbers("high")};
    for (const auto* values : {&cell.curve.mean, &cell.curve.low, &cell.curve.high}) {
      if (values->size() != cell.curve.steps.size())
        fail<ConfigError>(kFile, "{} has {} steps, and {} figures for them", node.place("curve"),
                          cell.curve.steps.size(), values->size());
    }
  }
  return cell;
}

ResultContrast read_contrast(const ResultNode& node, const Results& results) {
  ResultContrast contrast{.task = node.object().index("task", results.tasks, "tasks")};
  const std::size_t a = node.index("a", results.arms, "arms"),
                    b = node.index("b", results.arms, "arms");
  const ResultTask& task = results.tasks[contrast.task];
  contrast.question = node.phrase("question");
  contrast.expectation = node.phrase("expectation");
  contrast.differences = node.numbers("differences");
  contrast.statement = {.task = task.name,
                        .a = results.arms[a].name,
                        .b = results.arms[b].name,
                        .metric = task.metric,
                        .lower_is_better = task.lower_is_better,
                        .margin = task.margin,
                        .alpha = results.alpha,
                        .unequal = node.flag("unequal")};
  describe_arms(results, contrast);
  std::tie(contrast.statement.with_rows.low, contrast.statement.with_rows.high) =
      node.interval(kNoFigure, "interval_with_rows");
  if (node.has("expected")) contrast.statement.expected = node.choice("expected", kVerdicts);
  Finding& finding = contrast.statement.finding;
  const auto [low, high] = node.interval(kUnbounded);
  finding.difference = {.seeds = node.count("seeds"),
                        .mean = node["difference"].number(),
                        .deviation = node.number("deviation"),
                        .interval = {low == kUnbounded ? -low : low, high}};
  finding.failed = node.count("failed");
  finding.p = node.number("p", 1);
  finding.p_adjusted = node.number("p_adjusted", 1);
  finding.p_equivalence_adjusted = node.number("p_equivalence_adjusted", 1);
  finding.detectable = node.number("detectable", kUnbounded);
  finding.verdict = node.choice("verdict", kVerdicts);
  finding.reason = node.choice("reason", kReasons);
  return contrast;
}

Results read_all(const ResultNode& root) {
  if (root.number("format", kNewestFormat) > kNewestFormat)
    fail<ConfigError>(kFile, "was written by a newer weft (format {}): this one reads format {}",
                      root.number("format", kNewestFormat), kNewestFormat);
  Results results{.version = root.text("weft"),
                  .suite = root["suite"].text(),
                  .kind = root.text("kind"),
                  .started = root.text("started")};
  results.question = root.phrase("question");
  results.quick = root.flag("quick");
  results.complete = root.flag("complete", true);
  for (const double seed : root["seeds"].numbers())
    results.seeds.push_back(
        std::isfinite(seed) && std::abs(seed) < 9e15 ? static_cast<std::int64_t>(seed) : 0);
  results.alpha = root.number("alpha", 0.05);
  results.suite_hash = root.text("suite_hash");
  results.looks = root.counts("looks");
  results.looked = root.counts("looked");
  results.seconds = root.number("seconds");
  results.jobs = root.count("jobs");
  results.runs_done = root.count("runs_done");
  results.runs_failed = root.count("runs_failed");
  results.runs_wanted = root.count("runs_wanted");
  if (root.has("machine")) {
    const ResultNode machine = root["machine"].object();
    results.cpu = machine.text("cpu");
    results.cores = machine.count("cores");
    results.simd = machine.text("simd");
  }
  if (root.has("budget")) {
    const ResultNode budget = root["budget"].object();
    results.equal = budget.text("equal");
    results.reference = budget.text("reference");
    results.amount = budget.number("amount");
    results.tolerance = budget.number("tolerance");
    results.lr_factors = budget.numbers("lr_factors");
    results.tuning_seeds = budget.counts("tuning_seeds");
    if (results.tuning_seeds.empty()) results.tuning_seeds = {budget.count("tuning_seed")};
  }
  for (const ResultNode& node : root["tasks"].list()) results.tasks.push_back(read_task(node));
  for (const ResultNode& node : root["arms"].list()) {
    results.arms.push_back({.name = node.object()["name"].text(),
                            .about = node.phrase("about"),
                            .unequal = node.flag("unequal"),
                            .choices = node.choices("choices")});
  }
  if (constexpr std::size_t kMostCells = 1'000'000;
      results.tasks.size() * results.arms.size() > kMostCells)
    fail<ConfigError>(kFile, "holds {} tasks and {} arms: more than {} cells", results.tasks.size(),
                      results.arms.size(), kMostCells);
  for (const ResultNode& node : root["cells"].list())
    results.cells.push_back(read_cell(node, results));
  results.index_cells();
  for (const ResultNode& node : root["contrasts"].list())
    results.contrasts.push_back(read_contrast(node, results));
  compare_budgets(results);
  for (const ResultNode& node : root.list("exploratory")) {
    ExploratoryPair pair{.task = node.object().index("task", results.tasks, "tasks"),
                         .a = node["a"].text(),
                         .b = node["b"].text(),
                         .difference = node["difference"].number()};
    std::tie(pair.low, pair.high) = node.interval(kNoFigure);
    pair.seeds = node.count("seeds");
    results.exploratory.push_back(std::move(pair));
  }
  for (const ResultNode& node : root.list("controls")) {
    const ResultTask& task = results.tasks[node.object().index("task", results.tasks, "tasks")];
    results.controls.push_back({.task = task.name,
                                .arm = results.arms[node.index("arm", results.arms, "arms")].name,
                                .metric = task.metric,
                                .expect = node.choice("expect", kExpects),
                                .limit = node.number("limit"),
                                .within = node.number("within", 0),
                                .mean = node.number("mean"),
                                .holds = node["holds"].flag_or_unknown(),
                                .lacking = node.count("lacking"),
                                .runs = node.count("runs"),
                                .against = node.text("against")});
  }
  return results;
}

}  // namespace

Results read_results(const std::string& text) {
  try {
    const Json json = Json::parse(text);
    return read_all(ResultNode(json, "").object());
  } catch (const Json::parse_error& error) {
    fail<ConfigError>(kFile, "is not JSON from byte {} on", error.byte);
  } catch (const Json::exception&) {
    fail<ConfigError>(kFile, "a number is beyond what a double can hold");
  }
}

}  // namespace weft::compare
