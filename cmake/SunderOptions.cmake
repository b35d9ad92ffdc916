# Compiler options shared by every target of ours: the interface target sunder_options, sanitizers by preset.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_INTERPROCEDURAL_OPTIMIZATION OFF)

set(SUNDER_SANITIZE "" CACHE STRING "Sanitizers for every target, as -fsanitize= takes them (set by presets)")
set(SUNDER_WERROR OFF CACHE BOOL "Warnings are errors (set by presets)")

# Debug information without macro tables: half the link time, still full backtraces.
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O2 -g1")
# Assertions of ours stay on in every build; NDEBUG only silences third-party headers.
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")

add_library(sunder_options INTERFACE)
# For our own targets; whoever uses the installed library has options of his own.
set(SUNDER_WARNINGS
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wold-style-cast -Wnon-virtual-dtor
  -Woverloaded-virtual -Wduplicated-cond -Wlogical-op $<$<BOOL:${SUNDER_WERROR}>:-Werror>)
set(SUNDER_DEFINITIONS
  BOOST_ASIO_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED BOOST_ASIO_DISABLE_BOOST_COROUTINE
  FMT_USE_NONTYPE_TEMPLATE_ARGS=0)
target_compile_options(sunder_options INTERFACE "$<BUILD_INTERFACE:${SUNDER_WARNINGS}>")
target_include_directories(sunder_options INTERFACE
  "$<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}>" "$<BUILD_INTERFACE:${CMAKE_BINARY_DIR}/generated>")
target_compile_definitions(sunder_options INTERFACE "$<BUILD_INTERFACE:${SUNDER_DEFINITIONS}>")

if(SUNDER_SANITIZE)
  add_compile_options(-fsanitize=${SUNDER_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${SUNDER_SANITIZE})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    # Not with coroutines before clang 16: "Cannot represent a difference across sections".
    add_compile_options(-fno-sanitize=function)
  endif()
  # ASan adds false positives of these inside Boost and the standard library at -O1.
  add_compile_options(-Wno-maybe-uninitialized -Wno-mismatched-new-delete)
  if(SUNDER_SANITIZE MATCHES "thread")
    # Asio's fences are unknown to TSan; the only threads of ours, the checkers', share no fences.
    add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-Wno-tsan>)
  endif()
endif()

find_program(SUNDER_CCACHE ccache)
if(SUNDER_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER
    ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
    ${SUNDER_CCACHE})
  # GCC needs this for ccache to see through a precompiled header.
  add_compile_options(-fpch-preprocess)
endif()
