#include <algorithm>
#include <cstddef>
#include <fmt/format.h>
#include <utility>

#include "stackae/error.hpp"
#include "stackae/gallery.hpp"

#include "base/rows.hpp"
#include "search/gallery_check.hpp"
#include "search/label_encoder.hpp"

namespace stackae {
namespace {

void check_options(const RecognizeOptions& options) {
    if (options.k && *options.k < 1) {
        throw InvalidArgument(fmt::format("recognize: k of at least 1 expected, {} found", *options.k));
    }
    if (options.top < 1) {
        throw InvalidArgument(fmt::format("recognize: top of at least 1 expected, {} found", options.top));
    }
    if (options.threshold && !(*options.threshold >= 0.0)) {
        throw InvalidArgument(
            fmt::format("recognize: a threshold of 0 or more expected, {} found", *options.threshold));
    }
}

const Gallery& checked(const Gallery& gallery, const RecognizeOptions& options) {
    check_options(options);
    search::check(gallery, "recognize");
    if (gallery.size() == 0) {
        throw InvalidArgument("recognize: the gallery is empty, at least one entry expected");
    }
    return gallery;
}

std::optional<double> threshold_in_force(const Gallery& gallery, const RecognizeOptions& options) {
    if (options.threshold) {
        return options.threshold;
    }
    if (!options.metric || *options.metric == gallery.metric) {
        return gallery.threshold;
    }
    Gallery other = gallery;
    other.metric = *options.metric;
    calibrate(other, gallery.false_accept_rate, options.threads);
    return other.threshold;
}

/// Without those beyond the threshold: strangers to the query have no say in its name.
Neighbours within(Neighbours voters, std::optional<double> threshold) {
    for (std::size_t i = 0; threshold && i < voters.rows.size(); ++i) {
        if (double{voters.distances[i]} > *threshold) {
            voters.rows[i] = -1;
        }
    }
    return voters;
}

}  // namespace

struct Recognizer::State {
    State(const Gallery& gallery, const RecognizeOptions& options_in)
        : options(options_in),
          names(checked(gallery, options).names),
          paths(gallery.paths),
          threshold(threshold_in_force(gallery, options)),
          index(gallery.codes, options.metric.value_or(gallery.metric), options.threads) {}

    [[nodiscard]] Candidate candidate(const Neighbours& found, std::int64_t place) const;
    [[nodiscard]] Recognition decide(const Neighbours& found, std::int64_t query, std::int64_t winner) const;
    /// After the first of `top`, the vote's winner, the nearest entry of each other name, best first, up to
    /// options.top.
    void fill(std::vector<Candidate>& top, const Neighbours& found, std::int64_t query) const;

    RecognizeOptions options;
    search::LabelEncoder names;
    std::vector<std::string> paths;
    std::optional<double> threshold;
    NeighbourIndex index;
};

Candidate Recognizer::State::candidate(const Neighbours& found, std::int64_t place) const {
    const auto row = static_cast<std::size_t>(found.rows[static_cast<std::size_t>(place)]);
    const auto number = static_cast<std::size_t>(names.numbers()[row]);
    return {names.names()[number], double{found.distances[static_cast<std::size_t>(place)]}, paths[row]};
}

Recognition Recognizer::State::decide(const Neighbours& found, std::int64_t query,
                                      std::int64_t winner) const {
    const auto first = found.rows.begin() + query * found.k;
    // The nearest where none is within the threshold.
    const auto place = std::find_if(first, first + found.k, [&](std::int64_t row) {
        return winner < 0 || names.numbers()[static_cast<std::size_t>(row)] == winner;
    });
    const Candidate best = candidate(found, place - found.rows.begin());
    Recognition recognition;
    recognition.distance = best.distance;
    recognition.known = !threshold || best.distance <= *threshold;
    recognition.name = recognition.known ? best.name : "unknown";
    recognition.top = {best};
    return recognition;
}

void Recognizer::State::fill(std::vector<Candidate>& top, const Neighbours& found, std::int64_t query) const {
    top.resize(1);
    for (std::int64_t j = 0; j < found.k && std::ssize(top) < options.top; ++j) {
        Candidate next = candidate(found, query * found.k + j);
        if (std::none_of(top.begin(), top.end(), [&](const Candidate& c) { return c.name == next.name; })) {
            top.push_back(std::move(next));
        }
    }
}

Recognizer::Recognizer(const Gallery& gallery, const RecognizeOptions& options)
    : state_(std::make_unique<State>(gallery, options)) {}
Recognizer::Recognizer(Recognizer&&) noexcept = default;
Recognizer& Recognizer::operator=(Recognizer&&) noexcept = default;
Recognizer::~Recognizer() = default;

std::vector<Recognition> Recognizer::recognize(const Tensor& codes) {
    const std::int64_t k = voters(state_->options.vote, state_->options.k);
    const std::int64_t wanted = std::min(state_->options.top, state_->names.count());
    Neighbours found = state_->index.search(codes, std::max(k, wanted));
    const Neighbours voting = within(found.first(k), state_->threshold);
    const auto winners = state_->index.vote(voting, state_->names.numbers(), state_->options.vote);
    std::vector<Recognition> recognitions;
    std::vector<std::int64_t> pending;
    for (std::int64_t query = 0; query < codes.rows(); ++query) {
        recognitions.push_back(state_->decide(found, query, winners[static_cast<std::size_t>(query)]));
        pending.push_back(query);
    }
    // Where many entries of few names come first, more neighbours are asked for until the names suffice.
    for (;;) {
        std::vector<std::int64_t> short_of;
        for (std::size_t i = 0; i < pending.size(); ++i) {
            auto& top = recognitions[static_cast<std::size_t>(pending[i])].top;
            state_->fill(top, found, static_cast<std::int64_t>(i));
            if (std::ssize(top) < wanted) {
                short_of.push_back(pending[i]);
            }
        }
        if (short_of.empty()) {
            return recognitions;
        }
        pending = std::move(short_of);
        found = state_->index.search(base::gather_rows(codes, pending), 8 * found.k);
    }
}

std::optional<double> Recognizer::threshold() const {
    return state_->threshold;
}

}  // namespace stackae
