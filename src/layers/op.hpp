#pragma once

#include <cstdint>

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

/// A function of the channels of one position of a map, in place.
class PositionOp {
public:
    PositionOp() = default;
    PositionOp(const PositionOp&) = delete;
    PositionOp& operator=(const PositionOp&) = delete;
    virtual ~PositionOp() = default;

    /// values: of `count` positions, size count × channels.
    virtual void run(float* values, std::int64_t count) = 0;
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
