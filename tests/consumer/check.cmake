# Installs a build into an empty prefix, moves it, and uses it as a stranger would: cmake -P with
#   BUILD     the build folder of lapse      SOURCE  this folder      WORK  a folder of our own
#   COMPILER, FLAGS, BUILD_TYPE              those of the build (a sanitizer has to be linked by the consumer too)
#   VERSION   what `lapse --version` must name
function(run)
  execute_process(COMMAND ${ARGN} OUTPUT_VARIABLE output ERROR_VARIABLE output RESULT_VARIABLE status)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${ARGN}\nended with ${status}:\n${output}")
  endif()
  set(output "${output}" PARENT_SCOPE)
endfunction()

file(REMOVE_RECURSE ${WORK})
run(${CMAKE_COMMAND} --install ${BUILD} --prefix ${WORK}/first)
file(RENAME ${WORK}/first ${WORK}/prefix)  # nothing may depend on where it was put

run(${WORK}/prefix/bin/lapse --version)
if(NOT output MATCHES "${VERSION}")
  message(FATAL_ERROR "lapse --version says '${output}', not ${VERSION}")
endif()
run(${WORK}/prefix/bin/lapse engines)

run(${CMAKE_COMMAND} -G Ninja -S ${SOURCE} -B ${WORK}/build -DCMAKE_PREFIX_PATH=${WORK}/prefix -DCMAKE_CXX_COMPILER=${COMPILER}
  -DCMAKE_CXX_FLAGS=${FLAGS} -DCMAKE_BUILD_TYPE=${BUILD_TYPE})
run(${CMAKE_COMMAND} --build ${WORK}/build)
run(${WORK}/build/median)
if(NOT output STREQUAL "median 4.000 ms\n")
  message(FATAL_ERROR "the consumer computed '${output}'")
endif()
run(${WORK}/build/whole)
run(${WORK}/build/measure)
if(NOT output MATCHES "cpu fine\nstream 3.000 ms\nreport fine\n")
  message(FATAL_ERROR "the consumer measured '${output}'")
endif()
file(REMOVE_RECURSE ${WORK})
