# The checkers for other projects: cmake --install build/release --component library --prefix DIR, there
# find_package(sunder) and target_link_libraries(mine PRIVATE sunder::checkers). The API is include/sunder/checkers.hpp.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(SUNDER_PACKAGE_DIR "${CMAKE_INSTALL_LIBDIR}/cmake/sunder")

foreach(part base history checkers)
  set_target_properties(sunder_${part} PROPERTIES EXPORT_NAME ${part})
  target_compile_features(sunder_${part} PUBLIC cxx_std_20)
endforeach()
target_include_directories(sunder_base INTERFACE
  "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>" "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/sunder>")
install(TARGETS sunder_options sunder_base sunder_history sunder_checkers EXPORT sunder_targets
  ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT library)
install(EXPORT sunder_targets NAMESPACE sunder:: FILE sunder-targets.cmake
  DESTINATION "${SUNDER_PACKAGE_DIR}" COMPONENT library)

# What the API includes, under the paths that its #include lines have.
set(SUNDER_PUBLIC_HEADERS
  checkers/checker.hpp
  checkers/closed_form.hpp
  checkers/key_split.hpp
  checkers/linearizability.hpp
  checkers/models/model.hpp
  checkers/parameters.hpp
  checkers/search.hpp
  checkers/figure.hpp
  checkers/instants.hpp
  checkers/verdict.hpp
  harness/base/assert.hpp
  harness/base/error.hpp
  harness/history/event_log.hpp
  harness/history/history.hpp
  harness/history/large_integers.hpp
  harness/history/operation.hpp
  harness/history/run_context.hpp
  harness/history/text.hpp
  harness/history/value.hpp)
foreach(header IN LISTS SUNDER_PUBLIC_HEADERS)
  cmake_path(GET header PARENT_PATH folder)
  install(FILES "${header}" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/sunder/${folder}" COMPONENT library)
endforeach()
install(FILES include/sunder/checkers.hpp DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/sunder" COMPONENT library)

file(WRITE "${CMAKE_BINARY_DIR}/generated/sunder-config.cmake"
[[include(CMakeFindDependencyMacro)
find_dependency(Threads)
find_dependency(Boost 1.81 COMPONENTS json)
find_dependency(fmt)
find_dependency(simdjson)
find_dependency(ZLIB)
include("${CMAKE_CURRENT_LIST_DIR}/sunder-targets.cmake")
]])
write_basic_package_version_file("${CMAKE_BINARY_DIR}/generated/sunder-config-version.cmake"
  COMPATIBILITY SameMinorVersion)
install(FILES "${CMAKE_BINARY_DIR}/generated/sunder-config.cmake"
  "${CMAKE_BINARY_DIR}/generated/sunder-config-version.cmake"
  DESTINATION "${SUNDER_PACKAGE_DIR}" COMPONENT library)
