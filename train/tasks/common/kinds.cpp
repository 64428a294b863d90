#include "train/tasks/common/kinds.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "core/error.h"
#include "train/config/article.h"
#include "train/config/config_sources.h"
#include "train/loop/run_folder.h"

namespace weft::train {

const Kind& find_kind(const std::string& name, const std::string& where) {
  std::vector<std::string> names;
  for (const Kind* kind : kinds()) {
    if (kind->name() == name) return *kind;
    names.push_back(kind->name());
  }
  const std::string near = nearest(name, names);
  fail<ConfigError>(where, "there is no kind of run {}{}; kinds: {}",
                    name.empty() ? "without a name" : name,
                    near.empty() ? "" : ", did you mean " + near + "?", fmt::join(names, ", "));
}

const Kind& kind_of_json(const std::string& text, const std::string& where) {
  return find_kind(task_of_json(text, where), where);
}

std::string kinds_for(const std::vector<Use>& uses) {
  std::vector<std::string> names;
  for (const Kind* kind : kinds())
    if (std::any_of(uses.begin(), uses.end(), [&](Use use) { return kind->can(use); }))
      names.push_back(kind->name());
  if (names.empty()) return "";
  const std::string last = names.back();
  names.pop_back();
  return names.empty() ? last : fmt::format("{} or {}", fmt::join(names, ", "), last);
}

Summary resume_run(const RunOptions& options, const std::string& expected_kind,
                   std::int64_t threads) {
  std::string json;
  std::string where;
  {
    const RunFolder folder = RunFolder::open(options.out);
    where = folder.config().string();
    json = folder.read_config();
  }
  const Kind& kind = kind_of_json(json, where);
  if (kind.name() != expected_kind)
    fail<ConfigError>(where, "is the configuration of {} run; use `weft train {} --resume`",
                      with_article(kind.name()), kind.name());
  const std::unique_ptr<RunConfig> config = config_from_json(kind, json, where);
  if (threads > 0) config->threads = threads;
  return train_run(kind, *config, options);
}

}  // namespace weft::train
