#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <utility>

#include "linalg/onednn.hpp"

namespace stackae::layers {

/// What ops are made for: the context, which must outlive them, and the rows that each call takes.
struct OpContext {
    linalg::Context& context;
    std::int64_t rows = 1;
};

/// A layer that runs, one way or the other. Made once, with all its primitives and buffers; one per thread.
/// The layer must outlive it.
class Op {
public:
    Op() = default;
    Op(const Op&) = delete;
    Op& operator=(const Op&) = delete;
    virtual ~Op() = default;

    /// src: rows × inputs; dst: rows × outputs, overwritten, may not overlap src. Allocates nothing.
    virtual void run(const float* src, float* dst) = 0;
};

/// One function of every row, or of every position.
class RowOp : public Op {
public:
    using Function = std::function<void(std::span<const float> src, std::span<float> dst)>;

    /// Of `rows` rows of `size` values, in and out.
    RowOp(std::int64_t rows, std::int64_t size, Function function)
        : rows_(rows), size_(static_cast<std::size_t>(size)), function_(std::move(function)) {}

    void run(const float* src, float* dst) override {
        for (std::int64_t i = 0; i < rows_; ++i, src += size_, dst += size_) {
            function_({src, size_}, {dst, size_});
        }
    }

private:
    std::int64_t rows_;
    std::size_t size_;
    Function function_;
};

/// Takes the positions of a map one by one and makes another map of them.
class Pooler {
public:
    Pooler() = default;
    Pooler(const Pooler&) = delete;
    Pooler& operator=(const Pooler&) = delete;
    virtual ~Pooler() = default;

    /// dst: the output map of one picture, overwritten by begin(), take() of each position and end().
    virtual void begin(float* dst) = 0;
    /// position: row-major, of the input; values: its channels.
    virtual void take(std::int64_t position, const float* values, float* dst) = 0;
    virtual void end(float* dst) = 0;
};

}  // namespace stackae::layers
