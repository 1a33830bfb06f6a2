#pragma once

#include <cstdio>

namespace stackae::cli {

/// Makes writing to a pipe that nobody reads, and beyond `ulimit -f`, an error of the write instead of a
/// signal that ends the program. Standard streams that were closed get a descriptor whose use fails, so that
/// no file opened later is taken for one of them.
void guard_streams();

/// Where the program's own messages go: the standard error it was started with. From the first call on, what
/// others in this process print to `stderr` goes nowhere: libraries that decode pictures tell there what they
/// think of damaged ones, without the file's name, and beside the message that names it.
[[nodiscard]] std::FILE* messages();

}  // namespace stackae::cli
