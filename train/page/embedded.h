// Chart.js and the scripts and styles of this folder, as the build has put them into the program
// (core/cmake/embed.cmake).
#pragma once

namespace weft::report {

extern const char* const kChartJs;
extern const char* const kCommonStyle;   ///< common.css, of every page
extern const char* const kChartsScript;  ///< charts.js; wants Chart.js and `charts`

}  // namespace weft::report
