# cmake --install: the libraries and headers as a package for find_package(weft), the program, and the data it ships with.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

add_library(weft_all INTERFACE)
set_target_properties(weft_all PROPERTIES EXPORT_NAME weft)
target_compile_features(weft_all INTERFACE cxx_std_20)
target_include_directories(weft_all INTERFACE $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
target_link_libraries(weft_all INTERFACE weft_train)
add_library(weft::weft ALIAS weft_all)

install(TARGETS weft_all weft_core weft_autograd weft_nn weft_optim weft_data weft_train EXPORT weft_targets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(TARGETS weft_program RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
# The public headers, and no others: those that weft.h reaches, found when they are installed, so that none is missing or stale.
install(CODE "
  include(${CMAKE_CURRENT_SOURCE_DIR}/core/cmake/public_headers.cmake)
  weft_public_headers(${CMAKE_CURRENT_SOURCE_DIR} headers)
  foreach(header IN LISTS headers)
    get_filename_component(folder \${header} DIRECTORY)
    if(header STREQUAL train/weft.h)
      set(folder .)
    endif()
    file(INSTALL ${CMAKE_CURRENT_SOURCE_DIR}/\${header} DESTINATION \${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_INCLUDEDIR}/weft/\${folder})
  endforeach()")
install(DIRECTORY data/sets/ DESTINATION ${CMAKE_INSTALL_DATADIR}/weft/data)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/weft)
install(EXPORT weft_targets NAMESPACE weft:: FILE weft-targets.cmake DESTINATION ${package_dir})
configure_package_config_file(core/cmake/weft-config.cmake.in ${PROJECT_BINARY_DIR}/weft-config.cmake INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/weft-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/weft-config.cmake ${PROJECT_BINARY_DIR}/weft-config-version.cmake DESTINATION ${package_dir})
