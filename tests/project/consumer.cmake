# Configures, builds and runs tests/consumer against a component of the build, installed into an empty prefix. Where
# component is empty: configures it with the library's sources as a part of it, where no Boost can be found.
# Variables: build, source, work (wiped), component, program (whether there is one), generator, compiler, launcher, flags.
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
set(consumer ${CMAKE_COMMAND} -S ${source}/tests/consumer -B ${work}/consumer -G ${generator}
  -D CMAKE_CXX_COMPILER=${compiler} -D CMAKE_CXX_COMPILER_LAUNCHER=${launcher})

if(NOT component)
  run("Configuring the consumer" ${consumer} -D stackae_source=${source} -D CMAKE_DISABLE_FIND_PACKAGE_Boost=ON
    -D "CMAKE_CXX_FLAGS=${flags}")
  # No more than the lowest room: the library's other sources are known to include no Boost (check_includes.cmake).
  run("Building the library's base" ${CMAKE_COMMAND} --build ${work}/consumer --target stackae_base)
  return()
endif()

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

run("Configuring the consumer" ${consumer} -D CMAKE_PREFIX_PATH=${work}/prefix
  -D "CMAKE_CXX_FLAGS=${flags} -Wall -Wextra -Werror")
run("Building the consumer" ${CMAKE_COMMAND} --build ${work}/consumer)
run("Running the consumer" ${work}/consumer/consumer ${work}/written)

# The program of docs/library.md, without arguments, tells how it is used.
execute_process(COMMAND ${work}/consumer/page_example RESULT_VARIABLE result ERROR_VARIABLE text)
if(NOT result EQUAL 2 OR NOT text MATCHES "^Usage: ")
  message(FATAL_ERROR "The program of docs/library.md gave ${result}: ${text}")
endif()

# The program was installed with the library, and finds it.
if(EXISTS ${work}/prefix/bin/stackae)
  run("Running the installed program" ${work}/prefix/bin/stackae --help)
  # So were the models that ship.
  foreach(sample photos recognize)
    run("Extracting by a model that ships" ${work}/prefix/bin/stackae extract ${source}/sample_images/${sample})
    string(FIND "${output}" "model: ${work}/prefix/" at)
    if(at EQUAL -1)
      message(FATAL_ERROR "Another model than an installed one was used: ${output}")
    endif()
  endforeach()
elseif(program AND component STREQUAL "Unspecified")
  message(FATAL_ERROR "The program was not installed")
endif()
