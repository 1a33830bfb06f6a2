#include "features/output.hpp"

#include <ostream>

#include "stackae/error.hpp"

namespace stackae::features {

void StreamOutput::write(std::string_view text) {
    stream_.write(text.data(), static_cast<std::streamsize>(text.size()));
    check();
}

void StreamOutput::sync() {
    stream_.flush();
    check();
}

void StreamOutput::check() const {
    if (!stream_) {
        throw IoError("features: cannot write to the output stream: full or closed");
    }
}

}  // namespace stackae::features
