#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "stackae/recommend.hpp"

namespace stackae {

/// Results do not depend on it.
struct RecommendAllOptions {
    /// Folder that keeps what was found so far, until remove_recommend_checkpoint(); empty: nothing is kept.
    std::string checkpoint = {};
    double checkpoint_every = 300.0;  ///< seconds
    /// Go on where the checkpoint is, if there is one; else what it holds is replaced.
    bool resume = false;
};

/// Is told of recommend_all(), on the caller's thread.
class RecommendObserver {
public:
    RecommendObserver() = default;
    RecommendObserver(const RecommendObserver&) = delete;
    RecommendObserver& operator=(const RecommendObserver&) = delete;
    virtual ~RecommendObserver() = default;

    /// Users so far.
    virtual void on_recommended(std::int64_t /*done*/, std::int64_t /*of*/) {}
    /// Users, of so many, whose recommendations are taken from an earlier run's checkpoint.
    virtual void on_resumed(std::int64_t /*done*/, std::int64_t /*of*/) {}
    /// A checkpoint cannot be written; no other is tried.
    virtual void on_checkpoint_failed(const std::string& /*why*/) {}
    /// Asked between batches of users; true ends the work.
    virtual bool stop() { return false; }
};

/// Takes what is recommended to one user after another, by their numbers.
using RecommendSink = std::function<void(std::int64_t user, const Recommendations& found)>;

/// Recommends to every user of a table, which may be the model's own or another of the same items, by a
/// Recommender. Beside model and table it holds a batch of users' scores, and some MiB of what waits for a
/// checkpoint. False where the observer said stop: the sink has not been given all users then. Throws as
/// Recommender does, and what sink and observer throw.
///
/// With a checkpoint that is gone on with, the sink is given first what it holds, and all is as if the run
/// had never been stopped. Throws InvalidArgument where it is of another model, table or options, naming
/// which, or is of codes; IoError where another run has it; CorruptFile.
bool recommend_all(const Model& model, const Interactions& users, const RecommendOptions& recommend,
                   const RecommendAllOptions& options, RecommendObserver& observer,
                   const RecommendSink& sink);

/// Whether recommendations are kept in this folder.
[[nodiscard]] bool has_recommend_checkpoint(const std::string& folder);
/// How far they have come.
struct RecommendProgress {
    std::int64_t users = 0;  ///< the first ones of their table
    std::string model;       ///< its identity
};
/// Reads the checkpoint in a folder. Throws IoError, or CorruptFile naming the file and what is wrong.
[[nodiscard]] RecommendProgress load_recommend_progress(const std::string& folder);
/// Once the output is safe; nothing where there is no such folder. False where the folder stays, since other
/// files are in it, such as kept codes, or another run has it. Throws IoError where recommendations stay.
bool remove_recommend_checkpoint(const std::string& folder);

}  // namespace stackae
