# Looks up what has no usable CMake package on every supported Debian, and makes an imported target of each:
# OpenCV's CMake files come only with the whole of OpenCV, oneDNN's ask for OpenCL, the others have none everywhere.
# The build and the installed package (stackae-config.cmake) both include this file, so no path of the machine that
# built stackae gets into the package.

# stackae_find(NAME HEADER LIBRARY): the target stackae_dep_NAME. HEADER or LIBRARY may be "" where none is needed.
# What is not found is appended to stackae_missing in the caller's scope.
function(stackae_find name header library)
  if(TARGET stackae_dep_${name})
    return()
  endif()
  if(header)
    find_path(STACKAE_${name}_INCLUDE ${header} PATH_SUFFIXES opencv4)
    mark_as_advanced(STACKAE_${name}_INCLUDE)
  endif()
  if(library)
    find_library(STACKAE_${name}_LIBRARY ${library})
    mark_as_advanced(STACKAE_${name}_LIBRARY)
  endif()
  if((header AND NOT STACKAE_${name}_INCLUDE) OR (library AND NOT STACKAE_${name}_LIBRARY))
    set(stackae_missing ${stackae_missing} "${name} (${header} ${library})" PARENT_SCOPE)
    return()
  endif()
  add_library(stackae_dep_${name} INTERFACE IMPORTED GLOBAL)
  if(header)
    target_include_directories(stackae_dep_${name} SYSTEM INTERFACE ${STACKAE_${name}_INCLUDE})
  endif()
  if(library)
    target_link_libraries(stackae_dep_${name} INTERFACE ${STACKAE_${name}_LIBRARY})
  endif()
endfunction()

# What the library is linked with; a program that links the static library needs these too.
macro(stackae_find_linked)
  stackae_find(opencv_core opencv2/core.hpp opencv_core)
  stackae_find(opencv_imgproc opencv2/imgproc.hpp opencv_imgproc)
  stackae_find(dnnl dnnl.hpp dnnl)
  stackae_find(jpeg jpeglib.h jpeg)
  stackae_find(png png.h png)
  stackae_find(xxhash xxhash.h xxhash)
endmacro()
