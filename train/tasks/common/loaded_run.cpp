#include "train/tasks/common/loaded_run.h"

#include <fmt/format.h>

#include <cmath>

#include "core/error.h"
#include "train/config/article.h"
#include "train/loop/clock_text.h"
#include "train/loop/figures.h"
#include "train/tasks/common/kinds.h"

namespace weft::train {

std::string LoadedRun::describe() const {
  const Progress& progress = run_.facts.progress;
  std::string text = fmt::format("{} run, step {}, {}\n", run_.kind->name(), progress.step,
                                 clock_text(progress.seconds));
  if (std::isfinite(progress.last.loss))
    text += fmt::format("validation loss {:.4f} at step {}\n", progress.last.loss,
                        progress.evaluated_step);
  for (const auto& [name, value] : progress.last.figures)
    text += fmt::format("validation {}\n", figure_text(name, value));
  return text + run_.config_json + "\n" + layers().table();
}

Measured LoadedRun::evaluate(const EvalRequest& request,
                             const std::function<bool(double)>& proceed) const {
  return evaluate_run(run_, request, proceed);
}

void want_use(const RunFacts& run, Use use) {
  if (run.kind->can(use)) return;
  fail<ConfigError>(run.checkpoint.string(),
                    "belongs to {} run; this command expects {} run; for {} run there are: {}",
                    with_article(run.kind->name()), with_article(kinds_for({use})),
                    with_article(run.kind->name()), run.kind->commands());
}

}  // namespace weft::train
