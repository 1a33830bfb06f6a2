#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

/// Every exception that the library throws derives from stackae::Error. Its text names the operation,
/// what was found, what was expected, and the file or layer it happened in.
namespace stackae {

class Error : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// The caller asked for something that cannot be: a size of zero, an unknown name, shapes that differ.
class InvalidArgument : public Error {
public:
    using Error::Error;
};

/// The system refused: a file that is missing, unreadable or cannot be written.
class IoError : public Error {
public:
    using Error::Error;
};

/// A file was read, but what is in it cannot be believed.
class CorruptFile : public Error {
public:
    using Error::Error;
};

/// oneDNN, OpenCV or another library below failed.
class BackendError : public Error {
public:
    using Error::Error;
};

/// Training ran away: the loss is not a number, or far above that of predicting the mean picture.
class Divergence : public Error {
public:
    using Error::Error;
};

/// What a model makes of a picture is infinite or not a number: its weights, or the values, are too large.
class NotFinite : public Error {
public:
    NotFinite(const std::string& text, std::int64_t row) : Error(text), row_(row) {}
    /// Of the tensor that was given, counted from 0.
    [[nodiscard]] std::int64_t row() const { return row_; }

private:
    std::int64_t row_;
};

}  // namespace stackae
