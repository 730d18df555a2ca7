# Writes OUTPUT from cmake/version.cpp.in; run at build time with -P. The file is touched only when its text changes.
# Git is optional: without it, or outside a checkout, the commit is empty.

set(LAPSE_GIT_COMMIT "")
if(GIT)
  set(ENV{GIT_OPTIONAL_LOCKS} 0)  # looking must not write into .git
  execute_process(COMMAND ${GIT} -C ${SOURCE_DIR} rev-parse --short=12 HEAD
    OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE status)
  if(status EQUAL 0)
    execute_process(COMMAND ${GIT} -C ${SOURCE_DIR} status --porcelain --untracked-files=no -- ${PATHS}
      OUTPUT_VARIABLE changes ERROR_QUIET)
    set(LAPSE_GIT_COMMIT "${commit}")
    if(changes)
      string(APPEND LAPSE_GIT_COMMIT "-dirty")
    endif()
  endif()
endif()
configure_file(${CMAKE_CURRENT_LIST_DIR}/version.cpp.in ${OUTPUT} @ONLY)
