# The library's public headers: those that weft.h reaches. Installed are these and no others (core/cmake/install.cmake),
# the site is made of them (./weft docs), and tests/structure/test_public_headers.cpp says what they may and must be.
#
# Every path is from the root, with slashes. As a script: cmake -DWEFT_HEADERS_FILE=FILE -P core/cmake/public_headers.cmake
# writes them into a file, a line each.
if(CMAKE_SCRIPT_MODE_FILE)
  cmake_minimum_required(VERSION 3.22)
endif()

function(weft_public_headers root result)
  set(open train/weft.h)
  set(reached "")
  while(open)
    list(POP_FRONT open header)
    if(header IN_LIST reached OR NOT EXISTS ${root}/${header})
      continue()
    endif()
    list(APPEND reached ${header})
    file(STRINGS ${root}/${header} lines REGEX "^#include \"[^\"]+\"")
    foreach(line IN LISTS lines)
      string(REGEX REPLACE "^#include \"([^\"]+)\".*" "\\1" included "${line}")
      list(APPEND open ${included})
    endforeach()
  endwhile()
  list(SORT reached)
  set(${result} ${reached} PARENT_SCOPE)
endfunction()

if(CMAKE_SCRIPT_MODE_FILE STREQUAL CMAKE_CURRENT_LIST_FILE)
  weft_public_headers(${CMAKE_CURRENT_LIST_DIR}/../.. headers)
  list(JOIN headers "\n" lines)
  file(WRITE ${WEFT_HEADERS_FILE} "${lines}\n")
endif()
