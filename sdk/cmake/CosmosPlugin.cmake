# SPDX-License-Identifier: BSL-1.0
#
# Builds plugins of cosmos-engine. In a project of your own:
#
#   cmake_minimum_required(VERSION 3.25)
#   project(my-plugins LANGUAGES C CXX)
#   include(/path/to/sdk/cmake/CosmosPlugin.cmake)
#   cosmos_add_plugin(my-stage SOURCES my_stage.cc)
#
# makes BUILD/lib/cosmos-engine/plugins/1/my-stage.so; `cosmos-engine --plugin-path BUILD/lib/cosmos-engine/plugins/1`
# finds it there. `cmake --install BUILD --prefix ~/.local` puts it where it is found without an option.
# A plugin in plain C needs nothing but the headers; one in C++ also nlohmann/json (nlohmann-json3-dev).

include_guard(GLOBAL)

# The headers stand beside this folder in the source tree, and below the prefix when installed.
if(NOT TARGET cosmos::sdk)
  find_path(COSMOS_SDK_INCLUDE_DIR cosmos/plugin.h
    HINTS ${CMAKE_CURRENT_LIST_DIR}/../include ${CMAKE_CURRENT_LIST_DIR}/../../../../include
    DOC "Folder of cosmos/plugin.h" REQUIRED)
  add_library(cosmos_sdk INTERFACE IMPORTED GLOBAL)
  add_library(cosmos::sdk ALIAS cosmos_sdk)
  target_include_directories(cosmos_sdk INTERFACE ${COSMOS_SDK_INCLUDE_DIR})
  find_package(nlohmann_json QUIET)
  if(nlohmann_json_FOUND)
    target_link_libraries(cosmos_sdk INTERFACE nlohmann_json::nlohmann_json)
  endif()
  target_compile_features(cosmos_sdk INTERFACE c_std_99 cxx_std_17)
endif()

# cosmos_add_plugin(NAME SOURCES file… [LINK library…])
# NAME is the plugin's id, the target's name and the file's name (NAME.so). LINK must not name glog or libssh, whose
# state would clash with the engine's.
function(cosmos_add_plugin name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
  if(NOT ARG_SOURCES OR ARG_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "cosmos_add_plugin(${name}): expected cosmos_add_plugin(NAME SOURCES file… [LINK library…])")
  endif()

  add_library(${name} MODULE ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE cosmos::sdk ${ARG_LINK})
  set_target_properties(${name} PROPERTIES
    PREFIX "" SUFFIX ".so"
    C_VISIBILITY_PRESET hidden CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON
    POSITION_INDEPENDENT_CODE ON
    LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib/cosmos-engine/plugins/1
    LINK_DEPENDS ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/plugin.map)
  # Never unloaded, exports one symbol, and every other symbol is found when it is linked and not when it is first used.
  target_link_options(${name} PRIVATE
    -Wl,-z,nodelete "-Wl,--version-script=${CMAKE_CURRENT_FUNCTION_LIST_DIR}/plugin.map")
  if(NOT COSMOS_SANITIZE)  # a sanitizer's runtime is in the program, not in the plugin
    target_link_options(${name} PRIVATE -Wl,--no-undefined)
  endif()
  install(TARGETS ${name} LIBRARY DESTINATION lib/cosmos-engine/plugins/1)
endfunction()
