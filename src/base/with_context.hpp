#pragma once

#include <string>

#include "stackae/error.hpp"

namespace stackae::base {

/// What body() gives. What it refuses as an InvalidArgument is thrown as Thrown, with where that was before
/// it: "{where}: …".
template <class Thrown = InvalidArgument, class Body>
auto with_context(const std::string& where, const Body& body) {
    try {
        return body();
    } catch (const InvalidArgument& error) {
        throw Thrown(where + ": " + error.what());
    }
}

}  // namespace stackae::base
