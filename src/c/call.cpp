#include "c/call.hpp"

#include <cstdlib>
#include <cstring>
#include <new>

#include "stackae/resources.hpp"

namespace stackae::c {
namespace {

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
    } catch (const InvalidArgument& error) {
        return tell(message, STACKAE_INVALID_ARGUMENT, error.what());
    } catch (const IoError& error) {
        return tell(message, STACKAE_IO_ERROR, error.what());
    } catch (const CorruptFile& error) {
        return tell(message, STACKAE_CORRUPT_FILE, error.what());
    } catch (const BackendError& error) {
        return tell(message, STACKAE_BACKEND_ERROR, error.what());
    } catch (const Divergence& error) {
        return tell(message, STACKAE_DIVERGENCE, error.what());
    } catch (const NotFinite& error) {
        return tell(message, STACKAE_NOT_FINITE, error.what());
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
