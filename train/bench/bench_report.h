// How a measurement is shown: to a person, or as the one line of JSON that the PyTorch script
// prints too.
#pragma once

#include <string>

#include "train/bench/measure.h"

namespace weft::bench {

std::string to_table(const Plan& plan, const Measurement& m);
/// The script's fields first, under its names; then ours.
std::string to_json_line(const Plan& plan, const Measurement& m);

}  // namespace weft::bench
