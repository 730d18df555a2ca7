# lapse_version_source(FILE): a generated source with the version, the git commit and the compiler.
#
# The commit is looked up at build time, whenever HEAD moved or a source that git knows was edited (for "-dirty"); as the file is written
# only when its text changes, at most this one small source is compiled anew, and a build without a change has nothing to do.
find_package(Git QUIET)

function(lapse_version_source file)
  set(paths lapse engines cli web cmake CMakeLists.txt)
  set(watched "")
  if(GIT_FOUND)
    foreach(name HEAD logs/HEAD)
      execute_process(COMMAND ${GIT_EXECUTABLE} -C ${PROJECT_SOURCE_DIR} rev-parse --path-format=absolute --git-path ${name}
        OUTPUT_VARIABLE path OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
      list(APPEND watched "${path}")
    endforeach()
    execute_process(COMMAND ${GIT_EXECUTABLE} -C ${PROJECT_SOURCE_DIR} ls-files -- ${paths}
      OUTPUT_VARIABLE sources OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
    string(REPLACE "\n" ";" sources "${sources}")
    list(TRANSFORM sources PREPEND "${PROJECT_SOURCE_DIR}/")
    list(APPEND watched ${sources})
  endif()
  set(present "")
  foreach(path IN LISTS watched)
    if(EXISTS "${path}" AND NOT IS_DIRECTORY "${path}")
      list(APPEND present "${path}")
    endif()
  endforeach()

  set(output ${CMAKE_CURRENT_BINARY_DIR}/version.cpp)
  set(script ${PROJECT_SOURCE_DIR}/cmake/write-version.cmake)
  add_custom_command(OUTPUT ${output}
    COMMAND ${CMAKE_COMMAND} -DGIT=${GIT_EXECUTABLE} -DSOURCE_DIR=${PROJECT_SOURCE_DIR} "-DPATHS=${paths}" -DOUTPUT=${output}
      -DLAPSE_VERSION=${PROJECT_VERSION} "-DLAPSE_COMPILER=${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION}"
      -DLAPSE_BUILD_TYPE=$<CONFIG> -P ${script}
    DEPENDS ${present} ${script} ${PROJECT_SOURCE_DIR}/cmake/version.cpp.in
    COMMENT "Looking up the git commit" VERBATIM)
  set(${file} ${output} PARENT_SCOPE)
endfunction()
