# Finds LibTorch, as the target lapse_libtorch. Sets LIBTORCH_FOUND, LIBTORCH_TEXT, and LIBTORCH_CUDA where its CUDA half can be built.
#
# A LibTorch with CUDA has a CMake package that enables the CUDA language, asks for nvcc and every library of the toolkit, ends the
# configuration where one is missing, and takes the libc10 of a LibTorch in the system's folders for its own. Of all that the plug-in needs
# nothing. So where such a LibTorch was named, by CMAKE_PREFIX_PATH or Torch_DIR, its few files are named here.
set(LIBTORCH_FOUND OFF)
set(LIBTORCH_CUDA OFF)

cmake_path(CONVERT "$ENV{CMAKE_PREFIX_PATH}" TO_CMAKE_PATH_LIST from_environment)
# The folder itself, the one that torch.utils.cmake_prefix_path tells, and the package's own.
find_path(libtorch_root lib/libtorch_cuda.so
  HINTS ${Torch_DIR} ${CMAKE_PREFIX_PATH} ${from_environment}
  PATH_SUFFIXES ../../.. ../..
  NO_DEFAULT_PATH NO_CACHE)

if(libtorch_root)
  file(REAL_PATH ${libtorch_root} libtorch_root)
  set(PACKAGE_FIND_VERSION 0)
  include(${libtorch_root}/share/cmake/Torch/TorchConfigVersion.cmake OPTIONAL)
  set(LIBTORCH_FOUND ON)
  set(LIBTORCH_TEXT "LibTorch ${PACKAGE_VERSION} of ${libtorch_root}, CPU only: without the CUDA toolkit")
  add_library(lapse_libtorch INTERFACE)
  target_include_directories(lapse_libtorch SYSTEM INTERFACE
    ${libtorch_root}/include ${libtorch_root}/include/torch/csrc/api/include)
  # libtorch.so brings the operators of CUDA with it, though no symbol of theirs is asked for.
  target_link_libraries(lapse_libtorch INTERFACE
    ${libtorch_root}/lib/libtorch_cpu.so ${libtorch_root}/lib/libc10.so
    -Wl,--push-state,--no-as-needed,${libtorch_root}/lib/libtorch.so,--pop-state)
  # Before 2.7 some were built with the old ABI of libstdc++; the package says so.
  file(STRINGS ${libtorch_root}/share/cmake/Torch/TorchConfig.cmake abi REGEX "_GLIBCXX_USE_CXX11_ABI=0")
  if(abi)
    target_compile_definitions(lapse_libtorch INTERFACE _GLIBCXX_USE_CXX11_ABI=0)
  endif()
  if(CUDAToolkit_FOUND)
    set(LIBTORCH_CUDA ON)
    set(LIBTORCH_TEXT "LibTorch ${PACKAGE_VERSION} of ${libtorch_root}, CPU and CUDA")
    target_include_directories(lapse_libtorch SYSTEM INTERFACE ${CUDAToolkit_INCLUDE_DIRS})
    target_link_libraries(lapse_libtorch INTERFACE ${libtorch_root}/lib/libc10_cuda.so)
  endif()
  return()
endif()

find_package(Torch QUIET)
if(Torch_FOUND OR TORCH_FOUND)
  set(LIBTORCH_FOUND ON)
  set(LIBTORCH_TEXT "LibTorch ${Torch_VERSION} of ${TORCH_LIBRARY}, CPU only")
  add_library(lapse_libtorch INTERFACE)
  target_link_libraries(lapse_libtorch INTERFACE ${TORCH_LIBRARIES})
endif()
