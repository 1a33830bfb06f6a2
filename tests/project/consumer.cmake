# Installs a component of the build into an empty prefix, then configures, builds and runs tests/consumer against it.
# Variables: build, source, work (wiped), component, generator, compiler, flags.
cmake_minimum_required(VERSION 3.22)

# run(WHAT COMMAND…): fails with the command's output; output holds it otherwise.
function(run what)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT result EQUAL 0)
    message(NOTICE "${output}")
    message(FATAL_ERROR "${what} failed (${result})")
  endif()
  message(STATUS "${what}: done")
  set(output "${output}" PARENT_SCOPE)
endfunction()

file(REMOVE_RECURSE ${work})
file(MAKE_DIRECTORY ${work}/written)
run("Installing" ${CMAKE_COMMAND} --install ${build} --prefix ${work}/prefix --component ${component})

# The package can be used on another machine: nothing in it names this one's folders.
file(GLOB_RECURSE scripts ${work}/prefix/*.cmake)
if(NOT scripts)
  message(FATAL_ERROR "No CMake package was installed")
endif()
foreach(script ${scripts})
  file(READ ${script} text)
  foreach(folder ${source} ${build} ${work})
    string(FIND "${text}" "${folder}" at)
    if(NOT at EQUAL -1)
      message(FATAL_ERROR "${script} names the build's folder ${folder}")
    endif()
  endforeach()
endforeach()

run("Configuring the consumer" ${CMAKE_COMMAND} -S ${source}/tests/consumer -B ${work}/consumer -G ${generator}
  -D CMAKE_PREFIX_PATH=${work}/prefix -D CMAKE_CXX_COMPILER=${compiler} -D "CMAKE_CXX_FLAGS=${flags} -Wall -Wextra -Werror")
run("Building the consumer" ${CMAKE_COMMAND} --build ${work}/consumer)
run("Running the consumer" ${work}/consumer/consumer ${work}/written)

# The README's program, without arguments, tells how it is used.
execute_process(COMMAND ${work}/consumer/readme_example RESULT_VARIABLE result ERROR_VARIABLE text)
if(NOT result EQUAL 2 OR NOT text MATCHES "^Usage: ")
  message(FATAL_ERROR "The README's program gave ${result}: ${text}")
endif()

# The program was installed with the library, and finds it.
if(EXISTS ${work}/prefix/bin/stackae)
  run("Running the installed program" ${work}/prefix/bin/stackae --help)
elseif(component STREQUAL "Unspecified")
  message(FATAL_ERROR "The program was not installed")
endif()
