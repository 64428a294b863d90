// A suite's TOML file, part by part. Whatever is wrong is said with its line.
#include <fmt/format.h>

#include <toml++/toml.h>
#include <algorithm>
#include <cmath>
#include <limits>

#include "core/error.h"
#include "train/compare/expression.h"
#include "train/compare/suite.h"
#include "train/tasks/common/kinds.h"

namespace weft::compare {
namespace {

using Names = std::vector<std::string>;

constexpr std::size_t kMaxNameLength = 64;  // names become names of folders
constexpr std::size_t kMaxListLength = 1000;
constexpr double kMostSeed = 9e15;
constexpr double kMostTuningSeeds = 100;
constexpr double kSecondsTolerance = 0.05;  // of what two runs of the same steps may differ by

/// One table of the file. Keys that its maker does not name are refused at once, so that a slip is
/// never taken for a default.
class Part {
 public:
  Part(const toml::table& table, std::string file, std::string what, const Names& known)
      : table_(table), file_(std::move(file)), what_(std::move(what)) {
    for (const auto& [key, node] : table_) {
      const std::string name(key.str());
      if (std::find(known.begin(), known.end(), name) != known.end()) continue;
      const std::string near = train::nearest(name, known);
      fail<ConfigError>(line(key.source()), "unknown key {} in {}; {}", name, what_,
                        near.empty() ? fmt::format("it has {}", fmt::join(known, ", "))
                                     : "did you mean " + near + "?");
    }
  }

  std::string where() const { return line(table_.source()); }
  std::string where(const std::string& key) const {
    for (const auto& [name, node] : table_) {
      if (name.str() == key) return line(name.source());
    }
    return where();
  }
  bool has(const std::string& key) const { return table_.contains(key); }

  std::string text(const std::string& key) const {
    const auto* value = wanted(key).as_string();
    if (value == nullptr || value->get().empty())
      fail<ConfigError>(where(key), "{} must be a text in quotes", key);
    return value->get();
  }
  std::string text(const std::string& key, const std::string& otherwise) const {
    return has(key) ? text(key) : otherwise;
  }

  /// Letters, digits, dot, dash and underscore.
  std::string name(const std::string& key) const {
    const std::string value = text(key);
    const auto allowed = [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
             c == '.' || c == '-' || c == '_';
    };
    if (!std::all_of(value.begin(), value.end(), allowed) || value.front() == '.' ||
        value.front() == '-' || value.size() > kMaxNameLength)
      fail<ConfigError>(where(key),
                        "{} must be 1 to {} letters, digits, dots, dashes or underscores, "
                        "beginning with none of .-, got {}",
                        key, kMaxNameLength, value);
    return value;
  }

  std::string one_of(const std::string& key, const Names& choices) const {
    const std::string value = text(key);
    if (std::find(choices.begin(), choices.end(), value) != choices.end()) return value;
    const std::string near = train::nearest(value, choices);
    fail<ConfigError>(where(key), "{} must be one of {}, got {}{}", key, fmt::join(choices, ", "),
                      value, near.empty() ? "" : "; did you mean " + near + "?");
  }

  Phrase phrase(const std::string& key) const {
    const toml::node& node = wanted(key);
    if (const auto* both = node.as_table()) {
      const Part languages(*both, file_, key, {"en", "zh"});
      const std::string english = languages.text("en");
      return {english, languages.text("zh", english)};
    }
    const std::string english = text(key);
    return {english, english};
  }
  Phrase phrase_or_none(const std::string& key) const { return has(key) ? phrase(key) : Phrase(); }

  double number(const std::string& key, double low, double high) const {
    return number(wanted(key), key, low, high);
  }
  double number(const std::string& key, double low, double high, double otherwise) const {
    return has(key) ? number(key, low, high) : otherwise;
  }
  std::optional<double> number_if_any(const std::string& key, double low, double high) const {
    return has(key) ? std::optional(number(key, low, high)) : std::nullopt;
  }
  std::vector<double> numbers(const std::string& key, double low, double high) const {
    std::vector<double> values;
    for (const toml::node& node : list(key)) values.push_back(number(node, key, low, high));
    return values;
  }

  std::int64_t whole(const std::string& key, double low, double high,
                     std::int64_t otherwise) const {
    if (!has(key)) return otherwise;
    const double value = number(key, low, high);
    if (value != std::floor(value))
      fail<ConfigError>(where(key), "{} must be a whole number, got {}", key, value);
    return static_cast<std::int64_t>(value);
  }
  std::vector<std::int64_t> whole_numbers(const std::string& key, double low, double high) const {
    std::vector<std::int64_t> all;
    for (const double value : numbers(key, low, high)) {
      if (value != std::floor(value))
        fail<ConfigError>(where(key), "{} must be whole numbers, got {}", key, value);
      all.push_back(static_cast<std::int64_t>(value));
    }
    return all;
  }

  bool truth(const std::string& key) const {
    if (!has(key)) return false;
    const auto* value = wanted(key).as_boolean();
    if (value == nullptr) fail<ConfigError>(where(key), "{} must be true or false", key);
    return value->get();
  }

  /// Texts of a list; "all" stands for `all`.
  Names names(const std::string& key, const Names& all) const {
    const auto* word = wanted(key).as_string();
    if (word != nullptr && word->get() == "all") return all;
    if (word != nullptr)
      fail<ConfigError>(where(key), "{} must be a list of names, or \"all\"", key);
    Names values;
    for (const toml::node& node : list(key)) {
      const auto* value = node.as_string();
      if (value == nullptr)
        fail<ConfigError>(where(key), "{} must be a list of names, or \"all\"", key);
      if (std::find(values.begin(), values.end(), value->get()) != values.end())
        fail<ConfigError>(where(key), "{} names {} twice", key, value->get());
      values.push_back(value->get());
    }
    if (values.empty()) fail<ConfigError>(where(key), "{} is an empty list", key);
    return values;
  }

  /// seeds = 8, or a list of them.
  std::vector<std::int64_t> seeds(const std::string& key) const {
    std::vector<std::int64_t> values;
    const bool is_list = wanted(key).is_array();
    const double count = is_list ? 0 : number(key, 1, kMaxListLength);
    std::vector<double> given = is_list ? numbers(key, 0, kMostSeed) : std::vector<double>();
    for (double seed = 1; seed <= count; ++seed) given.push_back(seed);
    for (const double seed : given) {
      if (seed != std::floor(seed) || count != std::floor(count))
        fail<ConfigError>(where(key), "{} must be whole numbers", key);
      values.push_back(static_cast<std::int64_t>(seed));
    }
    return values;
  }

  /// Choices of a configuration.
  std::vector<train::Choice> choices(const std::string& key) const {
    if (!has(key)) return {};
    const auto* table = wanted(key).as_table();
    if (table == nullptr)
      fail<ConfigError>(where(key), "{} must be a table of choices: {} = {{ heads = 4 }}", key,
                        key);
    std::vector<train::Choice> all;
    for (const auto& [name, node] : *table) {
      const std::string place = line(name.source()),
                        choice = train::current_name(std::string(name.str()));
      if (const auto* yes = node.as_boolean())
        all.push_back({choice, yes->get(), place});
      else if (const auto* whole = node.as_integer())
        all.push_back({choice, whole->get(), place});
      else if (const auto* real = node.as_floating_point())
        all.push_back({choice, real->get(), place});
      else if (const auto* text = node.as_string())
        all.push_back({choice, text->get(), place});
      else
        fail<ConfigError>(place, "{} must be a number, a text, true or false", choice);
    }
    return all;
  }

  /// The tables of [[key]].
  std::vector<Part> parts(const std::string& key, const Names& known) const {
    std::vector<Part> all;
    if (!has(key)) return all;
    const auto* tables = table_.get(key)->as_array();
    if (tables == nullptr)
      fail<ConfigError>(where(key),
                        "write [[{}]], in two pairs of brackets: a suite may have several", key);
    for (const toml::node& node : *tables) {
      const auto* table = node.as_table();
      if (table == nullptr)
        fail<ConfigError>(where(key), "{} must be tables, each under [[{}]]", key, key);
      all.emplace_back(*table, file_, "[[" + key + "]]", known);
    }
    return all;
  }
  Part part(const std::string& key, const Names& known) const {
    const auto* table = wanted(key).as_table();
    if (table == nullptr) fail<ConfigError>(where(key), "{} must be a table, under [{}]", key, key);
    return {*table, file_, "[" + key + "]", known};
  }

 private:
  std::string line(const toml::source_region& region) const {
    return region.begin.line > 0 ? fmt::format("{}:{}", file_, region.begin.line) : file_;
  }

  const toml::node& wanted(const std::string& key) const {
    const toml::node* const node = table_.get(key);
    if (node == nullptr) fail<ConfigError>(where(), "{} has no {}", what_, key);
    return *node;
  }

  double number(const toml::node& node, const std::string& key, double low, double high) const {
    double value = std::numeric_limits<double>::quiet_NaN();
    if (const auto given = node.value<double>())
      value = *given;
    else
      fail<ConfigError>(where(key), "{} must be a number", key);
    if (!(value >= low && value <= high))
      fail<ConfigError>(where(key), "{} must be from {} to {}, got {}", key, low, high, value);
    return value;
  }

  const toml::array& list(const std::string& key) const {
    const auto* values = wanted(key).as_array();
    if (values == nullptr) fail<ConfigError>(where(key), "{} must be a list", key);
    if (values->size() > kMaxListLength)
      fail<ConfigError>(where(key), "{} has {} entries, at most {} are possible", key,
                        values->size(), kMaxListLength);
    return *values;
  }

  const toml::table& table_;
  std::string file_;
  std::string what_;
};

Metric read_metric(const Part& part) {
  const std::string name = part.name("name"), value = part.text("value");
  for (const Metric& measured : metrics())
    if (measured.name == name)
      fail<ConfigError>(part.where("name"), "{} is measured: choose another name", name);
  Expression(value, part.where("value"));  // throws where it cannot be read
  return {name, part.one_of("better", {"lower", "higher"}) == "lower", value, part.where()};
}

Task read_task(const Part& part, double margin, const std::vector<Metric>& own) {
  Task task{.name = part.name("name")};
  task.about = part.phrase_or_none("about");
  Names known;
  std::vector<Metric> all = metrics();
  all.insert(all.end(), own.begin(), own.end());
  for (const Metric& metric : all) known.push_back(metric.name);
  // What is chosen by one split is judged by another.
  if (const std::string given = part.text("metric"); given.starts_with("val_"))
    fail<ConfigError>(part.where("metric"),
                      "{} is of the validation split, by which learning rates are chosen: arms are "
                      "judged by test data; write test_{}",
                      given, given.substr(4));
  const std::string metric = part.one_of("metric", known);
  task.metric =
      *std::find_if(all.begin(), all.end(), [&](const Metric& m) { return m.name == metric; });
  task.margin = part.number("margin", 0, 1e9, margin);
  task.chance = part.number_if_any("chance", -1e9, 1e9);
  task.ceiling = part.number_if_any("ceiling", -1e9, 1e9);
  task.solved = part.number_if_any("solved", -1e9, 1e9);
  task.choices = part.choices("set");
  task.where = part.where();
  return task;
}

Arm read_arm(const Part& part, const Names& tasks) {
  return {.name = part.name("name"),
          .about = part.phrase_or_none("about"),
          .choices = part.choices("set"),
          .tasks = part.has("tasks") ? part.names("tasks", tasks) : tasks,
          .unequal = part.truth("unequal"),
          .placebo = part.truth("placebo"),
          .where = part.where()};
}

Budget read_budget(const Part& part) {
  Budget budget{.where = part.where()};
  if (part.truth("unequal")) {
    for (const char* key : {"equal", "amount", "reference", "tolerance"}) {
      if (part.has(key))
        fail<ConfigError>(part.where(key),
                          "{} and unequal = true contradict each other: remove one of the two",
                          key);
    }
    return budget;
  }
  if (!part.has("equal"))
    fail<ConfigError>(part.where(),
                      "a comparison says what is equal between its arms: equal = \"parameters\", "
                      "\"flops\", \"steps\" or \"seconds\"; if nothing is, unequal = true");
  const std::string equal = part.one_of("equal", {"parameters", "flops", "steps", "seconds"});
  for (const Equal kind : {Equal::parameters, Equal::flops, Equal::steps, Equal::seconds}) {
    if (name(kind) == equal) budget.equal = kind;
  }
  budget.amount = part.number_if_any("amount", 1, 1e21);
  budget.reference = part.text("reference", "");
  if (budget.equal == Equal::seconds) budget.tolerance = kSecondsTolerance;
  budget.tolerance = part.number("tolerance", 0, 0.1, budget.tolerance);
  if (part.has("tolerance") && budget.equal == Equal::steps)
    fail<ConfigError>(part.where("tolerance"),
                      "a tolerance is for equal parameters, FLOPs or seconds; steps are equal or "
                      "not");
  return budget;
}

Contrast read_contrast(const Part& part) {
  Contrast contrast{.task = part.text("task"),
                    .a = part.text("a"),
                    .b = part.text("b"),
                    .question = part.phrase("question"),
                    .where = part.where()};
  contrast.expectation = part.phrase_or_none("expectation");
  if (!part.has("expect")) return contrast;
  const std::string expected = part.one_of("expect", {"better", "worse", "equivalent"});
  for (const Verdict verdict : {Verdict::better, Verdict::worse, Verdict::equivalent}) {
    if (name(verdict) == expected) contrast.expected = verdict;
  }
  return contrast;
}

Control read_control(const Part& part, const Names& arms, const Names& tasks) {
  return {.arms = part.names("arms", arms),
          .tasks = part.names("tasks", tasks),
          .expect = part.one_of("expect", {"chance", "ceiling"}) == "chance" ? Expect::chance
                                                                             : Expect::ceiling,
          .within = part.number("within", 0, 1e9),
          .where = part.where()};
}

toml::table parse_suite_toml(const std::string& text, const std::string& file) {
  try {
    return toml::parse(text, file);
  } catch (const toml::parse_error& error) {
    fail<ConfigError>(fmt::format("{}:{}", file, error.source().begin.line), "is not TOML: {}",
                      error.description());
  }
}

}  // namespace

Suite parse_suite(const std::string& text, const std::string& file) {
  const toml::table table = parse_suite_toml(text, file);
  const Part root(
      table, file, "the suite",
      {"name", "question", "kind", "seeds", "looks", "budgets", "alpha", "margin", "lr_factors",
       "tuning_seeds", "budget", "base", "metric", "task", "arm", "contrast", "control", "quick"});
  Suite suite;
  suite.file = file;
  suite.text = text;
  suite.name = root.name("name");
  if (!root.has("question"))
    fail<ConfigError>(file, "the suite needs a question: the one sentence that it answers");
  suite.question = root.phrase("question");
  std::vector<std::string> kinds;
  for (const train::Kind* kind : train::kinds()) kinds.push_back(kind->name());
  suite.kind = root.one_of("kind", kinds);
  suite.seeds = root.seeds("seeds");
  suite.seeds_where = root.where("seeds");
  suite.alpha = root.number("alpha", 1e-6, 0.5, suite.alpha);
  if (root.has("lr_factors")) suite.lr_factors = root.numbers("lr_factors", 1e-6, 1e6);
  if (suite.lr_factors.empty())
    fail<ConfigError>(root.where("lr_factors"),
                      "lr_factors is an empty list; leave it out to train at the arms' own rates");
  for (std::size_t i = 0; i < suite.lr_factors.size(); ++i) {
    if (std::count(suite.lr_factors.begin(), suite.lr_factors.end(), suite.lr_factors[i]) > 1)
      fail<ConfigError>(root.where("lr_factors"), "lr_factors has {} twice", suite.lr_factors[i]);
  }
  suite.tuning_seeds = root.whole("tuning_seeds", 1, kMostTuningSeeds, suite.tuning_seeds);
  if (root.has("tuning_seeds") && suite.lr_factors.size() == 1)
    fail<ConfigError>(root.where("tuning_seeds"),
                      "tuning_seeds has no effect: lr_factors has one factor, and nothing is "
                      "searched; leave it out, or give lr_factors");
  if (root.has("looks")) {
    suite.looks = root.whole_numbers("looks", 1, kMaxListLength);
    suite.looks_where = root.where("looks");
  }
  if (!root.has("budget"))
    fail<ConfigError>(file, "the suite needs a [budget]: what is equal between its arms");
  suite.budget =
      read_budget(root.part("budget", {"equal", "amount", "reference", "tolerance", "unequal"}));

  suite.choices = root.choices("base");
  const auto preset =
      std::find_if(suite.choices.begin(), suite.choices.end(),
                   [](const train::Choice& choice) { return choice.name == "preset"; });
  if (preset != suite.choices.end()) {
    const auto* name = std::get_if<std::string>(&preset->value);
    if (name == nullptr) fail<ConfigError>(preset->where, "preset must be a text in quotes");
    suite.preset = *name;
    suite.choices.erase(preset);
  }

  Names tasks, arms;
  const double margin = root.number("margin", 0, 1e9, 0);
  for (const Part& part : root.parts("metric", {"name", "value", "better"}))
    suite.own_metrics.push_back(read_metric(part));
  for (const Part& part : root.parts(
           "task", {"name", "about", "metric", "margin", "chance", "ceiling", "solved", "set"})) {
    suite.tasks.push_back(read_task(part, margin, suite.own_metrics));
    tasks.push_back(suite.tasks.back().name);
  }
  for (const Part& part :
       root.parts("arm", {"name", "about", "set", "tasks", "unequal", "placebo"})) {
    suite.arms.push_back(read_arm(part, tasks));
    arms.push_back(suite.arms.back().name);
  }
  for (const Part& part :
       root.parts("contrast", {"task", "a", "b", "question", "expect", "expectation"}))
    suite.contrasts.push_back(read_contrast(part));
  for (const Part& part : root.parts("control", {"arms", "tasks", "expect", "within"}))
    suite.controls.push_back(read_control(part, arms, tasks));
  if (root.has("budgets")) {
    suite.budgets = root.numbers("budgets", 1, 1000);
    expand_budgets(suite, root.where("budgets"));
  }
  if (root.has("quick")) {
    const Part part = root.part("quick", {"seeds", "tasks", "arms", "set"});
    suite.quick = Quick{.seeds = part.has("seeds") ? part.seeds("seeds") : suite.seeds,
                        .tasks = part.has("tasks") ? part.names("tasks", tasks) : tasks,
                        .arms = part.has("arms") ? part.names("arms", arms) : arms,
                        .choices = part.choices("set"),
                        .where = part.where()};
  }
  check(suite);
  return suite;
}

}  // namespace weft::compare
