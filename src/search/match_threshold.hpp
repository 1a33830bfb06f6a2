#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace stackae::search {

/// How similar different pictures come out when each is compared with all others: the largest of many
/// similarities follows a Gumbel distribution (Fisher & Tippett 1928; of scores of recognition Scheirer et
/// al. 2011), here of their inverse hyperbolic tangents (Fisher 1915). It is fitted by the median and the
/// lower quartile of them, so that up to half of the pictures may have true copies among the others.
class FalseMatches {
public:
    /// best: of some pictures, the largest similarity with any of `others` other ones. Absent where there are
    /// fewer than 20 pictures, or no others. What is
    /// below 0 counts as 0: nothing in common.
    static std::optional<FalseMatches> fit(std::vector<double> best, std::int64_t others);

    /// Similarity from which on at most this share of pairs of different pictures lies.
    [[nodiscard]] double similarity_at(double share) const;
    /// Share of pairs of different pictures that lies from this similarity on, no less than 1e-12.
    [[nodiscard]] double share_from(double similarity) const;

private:
    double location_ = 0.0;
    double scale_ = 1.0;
    double others_ = 1.0;
};

}  // namespace stackae::search
