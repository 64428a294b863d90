// The task of table runs: one column from the others.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "train/loop/trainer.h"
#include "train/tasks/table/table_model.h"

namespace weft::train {

/// What a checkpoint of a table run knows of its data: the schema, and the class that F1 is of.
struct TableKnown {
  data::TableSchema schema;
  std::int64_t positive = 1;

  std::string to_json() const;
  /// Throws ConfigError, `[where] ...`.
  static TableKnown from_json(const std::string& json, const std::string& where);
};

/// What a model says of a row: the number of a class, or a number in the target's own units.
struct RowAnswer {
  double guess = 0;
  std::vector<double> probabilities{};  ///< of each class; none of a number
};
/// Outputs (B, target.outputs()) as answers.
std::vector<RowAnswer> read_outputs(const Tensor& outputs, const data::TableTarget& target);
/// The figures that are measured of such a target, in the order in which they are shown.
std::vector<std::string> table_figures(const data::TableTarget& target);

class TableTask : public Task {
 public:
  /// Makes the model; its weights come from the stream `init` of this thread.
  TableTask(const TableConfig& config, data::TableData data, std::int64_t positive);

  nn::Module& model() override { return *model_; }
  std::string unit() const override { return "rows"; }
  void start(std::int64_t number) override { next_ = number; }
  /// Of two classes binary cross-entropy, of more cross-entropy, of a number the squared error of
  /// targets that were brought to mean 0 and deviation 1 over the training rows.
  Tensor next_loss(BatchRecord& seen) override;
  /// Of classes accuracy, ece (expected calibration error), and of two auc and f1, of more
  /// macro_f1. Of a number mse, rmse and mae in its own units, and r2.
  Evaluation evaluate(data::Split split, const std::function<bool(double)>& proceed) override;
  double chance_loss() const override;
  std::string data_json() const override;
  std::string fingerprint() const override;

 private:
  Tensor outputs(const data::TableRows& from, const std::vector<std::int64_t>& rows) const;
  Tensor loss(const Tensor& outputs, const Tensor& targets, bool training) const;

  TableConfig config_;
  data::TableData data_;
  std::int64_t positive_;
  std::unique_ptr<nn::Model> model_;
  std::int64_t next_ = 0;
  std::int64_t epoch_ = -1;  // whose order is at hand
  std::vector<std::int64_t> order_;
};

}  // namespace weft::train
