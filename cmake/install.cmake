# The build tree offers the same spelling that an installed tunic has: #include <tunic/stack/stack.hpp>.
file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/include)
file(CREATE_LINK ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR}/include/tunic SYMBOLIC)

install(DIRECTORY stack drivers http DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/tunic FILES_MATCHING PATTERN "*.hpp")
install(EXPORT tunic NAMESPACE tunic:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/tunic FILE tunic-targets.cmake)

include(CMakePackageConfigHelpers)
configure_package_config_file(cmake/tunic-config.cmake.in ${PROJECT_BINARY_DIR}/tunic-config.cmake
  INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/tunic)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/tunic-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/tunic-config.cmake ${PROJECT_BINARY_DIR}/tunic-config-version.cmake
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/tunic)
