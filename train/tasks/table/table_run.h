// A table run that is used: it predicts its column of new rows.
#pragma once

#include <memory>
#include <string>

#include "train/tasks/common/loaded_run.h"
#include "train/tasks/common/row_uses.h"
#include "train/tasks/table/table_task.h"

namespace weft::train {

class TableRun final : public LoadedRun, public RowPredictor {
 public:
  /// Throws ConfigError for a run of another kind or a checkpoint that does not fit, IoError for a
  /// torn one.
  explicit TableRun(const RunFacts& run);

  nn::Description layers() const override { return nn::describe(*model_); }
  RowGuesses predict_rows(const std::string& file, bool skip_bad) const override;

 private:
  TableConfig config_;
  TableKnown known_;
  std::unique_ptr<nn::Model> model_;  ///< in evaluation mode
};

}  // namespace weft::train
