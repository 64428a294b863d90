// What the charts of a report draw.
#pragma once

#include <string>

#include "train/compare/results.h"

namespace weft::report {

/// As JSON; figures that are not there are null.
std::string chart_data(const compare::Results& results);

}  // namespace weft::report
