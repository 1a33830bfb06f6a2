#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "stackae/model.hpp"

#include "nn/dense.hpp"

namespace stackae::encoding {

/// Throws InvalidArgument, by the name of the operation, unless rows have so many values.
void check_columns(const char* what, const Tensor& rows, std::int64_t expected);

/// A chain of dense layers without training, for blocks of n rows.
class Chain {
public:
    struct Link {
        Activation activation;
        const float* weights;
        const float* bias;
        std::int64_t ic;
        std::int64_t oc;
        bool transposed;
    };

    Chain(linalg::Context& context, const std::vector<Link>& links, std::int64_t n);

    /// src n × ic of the first link; the result is valid until the next call.
    const Tensor& run(const float* src);

private:
    std::vector<Link> links_;
    std::vector<nn::Dense> dense_;
    std::vector<Tensor> dst_;
};

/// Rows of a block: 256, or fewer where layers are so wide that their values would take much memory.
[[nodiscard]] std::int64_t block_rows(const std::vector<Chain::Link>& links);

/// Runs any number of rows in blocks of fixed size; the last is filled up with zeros. A single row has a
/// chain of its own, since a whole block would cost many times its work.
class BlockRunner {
public:
    explicit BlockRunner(std::vector<Chain::Link> links) : links_(std::move(links)) {}

    /// Throws InvalidArgument where rows do not fit; `what` names the operation.
    Tensor run(linalg::Context& context, const Tensor& rows, const char* what);

private:
    Chain& chain_of(linalg::Context& context, std::int64_t block) {
        return chains_.try_emplace(block, context, links_, block).first->second;
    }

    std::vector<Chain::Link> links_;
    std::map<std::int64_t, Chain> chains_;
};

}  // namespace stackae::encoding
