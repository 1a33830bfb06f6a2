#include "export/output.hpp"

#include <cerrno>
#include <cstring>
#include <fmt/format.h>
#include <ostream>

#include "stackae/error.hpp"

namespace stackae::features {

void StreamOutput::write(std::string_view text) {
    errno = 0;
    stream_.write(text.data(), static_cast<std::streamsize>(text.size()));
    check();
}

void StreamOutput::sync() {
    errno = 0;
    stream_.flush();
    check();
}

void StreamOutput::check() const {
    if (!stream_) {
        throw IoError(fmt::format("features: cannot write to the output stream: {}",
                                  errno != 0 ? std::strerror(errno) : "full or closed"));
    }
}

}  // namespace stackae::features
