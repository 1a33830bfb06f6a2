#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "stackae/model.hpp"
#include "stackae/tensor.hpp"

#include "layers/chain.hpp"

namespace stackae::evaluation {

/// Runs pictures through a stack, and gives their codes at several depths for the price of the deepest.
class DepthEncoder {
public:
    /// depths: in rising order, 1 or more layers each. It keeps what it needs of the model.
    DepthEncoder(const Model& model, const std::vector<std::size_t>& depths, int threads);

    /// Calls visit(i, codes) for each of the depths, bottom up. Throws as Encoder::encode().
    void run(const Tensor& pictures, const std::function<void(std::size_t, const Tensor&)>& visit);

private:
    /// Between one depth and the next, or up to that from the picture where layers pool over transforms of
    /// it.
    struct Part {
        bool of_pictures = false;
        layers::Chain chain;
    };

    int threads_;
    std::vector<Part> parts_;
};

}  // namespace stackae::evaluation
