# cmake -P check_page.cmake PAGE PROGRAM: fails unless the page holds the program, verbatim, as a C++ block.
file(READ ${CMAKE_ARGV3} page)
file(READ ${CMAKE_ARGV4} program)
string(FIND "${page}" "```cpp\n${program}```\n" at)
if(at EQUAL -1)
  message(FATAL_ERROR "${CMAKE_ARGV3} does not hold ${CMAKE_ARGV4} as it stands")
endif()
