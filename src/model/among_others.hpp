#pragma once

#include <algorithm>
#include <cstdint>

#include "stackae/tensor.hpp"

namespace stackae::encoding {

/// run() of one row as a batch of several has it: a row that is run by itself takes less work and is rounded
/// otherwise.
template <class Run>
Tensor among_others(const Tensor& row, const Run& run) {
    const std::int64_t columns = row.columns();
    Tensor twice({2, columns});
    std::copy_n(row.data(), columns, twice.row(0).data());
    std::copy_n(row.data(), columns, twice.row(1).data());
    const Tensor both = run(twice);
    Tensor one({1, both.columns()});
    std::copy_n(both.data(), both.columns(), one.data());
    return one;
}

}  // namespace stackae::encoding
