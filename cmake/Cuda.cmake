# Is the CUDA device built? Sets LAPSE_CUDA by LAPSE_WITH_CUDA and by what is installed: the toolkit and its compiler, nvcc.

if(NOT LAPSE_WITH_CUDA MATCHES "^(AUTO|ON|OFF)$")
  message(FATAL_ERROR "LAPSE_WITH_CUDA=${LAPSE_WITH_CUDA}: must be AUTO, ON or OFF")
endif()
set(LAPSE_CUDA OFF)

function(lapse_cuda_missing what)
  set(remedy "Install NVIDIA's CUDA toolkit, and name its nvcc by -DCMAKE_CUDA_COMPILER=… where it isn't found")
  if(LAPSE_WITH_CUDA STREQUAL "AUTO")
    message(STATUS "Device cuda: left out, ${what} was not found. ${remedy}")
  else()
    message(FATAL_ERROR "Device cuda: ${what} was not found. ${remedy}")
  endif()
endfunction()

include(${CMAKE_CURRENT_LIST_DIR}/NvToolsExt.cmake)
if(NOT LAPSE_WITH_CUDA STREQUAL "OFF")
  find_package(CUDAToolkit 11.4 QUIET)  # cudaGraphInstantiateWithFlags
  if(NOT TARGET CUDA::cudart_static)
    lapse_cuda_missing("the CUDA toolkit with its static runtime")
  else()
    # nvcc lies beside the toolkit, also where PATH doesn't lead to it.
    if(NOT CMAKE_CUDA_COMPILER AND NOT DEFINED ENV{CUDACXX} AND CUDAToolkit_NVCC_EXECUTABLE)
      set(CMAKE_CUDA_COMPILER ${CUDAToolkit_NVCC_EXECUTABLE})
    endif()
    include(CheckLanguage)
    check_language(CUDA)
    if(NOT CMAKE_CUDA_COMPILER)
      lapse_cuda_missing("nvcc")
    else()
      # Turing, Ampere and Hopper as they are, and code that the driver translates for whatever is newer.
      set(CMAKE_CUDA_ARCHITECTURES 75-real 80-real 90 CACHE STRING "The GPUs that lapse holds code for")
      set(CMAKE_CUDA_RUNTIME_LIBRARY Static)
      enable_language(CUDA)
      set(CMAKE_CUDA_STANDARD 17)
      set(CMAKE_CUDA_STANDARD_REQUIRED ON)
      set(LAPSE_CUDA ON)
      message(STATUS "Device cuda: CUDA ${CUDAToolkit_VERSION} of ${CUDAToolkit_TARGET_DIR}")
    endif()
  endif()
endif()

if(LAPSE_CUDA)
  # What is compiled into the floor, and into the tests with a stand-in for the CUDA runtime; the kernels are apart.
  set(LAPSE_CUDA_SOURCES cuda/clocks.cpp cuda/error.cpp cuda/open.cpp cuda/timeline.cpp cuda/witness.cpp)
  # CUPTI's headers lie beside the runtime's, or where older toolkits put them.
  find_path(LAPSE_CUPTI_INCLUDE_DIR cupti.h HINTS ${CUDAToolkit_INCLUDE_DIRS} ${CUDAToolkit_TARGET_DIR}/extras/CUPTI/include
    NO_DEFAULT_PATH DOC "The folder of cupti.h")
  set(LAPSE_CUDA_INCLUDE_DIRS ${CUDAToolkit_INCLUDE_DIRS})
  if(LAPSE_CUPTI_INCLUDE_DIR)
    list(APPEND LAPSE_CUDA_INCLUDE_DIRS ${LAPSE_CUPTI_INCLUDE_DIR})
    list(REMOVE_DUPLICATES LAPSE_CUDA_INCLUDE_DIRS)
  else()
    message(STATUS "Device cuda: built without its second witness, as cupti.h was not found")
  endif()
endif()

# lapse_cuda_object(OBJECT SOURCE.cu)
# Sets OBJECT to the compiled source, to be given to a C++ target as one of its sources. By a copy: CMake would otherwise take the target,
# and every program that links it, for one in CUDA, link it by nvcc's host compiler whatever compiler was asked for, and want nvcc of those
# who only use the installed library.
function(lapse_cuda_object object source)
  cmake_path(GET source STEM name)
  set(target lapse_cuda_${name})
  add_library(${target} OBJECT ${source})
  target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR})
  set(copy ${CMAKE_CURRENT_BINARY_DIR}/${name}.cu.o)
  add_custom_command(OUTPUT ${copy} COMMAND ${CMAKE_COMMAND} -E copy $<TARGET_OBJECTS:${target}> ${copy}
    DEPENDS $<TARGET_OBJECTS:${target}> COMMENT "Taking over ${name}.cu" VERBATIM)
  set_source_files_properties(${copy} PROPERTIES EXTERNAL_OBJECT ON GENERATED ON)
  set(${object} ${copy} PARENT_SCOPE)
endfunction()
