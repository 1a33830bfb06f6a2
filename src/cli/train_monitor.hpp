#pragma once

#include <chrono>
#include <cstdint>
#include <fstream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "stackae/image_dataset.hpp"
#include "stackae/train.hpp"

#include "cli/console.hpp"

namespace stackae::cli {

/// Shows training as it goes: a bar with rate and time left on a terminal, a line an epoch, a JSON line an
/// epoch in the log; and ends it cleanly when the user interrupts.
class TrainMonitor : public TrainObserver {
public:
    /// rows: to be learnt from, and what one is; plan: of this training; log: empty for none. A log that is
    /// there stays as it is until there is a line to replace it with. Throws IoError when it cannot be
    /// written. The console must outlive the monitor.
    TrainMonitor(Console& console, std::int64_t rows, TrainPlan plan, const std::string& log,
                 std::string row = "picture");

    void on_read(std::int64_t done, std::int64_t of) override;
    void on_skipped(const SkippedPicture& picture) override;
    void on_remark(const PictureRemark& remark) override;
    void on_resumed(const CheckpointInfo& checkpoint) override;
    void on_checkpoint(double seconds) override;
    void on_checkpoint_failed(const std::string& why) override;
    void on_stage(const StageInfo& stage) override;
    void on_progress(const StageProgress& progress) override;
    void on_epoch(const StageEpoch& epoch) override;
    void on_alike(std::int64_t rows) override;
    bool stop() override;
    void on_failure(Model finished) override { finished_ = std::move(finished); }

    /// Notes on the health of the stage that ended last.
    void finish();
    /// A line of the log: {"event": "outputs", …}, what the codes at several depths are worth.
    void log_accuracies(const Model& model);
    /// A line of the log: {"event": "reconstruction", …}.
    void log_reconstruction(const ReconstructionErrors& errors);
    /// The log's last line: {"event": event, …}.
    void log_outcome(const std::string& event, const std::string& message);
    [[nodiscard]] const std::vector<SkippedPicture>& skipped() const { return skipped_; }
    /// Whether the pictures can be told apart by their values.
    [[nodiscard]] bool alike() const { return alike_; }
    /// What on_failure() was given.
    [[nodiscard]] const std::optional<Model>& finished() const { return finished_; }
    [[nodiscard]] const std::vector<PictureRemark>& remarks() const { return remarks_; }

private:
    using Clock = std::chrono::steady_clock;

    void end_stage();
    void log_line(const std::string& line);
    /// "3m left", by the work that is done and the time that it took; empty while that cannot be told.
    [[nodiscard]] std::string time_left(double share_of_stage) const;

    Console& console_;
    TrainPlan plan_;
    std::string row_;
    std::string log_path_;
    std::ofstream log_;
    bool log_begun_ = false;  ///< or has failed, or there is none
    Progress reading_;
    std::vector<SkippedPicture> skipped_;
    std::optional<Model> finished_;
    bool alike_ = false;
    std::vector<PictureRemark> remarks_;
    std::optional<StageInfo> stage_;  ///< under way
    std::optional<StageEpoch> last_;  ///< of that stage
    std::int64_t epochs_ = 0;         ///< seen in all stages
    double work_before_ = 0.0;        ///< multiply-adds of the stages that ended
    double work_resumed_ = 0.0;       ///< of those that ended before this run
    bool checkpoint_failed_ = false;  ///< and was told of
    Clock::time_point start_;         ///< of the first stage
    Clock::time_point stage_start_;
    Clock::time_point epoch_start_;
    Clock::time_point drawn_;
};

}  // namespace stackae::cli
