#include "nn/eltwise.hpp"

namespace stackae::nn {

linalg::Eltwise eltwise_of(Activation activation) {
    using dnnl::algorithm;
    switch (activation) {
        case Activation::sigmoid:
            return {algorithm::eltwise_logistic_use_dst_for_bwd, 1.0F};
        case Activation::tanh:
            return {algorithm::eltwise_tanh_use_dst_for_bwd, 1.0F};
        case Activation::relu:
            return linalg::eltwise_relu;
        case Activation::elu:
            return {algorithm::eltwise_elu_use_dst_for_bwd, 1.0F};
        case Activation::silu:
            return {algorithm::eltwise_swish, 1.0F};
        case Activation::linear:
            break;
    }
    return {};
}

}  // namespace stackae::nn
