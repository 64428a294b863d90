// The kind of run called table: its choices, its rules, and how it begins.
#include <fmt/format.h>

#include <algorithm>

#include "autograd/ops/loss.h"
#include "autograd/ops/shape_ops.h"
#include "core/error.h"
#include "train/tasks/common/kind.h"
#include "train/tasks/common/run_facts.h"
#include "train/tasks/table/table_run.h"

namespace weft::train {
namespace {

struct TableSizes : DataFacts {
  TableFacts facts;
};

Fields table_fields() {
  using C = TableConfig;
  const auto own_validation = [](const C& c) {
    return c.validation_file.empty() ? "" : "validation_file " + c.validation_file;
  };
  const auto own_test = [](const C& c) {
    return c.test_file.empty() ? "" : "test_file " + c.test_file;
  };
  const auto number = [](const C& c) {
    return c.predict == "number" ? std::string("predict number") : std::string();
  };
  Fields all = {
      {"data", "Data", &C::data,
       "adult (census incomes), wine, or a file of rows: fields separated by commas, semicolons or "
       "tabs, the columns named in its first line"},
      {"target", "Data", &C::target, "the column to predict (default: the last one)"},
      {"drop", "Data", &C::drop,
       "columns that are not learned from: names, separated by commas, such as an id"},
      {"categorical", "Data", &C::categorical,
       "columns whose numbers are names, such as a postal code; columns with other texts are so by "
       "themselves"},
      {"predict",
       "Data",
       &C::predict,
       "a class or a number; auto: a class where the target holds names, or at most two values",
       0,
       0,
       {"auto", "class", "number"}},
      {"header",
       "Data",
       &C::header,
       "whether the first line names the columns; auto: if none of its fields is a number or empty",
       0,
       0,
       {"auto", "present", "absent"}},
      Field{"validation_file", "Data", &C::validation_file,
            "a file whose rows validate (default: rows of the data)"},
      Field{"test_file", "Data", &C::test_file,
            "a file whose rows are tested on (default: rows of the data)"},
      Field{"positive", "Data", &C::positive,
            "the class that F1 measures (default: the rarer of two)"}
          .idle_where<C>(number),
      {"standardize", "Data", &C::standardize,
       "shift and scale numbers to mean 0 and standard deviation 1 over the training rows"},
      {"skip_bad", "Data", &C::skip_bad,
       "leave out rows with too few or too many fields or without a target, and columns without a "
       "value, and say how many"},
      {"min_count", "Data", &C::min_count,
       "training rows that make a value a category of its own; rarer ones are one unknown value", 1,
       kMany},
      {"most_categories", "Data", &C::most_categories,
       "of a column; rarer values are one unknown value", 1, 100000},
      {"train", "Data", &C::train, "training rows (0: all that are left)", 0, kMany},
      Field{"validation", "Data", &C::validation, "rows to validate on (0: a tenth)", 0, kMany}
          .idle_where<C>(own_validation),
      Field{"test", "Data", &C::test, "rows to test on (0: a fifth)", 0, kMany}.idle_where<C>(
          own_test),
      model_field(table_models()),
      {"steps", "Optimization", &C::steps, "optimizer steps", 1, kMany},
  };
  for (const Field& field : optimizer_fields())
    all.push_back(field.name == "label_smoothing" ? field.idle_where<C>(number) : field);
  append(all, run_fields());
  return all;
}

/// The class that F1 is of: as chosen, or the rarer of two.
std::int64_t positive_class(const TableConfig& c, const data::TableData& data) {
  const auto& classes = data.schema.target.classes;
  if (!c.positive.empty()) {
    const auto found = std::find(classes.begin(), classes.end(), c.positive);
    if (found == classes.end() || classes.size() != 2)
      fail<ConfigError>("config", "{}: positive is {}; {}", data.source, c.positive,
                        classes.empty() ? "the target is a number and has no classes"
                        : classes.size() > 2
                            ? "with more than two classes there is macro-F1, the mean over all"
                            : fmt::format("the classes are {} and {}", classes[0], classes[1]));
    return found - classes.begin();
  }
  if (classes.size() != 2) return 0;
  const auto labels = data.rows(data::Split::train).targets.to_vector<std::int64_t>();
  const auto second = std::count(labels.begin(), labels.end(), std::int64_t{1});
  return 2 * second <= std::ssize(labels) ? 1 : 0;
}

class TableKind : public UsedAs<TableRun, KindBySteps<TableConfig>> {
 public:
  std::string name() const override { return "table"; }
  std::string about() const override {
    return "train a model of a table: one column from the others, a class or a number";
  }
  std::string example() const override {
    return "weft train table --data adult.csv --target income --out runs/adult\n  weft predict "
           "runs/adult new.csv --out predictions.csv";
  }

  const Fields& own_fields() const override {
    static const Fields table = table_fields();
    return table;
  }

  void check(const RunConfig& config) const override {
    const TableConfig& c = own(config);
    check_common(c);
    check_warmup(c, c.steps);
    check_target(c, figures(), name());
    data::names_in_list(c.drop, "drop");
    data::names_in_list(c.categorical, "categorical");
  }

  std::vector<std::string> figures() const override {
    return {"accuracy", "auc", "f1", "macro_f1", "ece", "mse", "rmse", "mae", "r2"};
  }

  Prepared prepare(std::unique_ptr<RunConfig> config, const Known& known) const override {
    TableConfig& c = own(*config);
    for (std::string* file : {&c.data, &c.validation_file, &c.test_file})
      if (!file->empty()) *file = absolute_data_path(*file);
    data::TableData data;
    std::int64_t positive = 0;
    if (known.whole) {
      const TableKnown before = TableKnown::from_json(known.data, "checkpoint");
      data = data::load_whole_table(table_files(c), before.schema);
      positive = before.positive;
      c.batch = 1;
    } else {
      data = data::load_table(table_files(c));
      positive = positive_class(c, data);
      if (data.schema.target.classes.size() == 2 && c.positive.empty()) {
        c.positive = data.schema.target.classes[static_cast<std::size_t>(positive)];
        c.derived.emplace_back("positive");
      }
      const auto measured = table_figures(data.schema.target);
      const std::string until = parse_target(c.until).figure;
      if (!until.empty() && until != "loss" &&
          std::find(measured.begin(), measured.end(), until) == measured.end())
        fail<ConfigError>("config", "until names {}, which is not measured of the target {}: {}",
                          until, data.schema.target.name, fmt::join(measured, ", "));
    }
    const std::int64_t rows = data.rows(data::Split::train).size();
    if (c.batch > rows)
      fail<ConfigError>("config", "batch is larger than the data: batch {}, {} training rows",
                        c.batch, rows);
    TableSizes sizes;
    sizes.facts = TableFacts::of(data.schema);
    check_fits(c, sizes);
    settle(c);
    Prepared run;
    run.steps = c.steps;
    run.has_test = !known.whole;
    run.notes = data.notes;
    run.task = std::make_unique<TableTask>(c, std::move(data), positive);
    run.config = std::move(config);
    return run;
  }

  std::unique_ptr<DataFacts> inspect_data(const RunConfig& config) const override {
    auto sizes = std::make_unique<TableSizes>();
    sizes->facts = TableFacts::of(data::load_table(table_files(own(config))).schema);
    return sizes;
  }
  Sketch sketch(const RunConfig& config, const DataFacts& data) const override {
    const TableFacts& facts = static_cast<const TableSizes&>(data).facts;
    const std::shared_ptr<nn::Model> model = build_model(own(config), facts);
    return {.model = model,
            .loss =
                [model, outputs = facts.outputs](std::int64_t batch) {
                  const Tensor out = (*model)(model->example_input(batch));
                  return outputs > 1
                             ? cross_entropy(out, sketched_ids({batch}))
                             : bce_with_logits(reshape(out, {batch}), Tensor::empty({batch}));
                },
            .is_exact = true};
  }
};

}  // namespace

TableConfig::TableConfig() : RunConfig(table_models()) {
  batch = 128;
  lr = 1e-3;
  weight_decay = 1e-2;
}

data::TableFiles table_files(const TableConfig& c) {
  const data::HeaderRule header = c.header == "present"  ? data::HeaderRule::yes
                                  : c.header == "absent" ? data::HeaderRule::no
                                                         : data::HeaderRule::automatic;
  return {.train = c.data,
          .validation = c.validation_file,
          .test = c.test_file,
          .validation_rows = c.validation,
          .test_rows = c.test,
          .train_rows = c.train,
          .records = {.header = header, .skip_bad = c.skip_bad},
          .schema = {.target = c.target,
                     .drop = data::names_in_list(c.drop, "drop"),
                     .categorical = data::names_in_list(c.categorical, "categorical"),
                     .task = c.predict == "class"    ? "classification"
                             : c.predict == "number" ? "regression"
                                                     : "auto",
                     .standardize = c.standardize,
                     .min_count = c.min_count,
                     .most_categories = c.most_categories,
                     .skip_bad = c.skip_bad}};
}

const Kind& kind_of(const TableConfig&) {
  static const TableKind kind;
  return kind;
}

}  // namespace weft::train
