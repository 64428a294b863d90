# Writes build/generated/chart_js.cpp, which holds Chart.js as a string, and adds it to weft_train.
find_file(WEFT_CHART_JS NAMES chart.min.js chart.umd.min.js PATHS /usr/share/javascript/chart.js /usr/share/javascript/chartjs NO_DEFAULT_PATH
          DOC "Chart.js, minified (Debian: libjs-chart.js)")
if(NOT WEFT_CHART_JS)
  message(FATAL_ERROR "Chart.js was not found: install libjs-chart.js, or set WEFT_CHART_JS to a minified Chart.js file")
endif()
set(chart_js_source ${PROJECT_BINARY_DIR}/generated/chart_js.cpp)
if(NOT EXISTS ${chart_js_source} OR ${WEFT_CHART_JS} IS_NEWER_THAN ${chart_js_source})
  file(READ ${WEFT_CHART_JS} chart_js)
  file(WRITE ${chart_js_source} "#include \"train/page/chart_js.h\"\n\nnamespace weft::report {\nconst char* const kChartJs = R\"chartjs(${chart_js})chartjs\";\n}\n")
endif()
target_sources(weft_train PRIVATE ${chart_js_source})
