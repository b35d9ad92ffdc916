# Functions that keep the folders' CMake files to what is particular about them.

# sunder_add_library(<folder> [PCH core|asio] SOURCES … [LINK …] [PRIVATE_LINK …])
# One static library sunder_<folder> (alias sunder::<folder>) for one folder. LINK are the folder's include edges.
function(sunder_add_library folder)
  cmake_parse_arguments(ARG "" "PCH" "SOURCES;LINK;PRIVATE_LINK" ${ARGN})
  add_library(sunder_${folder} STATIC ${ARG_SOURCES})
  add_library(sunder::${folder} ALIAS sunder_${folder})
  target_link_libraries(sunder_${folder} PUBLIC sunder_options ${ARG_LINK} PRIVATE ${ARG_PRIVATE_LINK})
  sunder_use_pch(sunder_${folder} "${ARG_PCH}")
endfunction()

# sunder_use_pch(<target> core|asio|""): "core" is std + fmt, "asio" adds Asio's coroutine core.
function(sunder_use_pch target kind)
  if(kind)
    target_precompile_headers(${target} REUSE_FROM sunder_pch_${kind})
    target_link_libraries(${target} PUBLIC $<BUILD_INTERFACE:sunder_pch_${kind}>)
  endif()
endfunction()

# sunder_add_test(<name> LABELS … SOURCES … [LINK …] [PCH …] [TIMEOUT seconds] [SERIAL])
# One GoogleTest binary sunder_test_<name>; every TEST in it becomes one CTest test with the labels.
# Labels unit and process put it into sunder_sanitized_tests (what the asan preset builds), threads into
# sunder_thread_tests (what the tsan preset builds).
function(sunder_add_test name)
  cmake_parse_arguments(ARG "SERIAL" "PCH;TIMEOUT" "LABELS;SOURCES;LINK" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 300)
  endif()
  add_executable(sunder_test_${name} ${ARG_SOURCES})
  target_link_libraries(sunder_test_${name} PRIVATE sunder_options ${ARG_LINK} GTest::gtest GTest::gmock sunder_test_main)
  target_compile_definitions(sunder_test_${name} PRIVATE
    SUNDER_SOURCE_DIR="${CMAKE_SOURCE_DIR}" SUNDER_BINARY_DIR="${CMAKE_BINARY_DIR}")
  sunder_use_pch(sunder_test_${name} "${ARG_PCH}")
  foreach(label IN LISTS ARG_LABELS)
    if(label MATCHES "^(unit|process)$")
      add_dependencies(sunder_sanitized_tests sunder_test_${name})
    elseif(label STREQUAL "threads")
      add_dependencies(sunder_thread_tests sunder_test_${name})
    endif()
  endforeach()
  set(properties TIMEOUT ${ARG_TIMEOUT})
  if(ARG_SERIAL)
    list(APPEND properties RUN_SERIAL TRUE)
  endif()
  gtest_discover_tests(sunder_test_${name} TEST_PREFIX "${name}." DISCOVERY_MODE PRE_TEST
    DISCOVERY_TIMEOUT 120 NO_PRETTY_TYPES NO_PRETTY_VALUES PROPERTIES ${properties})
  # gtest_discover_tests makes a property name of a second label, whatever the quoting; ctest itself sets the labels.
  set(labels_file "${CMAKE_CURRENT_BINARY_DIR}/sunder_test_${name}_labels.cmake")
  file(CONFIGURE OUTPUT "${labels_file}" @ONLY CONTENT
[[foreach(test IN LISTS sunder_test_@name@_TESTS)
  set_tests_properties("${test}" PROPERTIES LABELS "@ARG_LABELS@")
endforeach()
]])
  set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES "${labels_file}")
endfunction()
