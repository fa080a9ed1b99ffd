# tunic_layer(NAME [SOURCES file…] [USES target…]): one library a layer. USES is the list of arrows of the architecture;
# scripts/layers checks that the includes follow it. A layer without sources is headers only.
function(tunic_layer name)
  cmake_parse_arguments(layer "" "" "SOURCES;USES" ${ARGN})
  set(target tunic_${name})
  if(layer_SOURCES)
    add_library(${target} STATIC ${layer_SOURCES})
    set(scope PUBLIC)
    target_link_libraries(${target} PRIVATE $<BUILD_INTERFACE:tunic_flags>)
    set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE ON)
    # Nobody replaces a function of a static library at run time, so that position-independent code may inline.
    target_compile_options(${target} PRIVATE -fno-semantic-interposition)
  else()
    add_library(${target} INTERFACE)
    set(scope INTERFACE)
  endif()
  add_library(tunic::${name} ALIAS ${target})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${name})
  target_compile_features(${target} ${scope} cxx_std_20)
  target_include_directories(${target} ${scope}
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}> $<BUILD_INTERFACE:${PROJECT_BINARY_DIR}/include>
    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/tunic>)
  target_link_libraries(${target} ${scope} ${layer_USES})
  install(TARGETS ${target} EXPORT tunic ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
endfunction()

# tunic_gtest(NAME SOURCES file… USES target… [LABEL label]): a GoogleTest program, discovered by CTest one test at a
# time. The label `thread` is that of tests in which threads meet: scripts/test --thread runs them under TSan.
function(tunic_gtest name)
  cmake_parse_arguments(test "" "LABEL" "SOURCES;USES" ${ARGN})
  set(properties)
  if(test_LABEL)
    set(properties PROPERTIES LABELS ${test_LABEL})
  endif()
  add_executable(${name} ${test_SOURCES})
  target_link_libraries(${name} PRIVATE tunic_flags ${test_USES} GTest::gtest GTest::gtest_main)
  gtest_discover_tests(${name} DISCOVERY_TIMEOUT 60 ${properties})
endfunction()
