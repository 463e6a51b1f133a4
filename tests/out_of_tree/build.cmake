# Configures and builds the out-of-tree plugins against a copy of the SDK, so that nothing of the tree is in reach, and
# checks what they export. Run by ctest, see CMakeLists.txt.

function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "failed (${status}): ${ARGN}\n${output}")
  endif()
endfunction()

file(REMOVE_RECURSE ${BUILD} ${COPY})
file(COPY ${SDK}/include ${SDK}/cmake ${SDK}/template DESTINATION ${COPY})
foreach(project ${SOURCE} ${COPY}/template)
  run(${CMAKE_COMMAND} -S ${project} -B ${BUILD}/. -G ${GENERATOR} --fresh -DCOSMOS_SDK=${COPY}
    -DCMAKE_C_COMPILER=${C_COMPILER} -DCMAKE_CXX_COMPILER=${CXX_COMPILER} -DCMAKE_BUILD_TYPE=Release)
  run(${CMAKE_COMMAND} --build ${BUILD})
endforeach()

foreach(plugin plain-c plain-cpp my-stage)
  set(file ${BUILD}/lib/cosmos-engine/plugins/1/${plugin}.so)
  execute_process(COMMAND ${NM} -D --defined-only ${file} OUTPUT_VARIABLE symbols COMMAND_ERROR_IS_FATAL ANY)
  string(REGEX MATCHALL "[^ \n]+\n" names "${symbols}")
  string(STRIP "${names}" names)
  if(NOT names STREQUAL "cosmos_plugin_entry")
    message(FATAL_ERROR "${file} exports '${names}', expected cosmos_plugin_entry alone")
  endif()
endforeach()
