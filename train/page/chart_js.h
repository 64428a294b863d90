// The text of Chart.js, put into the program when it is built (see cmake/embed_chart_js.cmake).
#pragma once

namespace weft::report {

extern const char* const kChartJs;

}  // namespace weft::report
