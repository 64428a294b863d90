// The report of a comparison: one HTML file that needs nothing else, in English and Chinese, made
// from results.json alone.
#pragma once

#include <string>

namespace weft::report {

/// The page for the text of a results.json; of a comparison that is under way or was killed, with
/// what is there. All its text is in the HTML itself, so that it can be read without scripts;
/// Chart.js draws the charts. Throws ConfigError naming what the file lacks.
std::string compare_page(const std::string& results_json);

}  // namespace weft::report
