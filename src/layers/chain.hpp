#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "stackae/layer.hpp"
#include "stackae/tensor.hpp"

#include "linalg/onednn.hpp"

namespace stackae::layers {

enum class Direction { encode, decode };

/// How many of these layers a chain up to `to` leaves out where what the lowest `from` make is at hand:
/// these, or none where one of the others pools over transforms of the picture.
[[nodiscard]] std::size_t chain_begin(const Layers& layers, std::size_t from, std::size_t to);
/// Of a row through all of these, as Layer::encoding_multiply_adds() counts.
[[nodiscard]] double encoding_multiply_adds(const Layers& layers);

/// Runs any number of rows through layers, one way or the other. Neighbours that are best run row by row, as
/// maps are, share a pass with a row a thread, in which nothing leaves a core's cache between two of them;
/// others take blocks of rows of fixed size, the last filled up with zeros, so that a row's result does not
/// depend on its neighbours. A single row has a block of its own, since a whole one would cost many times its
/// work.
///
/// Below a layer that pools over transforms of the picture another chain runs, once for each of them; such
/// layers begin at the picture, see chain_begin().
///
/// Ops are made when they are first needed. Use one per thread.
class Chain {
public:
    /// layers: bottom up, bound to one another. threads: 0: one a core. Throws InvalidArgument where one
    /// cannot be decoded and is to be.
    Chain(Layers layers, Direction direction, int threads);
    ~Chain();
    Chain(Chain&&) noexcept;
    Chain& operator=(Chain&&) noexcept;

    /// n × inputs to n × outputs; of no layers, the rows themselves. Throws InvalidArgument on another width,
    /// by the name of the direction.
    [[nodiscard]] Tensor run(const Tensor& rows);
    /// The same; what is not needed any more is let go.
    [[nodiscard]] Tensor run(Tensor&& rows);
    /// Floats that it holds at most, about, while it runs n rows, these and its result among them.
    [[nodiscard]] double working_floats(std::int64_t n) const;

private:
    class Segment;
    /// What is below a layer that pools over transforms.
    struct Pooled;

    [[nodiscard]] Tensor run_pooled(const Tensor& pictures);
    void check_columns(const Tensor& rows, std::int64_t expected) const;
    Tensor run_segment(std::size_t i, const Tensor& rows);

    Direction direction_;
    std::unique_ptr<linalg::Context> context_;
    std::unique_ptr<Pooled> pooled_;
    std::vector<std::unique_ptr<Segment>> segments_;
};

}  // namespace stackae::layers
