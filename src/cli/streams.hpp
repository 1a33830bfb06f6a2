#pragma once

namespace stackae::cli {

/// Makes writing to a pipe that nobody reads, and beyond `ulimit -f`, an error of the write instead of a
/// signal that ends the program. Standard streams that were closed get a descriptor whose use fails, so that
/// no file opened later is taken for one of them.
void guard_streams();

}  // namespace stackae::cli
