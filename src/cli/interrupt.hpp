#pragma once

#include <exception>

/// SIGINT, SIGTERM and SIGHUP end every command with exit code 130. SIGHUP stays ignored where it was when
/// the program started (nohup).
namespace stackae::cli {

/// Thrown to unwind, so that what is finished is kept and temporary files go, when the user has asked to
/// stop: exit code 130.
class Interrupted : public std::exception {
public:
    [[nodiscard]] const char* what() const noexcept override { return "interrupted"; }
};

/// From here on a signal ends the program at once, which says that it was interrupted: nothing is being
/// written yet.
void end_on_interrupts();
/// From here on a signal only raises a flag, for there is something to keep or to clear away. A second SIGINT
/// or SIGTERM ends the program at once; SIGHUP comes several times where a terminal is closed.
void catch_interrupts();
[[nodiscard]] bool interrupted() noexcept;
/// Throws Interrupted when the flag is up.
void check_interrupted();
/// As a file's `waiting`: what is not written yet need not wait for other runs when the user asks to stop.
void stop_waiting(double seconds);

}  // namespace stackae::cli
