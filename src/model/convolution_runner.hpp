#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "stackae/model.hpp"

namespace stackae::encoding {

/// The convolutional layers of a stack, run picture by picture on as many threads as are asked for.
class ConvolutionRunner {
public:
    /// The lowest `layers` of the model, which must outlive this.
    ConvolutionRunner(const Model& model, std::size_t layers, int threads);
    ~ConvolutionRunner();

    [[nodiscard]] bool empty() const { return layers_ == 0; }
    /// Pictures to the codes of the highest of the layers.
    Tensor encode(const Tensor& pictures);
    /// And back.
    Tensor decode(const Tensor& codes);

private:
    class Worker;
    template <class Body>
    Tensor run(const Tensor& rows, std::int64_t columns, const Body& body);

    const Model& model_;
    std::size_t layers_;
    std::vector<std::unique_ptr<Worker>> workers_;
};

}  // namespace stackae::encoding
