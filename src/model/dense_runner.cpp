#include "model/dense_runner.hpp"

#include <algorithm>
#include <fmt/format.h>

#include "stackae/error.hpp"

namespace stackae::encoding {
namespace {

constexpr std::int64_t most_rows = 256;
/// Of the widest layer of a block: 128 MiB.
constexpr std::int64_t most_values = std::int64_t{1} << 25;

}  // namespace

std::int64_t block_rows(const std::vector<Chain::Link>& links) {
    std::int64_t widest = 1;
    for (const Chain::Link& link : links) {
        widest = std::max({widest, link.ic, link.oc});
    }
    return std::clamp<std::int64_t>(most_values / widest, 1, most_rows);
}

void check_columns(const char* what, const Tensor& rows, std::int64_t expected) {
    if (rows.columns() != expected && rows.rows() > 0) {
        throw InvalidArgument(
            fmt::format("{}: rows of {} values found, {} expected", what, rows.columns(), expected));
    }
}

Chain::Chain(linalg::Context& context, const std::vector<Link>& links, std::int64_t n) : links_(links) {
    for (const Link& link : links_) {
        dense_.emplace_back(context,
                            nn::DenseShape{n, link.ic, link.oc, link.activation, link.transposed, false});
        dst_.emplace_back(Tensor({n, link.oc}));
    }
}

const Tensor& Chain::run(const float* src) {
    for (std::size_t i = 0; i < links_.size(); ++i) {
        dense_[i].forward(i == 0 ? src : dst_[i - 1].data(), links_[i].weights, links_[i].bias,
                          dst_[i].data());
    }
    return dst_.back();
}

Tensor BlockRunner::run(linalg::Context& context, const Tensor& rows, const char* what) {
    const std::int64_t ic = links_.front().ic;
    const std::int64_t oc = links_.back().oc;
    const std::int64_t n = rows.rows();
    check_columns(what, rows, ic);
    Tensor result({n, oc});
    const std::int64_t block = n == 1 ? 1 : block_rows(links_);
    Chain& chain = chain_of(context, block);
    Tensor last;
    for (std::int64_t at = 0; at < n; at += block) {
        const std::int64_t count = std::min(block, n - at);
        const float* src = rows.data() + at * ic;
        if (count < block) {
            last = Tensor({block, ic});
            std::copy_n(src, count * ic, last.data());
            src = last.data();
        }
        std::copy_n(chain.run(src).data(), count * oc, result.data() + at * oc);
    }
    return result;
}

}  // namespace stackae::encoding
