#pragma once

#include <exception>

namespace stackae::cli {

/// Thrown to unwind, so that temporary files go, when the user has asked to stop: exit code 130.
class Interrupted : public std::exception {
public:
    [[nodiscard]] const char* what() const noexcept override { return "interrupted"; }
};

/// From here on the first SIGINT or SIGTERM only raises a flag; a second one ends the program at once.
void catch_interrupts();
[[nodiscard]] bool interrupted() noexcept;
/// Throws Interrupted when the flag is up.
void check_interrupted();

}  // namespace stackae::cli
