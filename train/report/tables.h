// The tables of a comparison for papers and other programs: LaTeX and CSV.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "train/compare/results.h"

namespace weft::report {

/// File names and what is to stand in them: figures, differences and costs, each as .tex (a
/// booktabs tabular) and as .csv (RFC 4180, figures as they were read).
std::vector<std::pair<std::string, std::string>> tables(const compare::Results& results);

}  // namespace weft::report
