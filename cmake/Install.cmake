# What `cmake --install` and the Debian package hold: the program, its plug-ins (engines/CMakeLists.txt), ONNX Runtime where tools/setup
# fetched it, and for other projects the floors with their headers: find_package(lapse), then lapse::lapse or a single floor.
include(CMakePackageConfigHelpers)

# What a person runs, without tests and benchmarks: `cmake --build build --target product`.
add_custom_target(product DEPENDS lapse)
foreach(plugin lapse-engine-onnxruntime lapse-engine-torch lapse-codec-vips)
  if(TARGET ${plugin})
    add_dependencies(product ${plugin})
  endif()
endforeach()
install(TARGETS lapse RUNTIME)

# The floors. lapse::lapse is all of them.
get_property(floors GLOBAL PROPERTY LAPSE_FLOORS)
add_library(lapse_umbrella INTERFACE)
add_library(lapse::lapse ALIAS lapse_umbrella)
set_target_properties(lapse_umbrella PROPERTIES EXPORT_NAME lapse)
list(TRANSFORM floors REPLACE "^lapse_" "lapse::" OUTPUT_VARIABLE exported_floors)
target_link_libraries(lapse_umbrella INTERFACE ${exported_floors})

set(config_folder ${CMAKE_INSTALL_LIBDIR}/cmake/lapse)
install(TARGETS ${floors} lapse_umbrella EXPORT lapse-targets ARCHIVE FILE_SET HEADERS)
install(EXPORT lapse-targets NAMESPACE lapse:: DESTINATION ${config_folder})
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/lapseConfig.cmake.in ${PROJECT_BINARY_DIR}/lapseConfig.cmake
  INSTALL_DESTINATION ${config_folder})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/lapseConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/lapseConfig.cmake ${PROJECT_BINARY_DIR}/lapseConfigVersion.cmake
  ${CMAKE_CURRENT_LIST_DIR}/NvToolsExt.cmake DESTINATION ${config_folder})

# ONNX Runtime itself goes beside the plug-ins' folder, where the plug-in looks for it, with its licence.
set(fetched ${PROJECT_SOURCE_DIR}/.deps/onnxruntime/lib)
if(TARGET lapse-engine-onnxruntime AND EXISTS ${fetched}/libonnxruntime.so)
  file(REAL_PATH ${fetched}/libonnxruntime.so library)
  install(FILES ${library} DESTINATION ${CMAKE_INSTALL_LIBDIR}/lapse)
  install(FILES ${fetched}/LICENSE ${fetched}/ThirdPartyNotices.txt DESTINATION ${CMAKE_INSTALL_DOCDIR}/onnxruntime)
endif()

# The photo models, where `lapse upscale` looks for them.
foreach(scale 2 4)
  install(FILES models/photo-sr/photo-x${scale}.onnx models/photo-sr/photo-x${scale}.json
    DESTINATION ${CMAKE_INSTALL_DATADIR}/lapse/models/photo-sr)
endforeach()

install(FILES LICENSE README.md README.ko.md DESTINATION ${CMAKE_INSTALL_DOCDIR} OPTIONAL)
# Of what every page of --html holds (lapse/report/CMakeLists.txt).
install(FILES /usr/share/doc/libjs-chart.js/copyright DESTINATION ${CMAKE_INSTALL_DOCDIR}/chart.js OPTIONAL)
install(DIRECTORY docs DESTINATION ${CMAKE_INSTALL_DOCDIR} OPTIONAL)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_CONTACT "lapse maintainers")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION "lapse measures the inference time of deep-learning models on ONNX Runtime or LibTorch: cold start, warm-up and steady state apart,
percentiles with confidence intervals, and the answer checked before anything is timed.
Headers and static libraries for other programs are included.")
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# Needed only by who builds against the libraries.
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "libexpected-dev, libfmt-dev, nlohmann-json3-dev, libprotobuf-dev")
include(CPack)
