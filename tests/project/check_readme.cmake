# cmake -P check_readme.cmake README PROGRAM: fails unless the README holds the program, verbatim, as a C++ block.
file(READ ${CMAKE_ARGV3} readme)
file(READ ${CMAKE_ARGV4} program)
string(FIND "${readme}" "```cpp\n${program}```\n" at)
if(at EQUAL -1)
  message(FATAL_ERROR "${CMAKE_ARGV3} does not hold ${CMAKE_ARGV4} as it stands")
endif()
