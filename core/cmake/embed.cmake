# Text files as strings of the program: scripts and styles of the pages, the suites, Chart.js.
#
#   weft_embed(TARGET SYMBOL FILE...)         defines  const char* const SYMBOL, the text of the files one after the other
#   weft_embed(TARGET SYMBOL LIST FILE...)    defines  const weft::EmbeddedFile SYMBOL[], by name, then {nullptr, nullptr}
#
# SYMBOL has its namespaces before it (weft::report::kChartJs); a header declares it `extern`. The generated source lies in build/generated/ and
# is written again when a file changes. The same file is the script that writes it (cmake -P).
if(CMAKE_SCRIPT_MODE_FILE)
  string(REGEX MATCH "^(.*)::([^:]+)$" unused "${SYMBOL}")
  set(space "${CMAKE_MATCH_1}")
  set(name "${CMAKE_MATCH_2}")
  set(text "")
  foreach(file IN LISTS FILES)
    file(READ "${file}" content)
    if(content MATCHES "\\)embedded\"")
      message(FATAL_ERROR "[weft_embed] ${file} holds )embedded\", which ends the string it is embedded as")
    endif()
    get_filename_component(stem "${file}" NAME_WE)
    if(IS_LIST)
      string(APPEND text "    {\"${stem}\", R\"embedded(${content})embedded\"},\n")
    else()
      string(APPEND text "\nR\"embedded(${content})embedded\"")
    endif()
  endforeach()
  if(IS_LIST)
    set(type "weft::EmbeddedFile")
    set(text "#include \"core/embedded_file.h\"\n\nnamespace ${space} {\nextern const ${type} ${name}[];\nconst ${type} ${name}[] = {\n${text}    {nullptr, nullptr}};\n}\n")
  else()
    set(text "namespace ${space} {\nextern const char* const ${name};\nconst char* const ${name} = ${text};\n}\n")
  endif()
  file(WRITE "${OUTPUT}" "${text}")
  return()
endif()

set(WEFT_EMBED_SCRIPT ${CMAKE_CURRENT_LIST_FILE})

function(weft_embed target symbol)
  cmake_parse_arguments(ARG "LIST" "" "" ${ARGN})
  set(files ${ARG_UNPARSED_ARGUMENTS})
  list(LENGTH files count)
  if(count EQUAL 0)
    message(FATAL_ERROR "[weft_embed] ${symbol}: there are no files to embed")
  endif()
  list(TRANSFORM files PREPEND ${PROJECT_SOURCE_DIR}/ REGEX "^[^/]")
  string(MAKE_C_IDENTIFIER ${symbol} output)
  set(output ${PROJECT_BINARY_DIR}/generated/${output}.cpp)
  add_custom_command(
    OUTPUT ${output}
    COMMAND ${CMAKE_COMMAND} -DSYMBOL=${symbol} -DIS_LIST=${ARG_LIST} "-DFILES=${files}" -DOUTPUT=${output} -P ${WEFT_EMBED_SCRIPT}
    DEPENDS ${files} ${WEFT_EMBED_SCRIPT} COMMENT "" VERBATIM)
  set_source_files_properties(${output} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
  target_sources(${target} PRIVATE ${output})
endfunction()
