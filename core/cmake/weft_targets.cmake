# One target a folder. Sources are found by folder, so that adding a file needs no edit here.

# Several files to a compiler run, since all read the same heavy headers: it takes half the build's time off. While working on one file,
# -DWEFT_UNITY=OFF rebuilds less. The kernels stay apart: Highway includes each of them once a target.
function(weft_unity target)
  set_target_properties(${target} PROPERTIES UNITY_BUILD ${WEFT_UNITY} UNITY_BUILD_BATCH_SIZE 12)
endfunction()
file(GLOB kernel_sources CONFIGURE_DEPENDS core/kernels/*.cpp)
set_source_files_properties(${kernel_sources} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
# It replaces operator new and delete, which must not be inlined into what else would be in its unit.
set_source_files_properties(train/bench/heap_count.cpp PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
# It alone reads Boost.
set_source_files_properties(train/compare/distributions.cpp PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)

# What users link is compiled at -O2; training, comparing and reporting with less optimization: a quarter off their build time.
set(quick_build $<$<CONFIG:Release>:-O1>)
# Commands and tests do next to no arithmetic: a third off theirs.
set(quickest_build $<$<CONFIG:Release>:-Og>)

add_library(weft_options INTERFACE)
target_compile_features(weft_options INTERFACE cxx_std_20)
target_compile_options(weft_options INTERFACE -Wall -Wextra -Wconversion -Wno-sign-conversion -fno-math-errno -fno-trapping-math -ffp-contract=off)
if(WEFT_WERROR)
  target_compile_options(weft_options INTERFACE -Werror)
endif()
if(WEFT_FUZZ)
  target_compile_options(weft_options INTERFACE -fsanitize=fuzzer-no-link)
  target_compile_definitions(weft_options INTERFACE HWY_COMPILE_ONLY_SCALAR)  # readers multiply no matrices: a third of the build's time
endif()
if(WEFT_COVERAGE)  # the counters of all threads; a line is one line, not what the optimizer made of it
  target_compile_options(weft_options INTERFACE --coverage -fprofile-update=atomic -O1 -fno-inline-functions-called-once)
  target_link_options(weft_options INTERFACE --coverage)
endif()
if(WEFT_SANITIZE)
  target_compile_options(weft_options INTERFACE -fsanitize=${WEFT_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all -g1)
  target_link_options(weft_options INTERFACE -fsanitize=${WEFT_SANITIZE})
endif()

function(weft_library name)
  cmake_parse_arguments(ARG "" "" "GLOBS;LINKS;PRIVATE_LINKS" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${ARG_GLOBS})
  list(FILTER sources EXCLUDE REGEX "/samples/")
  if(NOT sources)
    return()
  endif()
  add_library(${name} STATIC ${sources})
  target_include_directories(${name} PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}> $<INSTALL_INTERFACE:include/weft>)
  target_link_libraries(${name} PUBLIC ${ARG_LINKS} PRIVATE ${ARG_PRIVATE_LINKS} $<BUILD_INTERFACE:weft_options>)
  if(name STREQUAL "weft_train")
    target_compile_options(${name} PRIVATE ${quick_build})
  endif()
  weft_unity(${name})
endfunction()

weft_library(weft_core GLOBS core/*.cpp LINKS fmt::fmt
             PRIVATE_LINKS OpenBLAS::OpenBLAS TBB::tbb hwy::hwy nlohmann_json::nlohmann_json ZLIB::ZLIB Threads::Threads)
weft_library(weft_autograd GLOBS autograd/*.cpp LINKS weft_core)
weft_library(weft_nn GLOBS nn/*.cpp LINKS weft_autograd)
weft_library(weft_optim GLOBS optim/*.cpp LINKS weft_autograd)
weft_library(weft_data GLOBS data/*.cpp LINKS weft_core
             PRIVATE_LINKS ZLIB::ZLIB PNG::PNG turbojpeg webp sentencepiece_train sentencepiece Threads::Threads nlohmann_json::nlohmann_json)
weft_library(weft_train GLOBS train/config/*.cpp train/loop/*.cpp train/metrics/*.cpp train/tasks/*.cpp train/compare/*.cpp train/page/*.cpp
             train/explain/*.cpp train/report/*.cpp
             LINKS weft_nn weft_optim weft_data
             PRIVATE_LINKS nlohmann_json::nlohmann_json tomlplusplus::tomlplusplus $<BUILD_INTERFACE:Boost::headers> ZLIB::ZLIB Threads::Threads)

# What is not C++ and yet a part of the program.
include(core/cmake/embed.cmake)
find_file(WEFT_CHART_JS NAMES chart.min.js chart.umd.min.js PATHS /usr/share/javascript/chart.js /usr/share/javascript/chartjs NO_DEFAULT_PATH
          DOC "Chart.js, minified (Debian: libjs-chart.js)")
if(NOT WEFT_CHART_JS)
  message(FATAL_ERROR "Chart.js was not found: install libjs-chart.js, or set WEFT_CHART_JS to a minified Chart.js file")
endif()
file(GLOB suite_files CONFIGURE_DEPENDS train/suites/*.toml)
weft_embed(weft_train weft::compare::kShippedSuites LIST ${suite_files})
weft_embed(weft_train weft::report::kChartJs ${WEFT_CHART_JS})
weft_embed(weft_train weft::report::kCommonStyle train/page/common.css)
weft_embed(weft_train weft::report::kChartsScript train/page/charts.js)
weft_embed(weft_train weft::report::page::kCompareStyle
           train/report/compare_page.css train/report/compare_tables.css train/report/compare_figures.css train/report/compare_media.css)
weft_embed(weft_train weft::report::page::kCompareScript train/report/compare_look.js train/report/compare_charts.js train/report/compare_page.js)
weft_embed(weft_train weft::explain::kHeatStyle train/explain/heat.css)
weft_embed(weft_train weft::explain::kHeatScript train/explain/heat.js)
weft_embed(weft_train weft::explain::kExampleScript train/explain/example.js)
weft_embed(weft_train weft::explain::kMapsStyle train/explain/maps.css)
weft_embed(weft_train weft::explain::kMapsScript train/explain/maps.js)
weft_embed(weft_train weft::explain::kTextMapsScript train/explain/text_maps.js)
weft_embed(weft_train weft::explain::kImageMapsScript train/explain/image_maps.js)
weft_embed(weft_train weft::explain::kEmbeddingStyle train/explain/embedding_map.css)
weft_embed(weft_train weft::explain::kHistoryStyle train/explain/history.css)

# Samples register themselves when they are linked, so they are objects: a static library would drop them.
file(GLOB sample_sources CONFIGURE_DEPENDS autograd/samples/*.cpp nn/samples/*.cpp)
add_library(weft_samples OBJECT ${sample_sources})
target_include_directories(weft_samples PUBLIC ${PROJECT_SOURCE_DIR})
target_link_libraries(weft_samples PUBLIC $<TARGET_NAME_IF_EXISTS:weft_nn> weft_autograd PRIVATE weft_options)
target_compile_options(weft_samples PRIVATE ${quick_build})
weft_unity(weft_samples)

file(GLOB_RECURSE cli_sources CONFIGURE_DEPENDS train/cli/*.cpp train/bench/*.cpp)
list(REMOVE_ITEM cli_sources ${CMAKE_CURRENT_SOURCE_DIR}/train/cli/main.cpp)
if(cli_sources AND TARGET weft_train)
  add_library(weft_cli OBJECT ${cli_sources})  # objects, so that what fuzzes command lines need not compile them again
  target_compile_definitions(weft_cli PRIVATE WEFT_VERSION="${PROJECT_VERSION}")
  target_compile_options(weft_cli PRIVATE ${quickest_build})
  weft_unity(weft_cli)
  target_link_libraries(weft_cli PUBLIC weft_train weft_samples CLI11::CLI11 nlohmann_json::nlohmann_json PRIVATE weft_options)
  add_executable(weft_program train/cli/main.cpp)
  set_target_properties(weft_program PROPERTIES OUTPUT_NAME weft)
  target_compile_options(weft_program PRIVATE ${quickest_build})
  target_link_libraries(weft_program PRIVATE weft_cli weft_samples weft_options)
endif()

include(core/cmake/install.cmake)

if(WEFT_BUILD_TESTS)
  enable_testing()
  add_subdirectory(tests)
endif()
