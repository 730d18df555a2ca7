# CMake 3.25's find module calls CUDA::nvToolsExt outdated also where there is none, as since CUDA 13, and fails over it. Included before
# find_package(CUDAToolkit), here and by who uses the installed lapse.
if(NOT TARGET CUDA::nvToolsExt)
  add_library(CUDA::nvToolsExt INTERFACE IMPORTED)
endif()
