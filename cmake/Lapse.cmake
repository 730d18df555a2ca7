# What every target shares: warnings, sanitizers, and how a floor is made.

add_library(lapse_warnings INTERFACE)
# For C and C++ alone, as everything below: nvcc has flags of its own, and what it generates is not for these to judge.
target_compile_options(lapse_warnings INTERFACE
  "$<$<COMPILE_LANGUAGE:C,CXX>:-Wall;-Wextra;-Wpedantic;-Wshadow;-Wconversion>"
  $<$<COMPILE_LANGUAGE:CXX>:-Wnon-virtual-dtor> $<$<COMPILE_LANGUAGE:CXX>:-Wold-style-cast>)

if(LAPSE_SANITIZE)
  add_compile_options("$<$<COMPILE_LANGUAGE:C,CXX>:-fsanitize=${LAPSE_SANITIZE};-fno-omit-frame-pointer;-fno-sanitize-recover=all>")
  add_link_options(-fsanitize=${LAPSE_SANITIZE})
endif()

# lapse_floor(NAME [OWN] SOURCES … HEADERS … [DEPENDS …] [PRIVATE_DEPENDS …])
# One floor of the house: static library lapse_NAME, alias and exported name lapse::NAME, headers beside their sources.
# OWN: it is the program's own and not installed for other projects.
function(lapse_floor name)
  cmake_parse_arguments(floor "OWN" "" "SOURCES;HEADERS;DEPENDS;PRIVATE_DEPENDS" ${ARGN})
  add_library(lapse_${name} STATIC ${floor_SOURCES})
  add_library(lapse::${name} ALIAS lapse_${name})
  set_target_properties(lapse_${name} PROPERTIES EXPORT_NAME ${name})
  target_compile_features(lapse_${name} PUBLIC cxx_std_20)
  target_sources(lapse_${name} PUBLIC FILE_SET HEADERS BASE_DIRS ${PROJECT_SOURCE_DIR} FILES ${floor_HEADERS})
  target_link_libraries(lapse_${name} PUBLIC ${floor_DEPENDS} PRIVATE ${floor_PRIVATE_DEPENDS} $<BUILD_INTERFACE:lapse_warnings>)
  if(NOT floor_OWN)
    set_property(GLOBAL APPEND PROPERTY LAPSE_FLOORS lapse_${name})
  endif()
endfunction()

# lapse_page(OUTPUT NAMESPACE HEADER FILE…)
# OUTPUT becomes a source that holds the files of a web page: NAMESPACE::page_files(), which HEADER declares.
function(lapse_page output namespace header)
  set(script ${PROJECT_SOURCE_DIR}/cmake/write-page.cmake)
  add_custom_command(OUTPUT ${output}
    COMMAND ${CMAKE_COMMAND} "-DFILES=${ARGN}" -DOUTPUT=${output} -DNAMESPACE=${namespace} -DHEADER=${header} -P ${script}
    DEPENDS ${ARGN} ${script}
    COMMENT "Embedding the page of ${namespace}" VERBATIM)
endfunction()
