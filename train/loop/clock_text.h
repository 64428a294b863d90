// Durations for people.
#pragma once

#include <string>

namespace weft::train {

/// "0:42", "12:05", "1:02:33"; "-:--" for what is not a duration.
std::string clock_text(double seconds);

}  // namespace weft::train
