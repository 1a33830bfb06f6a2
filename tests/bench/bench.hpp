#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "peer.hpp"
#include "tuned_peer.hpp"

namespace stackae::bench {

inline constexpr double giga = 1e-9;

/// What a row is measured with.
struct Setup {
    std::string data;     ///< folder of MNIST's IDX files
    std::string folder;   ///< for files that are made, gone afterwards
    std::string program;  ///< stackae's
    std::string reader;   ///< a bare program that reads a picture with OpenCV
    int threads = 2;
    int repeats = 5;
    Runner* runner = nullptr;
    TunedPeer* python = nullptr;  ///< PyTorch and scikit-learn; null: not asked for
    TunedPeer* faiss = nullptr;
};

/// What another program did in the same rounds.
struct Beside {
    std::string name;
    std::string policy;     ///< how its threads wait, where that suits it better
    double value = 0.0;     ///< in the row's unit
    double faster = 0.0;    ///< median over rounds: how many times faster stackae is
    double products = 0.0;  ///< GFLOP/s of a plain matrix product of its own, of about the row's shape
    double products_of_limit = 0.0;  ///< over oneDNN's of the same shape and precision

    /// Below that, the row says more about how the peer was built than about what it does.
    [[nodiscard]] bool at_its_best() const { return products_of_limit >= 0.5; }
};

/// One line of the table; ratios above 1 are in favour of stackae.
struct Row {
    Row(std::string row_name, std::string description, double measured, std::string in_unit)
        : name(std::move(row_name)),
          what(std::move(description)),
          value(measured),
          unit(std::move(in_unit)) {}

    std::string name;
    std::string what;
    double value;
    std::string unit;
    std::optional<double> limit;       ///< in the same unit
    std::optional<double> over_limit;  ///< median of value / limit over rounds
    std::optional<Beside> peer;
    std::optional<double> peak_mib;
};

/// A family of rows and how they are measured.
struct Rows {
    std::vector<std::string> names;
    std::function<std::vector<Row>(const Setup&)> measure;
};

[[nodiscard]] std::vector<Rows> training_rows();
[[nodiscard]] std::vector<Rows> extraction_rows();
[[nodiscard]] std::vector<Rows> search_rows();
[[nodiscard]] std::vector<Rows> process_rows();

/// Seconds that a call takes.
[[nodiscard]] double seconds_of(const std::function<void()>& body);
[[nodiscard]] double median(std::vector<double> values);

/// Times of things that are measured in turn, `repeats` times, after one round that does not count.
class Rounds {
public:
    /// Each returns its seconds.
    Rounds(int repeats, const std::vector<std::function<double()>>& things);

    [[nodiscard]] double seconds(std::size_t thing) const { return median(times_[thing]); }
    /// Median of the other's time by the thing's, round by round: how many times faster the thing is.
    [[nodiscard]] double faster(std::size_t thing, std::size_t other) const;

private:
    std::vector<std::vector<double>> times_;
};

/// What is asked of a peer for a row.
struct PeerRun {
    TunedPeer* peer = nullptr;
    std::string name;  ///< in the table
    std::string request;
    std::string library;  ///< by which it multiplies matrices
    ProductShape products;
};

/// Each peer chooses how its threads wait, and joins what is measured in turn.
void add_things(std::vector<std::function<double()>>& things, const std::vector<PeerRun>& peers);
/// Adds to a row what a peer took as one of the things that were measured in turn. work: a time, in the row's
/// unit.
void add_peer(Row& row, const PeerRun& run, const Setup& setup, const Rounds& rounds, std::size_t thing,
              double work);

}  // namespace stackae::bench
