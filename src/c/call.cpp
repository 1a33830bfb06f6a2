#include "c/call.hpp"

#include <cstdlib>
#include <cstring>
#include <new>

#include "stackae/resources.hpp"

namespace stackae::c {
namespace {

stackae_status status_of(const Error& error) {
    if (dynamic_cast<const InvalidArgument*>(&error) != nullptr) {
        return STACKAE_INVALID_ARGUMENT;
    }
    if (dynamic_cast<const IoError*>(&error) != nullptr) {
        return STACKAE_IO_ERROR;
    }
    if (dynamic_cast<const CorruptFile*>(&error) != nullptr) {
        return STACKAE_CORRUPT_FILE;
    }
    if (dynamic_cast<const BackendError*>(&error) != nullptr) {
        return STACKAE_BACKEND_ERROR;
    }
    if (dynamic_cast<const Divergence*>(&error) != nullptr) {
        return STACKAE_DIVERGENCE;
    }
    return dynamic_cast<const NotFinite*>(&error) != nullptr ? STACKAE_NOT_FINITE : STACKAE_FAILED;
}

/// Without a text where there is no memory for one.
stackae_status tell(char** message, stackae_status status, const char* text) noexcept {
    if (message != nullptr) {
        *message = ::strdup(text);
    }
    return status;
}

}  // namespace

char* text_of(std::string_view text) {
    auto* const copy = static_cast<char*>(std::malloc(text.size() + 1));
    if (copy == nullptr) {
        throw std::bad_alloc();
    }
    std::memcpy(copy, text.data(), text.size());
    copy[text.size()] = '\0';
    return copy;
}

stackae_status failure(char** message) noexcept {
    try {
        throw;
    } catch (const Stopped&) {
        return tell(message, STACKAE_STOPPED, "the observer said stop");
    } catch (const Error& error) {
        return tell(message, status_of(error), error.what());
    } catch (const std::bad_alloc&) {
        return tell(message, STACKAE_OUT_OF_MEMORY, "out of memory");
    } catch (const std::exception& error) {
        return tell(message, STACKAE_FAILED, error.what());
    } catch (...) {
        return tell(message, STACKAE_FAILED, "an exception of another kind");
    }
}

}  // namespace stackae::c

const char* stackae_version(void) {
    return stackae::version();
}

void stackae_string_free(char* text) {
    std::free(text);
}
