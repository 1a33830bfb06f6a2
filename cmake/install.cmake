# stackae_library(TARGET [STATIC|SHARED]): the library, put together from the modules' objects.
function(stackae_library target)
  set(objects ${STACKAE_MODULES})
  list(TRANSFORM objects REPLACE "(.+)" "$<TARGET_OBJECTS:stackae_\\1>")
  add_library(${target} ${ARGN} ${objects})
  # All that the modules are linked with; objects do not bring it along.
  target_link_libraries(${target} PRIVATE stackae_dep_dnnl stackae_dep_opencv_imgproc stackae_dep_opencv_core
    stackae_dep_jpeg stackae_dep_png stackae_dep_xxhash ${CMAKE_DL_LIBS} ZLIB::ZLIB fmt::fmt OpenMP::OpenMP_CXX Threads::Threads)
  target_include_directories(${target} PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_compile_features(${target} PUBLIC cxx_std_20)
  set_target_properties(${target} PROPERTIES OUTPUT_NAME stackae EXPORT_NAME stackae VERSION ${PROJECT_VERSION}
    SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
endfunction()

# stackae_install(TARGET [COMPONENT NAME …]): the library, its headers and its CMake package, so that
# find_package(stackae) gives stackae::stackae. Further arguments go to every install command.
function(stackae_install target)
  get_target_property(stackae_type ${target} TYPE)
  set(folder ${CMAKE_INSTALL_LIBDIR}/cmake/stackae)
  set(made ${CMAKE_CURRENT_BINARY_DIR}/package_${target})
  install(TARGETS ${target} EXPORT ${target}-targets
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} ${ARGN}
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} ${ARGN})
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/stackae DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} ${ARGN}
    FILES_MATCHING PATTERN *.hpp)
  install(EXPORT ${target}-targets FILE stackae-targets.cmake NAMESPACE stackae:: DESTINATION ${folder} ${ARGN})
  configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/stackae-config.cmake.in ${made}/stackae-config.cmake
    INSTALL_DESTINATION ${folder})
  write_basic_package_version_file(${made}/stackae-config-version.cmake COMPATIBILITY SameMinorVersion)
  install(FILES ${made}/stackae-config.cmake ${made}/stackae-config-version.cmake
    ${PROJECT_SOURCE_DIR}/cmake/stackae-dependencies.cmake DESTINATION ${folder} ${ARGN})
endfunction()
