#include "model/convolution_runner.hpp"

#include <algorithm>
#include <atomic>

#include "base/parallel.hpp"
#include "base/threads.hpp"
#include "linalg/onednn.hpp"
#include "model/dense_runner.hpp"
#include "nn/convolution.hpp"

namespace stackae::encoding {

/// The layers for one thread, with a buffer between any two; the last one's stays empty.
class ConvolutionRunner::Worker {
public:
    Worker(const Model& model, std::size_t layers) : context_(1) {
        for (std::size_t i = 0; i < layers; ++i) {
            layers_.emplace_back(context_, model.convolutions[i]);
            maps_.emplace_back(Tensor({i + 1 < layers ? model.convolutions[i].outputs() : 0}));
        }
    }

    void encode(const float* picture, float* code) {
        for (std::size_t i = 0; i < layers_.size(); ++i) {
            layers_[i].forward(i == 0 ? picture : maps_[i - 1].data(),
                               i + 1 == layers_.size() ? code : maps_[i].data());
        }
    }

    void decode(const float* code, float* picture) {
        for (std::size_t i = layers_.size(); i-- > 0;) {
            layers_[i].backward(i + 1 == layers_.size() ? code : maps_[i].data(),
                                i == 0 ? picture : maps_[i - 1].data());
        }
    }

private:
    linalg::Context context_;
    std::vector<nn::Convolution> layers_;
    std::vector<Tensor> maps_;
};

ConvolutionRunner::ConvolutionRunner(const Model& model, std::size_t layers, int threads)
    : model_(model), layers_(layers), workers_(static_cast<std::size_t>(base::resolve_threads(threads))) {}
ConvolutionRunner::~ConvolutionRunner() = default;

template <class Body>
Tensor ConvolutionRunner::run(const Tensor& rows, std::int64_t columns, const Body& body) {
    Tensor result({rows.rows(), columns});
    const auto threads = static_cast<int>(std::min<std::int64_t>(std::ssize(workers_), rows.rows()));
    std::atomic<std::int64_t> next{0};
    base::run_team(threads, [&](int member, int /*team*/) {
        auto& worker = workers_[static_cast<std::size_t>(member)];
        for (std::int64_t i = next++; i < rows.rows(); i = next++) {
            if (!worker) {
                worker = std::make_unique<Worker>(model_, layers_);
            }
            body(*worker, rows.row(i).data(), result.row(i).data());
        }
    });
    return result;
}

Tensor ConvolutionRunner::encode(const Tensor& pictures) {
    check_columns("encode", pictures, model_.recipe.size());
    return run(pictures, model_.convolutions[layers_ - 1].outputs(),
               [](Worker& worker, const float* src, float* dst) { worker.encode(src, dst); });
}

Tensor ConvolutionRunner::decode(const Tensor& codes) {
    check_columns("decode", codes, model_.convolutions[layers_ - 1].outputs());
    return run(codes, model_.recipe.size(),
               [](Worker& worker, const float* src, float* dst) { worker.decode(src, dst); });
}

}  // namespace stackae::encoding
