// A suite as a file, and what lies beside it.
#include "core/io/file.h"
#include "train/compare/suite.h"

namespace weft::compare {
namespace {

constexpr std::int64_t kMaxSuiteBytes = 1 << 20;

/// A data set or a run that is named by a relative path is looked for beside the suite first.
void find_beside(std::vector<train::Choice>& choices, const std::filesystem::path& folder) {
  for (train::Choice& choice : choices) {
    auto* const text = std::get_if<std::string>(&choice.value);
    if (text == nullptr || text->empty() || (choice.name != "data" && choice.name != "init"))
      continue;
    const std::filesystem::path path(*text);
    std::error_code error;
    if (path.is_relative() && std::filesystem::exists(folder / path, error))
      *text = std::filesystem::absolute(folder / path, error).lexically_normal().string();
  }
}

}  // namespace

Suite load_suite(const std::filesystem::path& file) {
  Suite suite = parse_suite(read_file(file.string(), kMaxSuiteBytes), file.string());
  const std::filesystem::path folder = file.parent_path();
  find_beside(suite.choices, folder);
  for (Task& task : suite.tasks) find_beside(task.choices, folder);
  for (Arm& arm : suite.arms) find_beside(arm.choices, folder);
  if (suite.quick) find_beside(suite.quick->choices, folder);
  return suite;
}

}  // namespace weft::compare
