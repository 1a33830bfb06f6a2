#pragma once

#include <cstdint>
#include <exception>
#include <fmt/format.h>
#include <memory>
#include <string>
#include <string_view>

#include "stackae/error.hpp"
#include "stackae/signal_guard.hpp"
#include "stackae/stackae.h"

namespace stackae::c {

/// Thrown to end a call where the observer said stop.
struct Stopped {};

/// For stackae_string_free(). Throws std::bad_alloc.
[[nodiscard]] char* text_of(std::string_view text);

/// What the exception that is being handled says; never throws.
[[nodiscard]] stackae_status failure(char** message) noexcept;

/// Does the work; no exception leaves it.
template <class Work>
[[nodiscard]] stackae_status call(char** message, const Work& work) noexcept {
    if (message != nullptr) {
        *message = nullptr;
    }
    try {
        work();
        return STACKAE_OK;
    } catch (...) {
        return failure(message);
    }
}

/// The same of work in oneDNN, on so many threads.
template <class Work>
[[nodiscard]] stackae_status compute(char** message, int threads, const Work& work) noexcept {
    return call(message, [&] {
        const SignalGuard guard(threads);
        work();
    });
}

/// What a pointer leads to. Throws InvalidArgument where it is NULL.
template <class Value>
[[nodiscard]] Value& given(Value* pointer, const char* what) {
    if (pointer == nullptr) {
        throw InvalidArgument(fmt::format("{}: NULL found, a pointer expected", what));
    }
    return *pointer;
}

/// Hands a result over to the caller.
template <class Handle>
void put(Handle** to, const char* what, std::unique_ptr<Handle> made) {
    Handle*& place = given(to, what);
    place = made.release();
}

/// A text, which stackae_string_free() is to free.
inline void put_text(char** to, const char* what, std::string_view text) {
    char*& place = given(to, what);
    place = text_of(text);
}

/// Throws InvalidArgument where a number is below that.
inline void check_at_least(const char* what, std::int64_t least, std::int64_t found) {
    if (found < least) {
        throw InvalidArgument(fmt::format("{}: {} found, {} or more expected", what, found, least));
    }
}

}  // namespace stackae::c
