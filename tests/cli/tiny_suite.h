// The comparison that tests disturb, and what it found.
#pragma once

#include <string>

#include "tests/train/tiny_runs.h"

namespace weft::test {

/// A suite file: one task on one tiny text, two arms, six seeds. `base` are lines of [base], `top`
/// and `budget` those before it.
inline std::string tiny_suite(const TempFolder& folder, const std::string& base,
                              const std::string& top = "",
                              const std::string& budget = "equal = \"steps\"\n") {
  const std::string path = (folder / "s.toml").string();
  write_file(path, "name = \"s\"\nquestion = \"?\"\nkind = \"text\"\nseeds = 6\n" + top +
                       "[budget]\n" + budget + "[base]\ndata = \"" + tiny_text_config(folder).data +
                       "\"\nlayers = 1\nwidth = 16\nheads = 1\ncontext = 8\nbatch = 3\n" + base +
                       "[[task]]\nname = \"t\"\nmetric = \"test_loss\"\n[[arm]]\nname = "
                       "\"a\"\n[[arm]]\nname = \"b\"\nset = { heads = 2 }\n"
                       "[[contrast]]\ntask = \"t\"\na = \"a\"\nb = \"b\"\nquestion = \"?\"\n");
  return path;
}

inline nlohmann::json comparison_results(const fs::path& folder) {
  return nlohmann::json::parse(read_file((folder / "results.json").string()));
}

}  // namespace weft::test
