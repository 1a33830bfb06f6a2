#pragma once

#include <chrono>
#include <cstdint>
#include <fstream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "stackae/pictures.hpp"
#include "stackae/train.hpp"

#include "cli/console.hpp"

namespace stackae::cli {

/// Shows training as it goes: a bar with rate and time left on a terminal, a line an epoch, a JSON line an
/// epoch in the log; and ends it cleanly when the user interrupts.
class TrainMonitor : public TrainObserver {
public:
    /// log: empty for none. A log that is there stays as it is until there is a line to replace it with.
    /// Throws IoError when it cannot be written. All references must outlive the monitor.
    TrainMonitor(Console& console, const Pictures& pictures, const Recipe& recipe,
                 const TrainOptions& options, const std::string& log);

    void on_read(std::int64_t done, std::int64_t of) override;
    void on_skipped(const SkippedPicture& picture) override;
    void on_remark(const PictureRemark& remark) override;
    void on_batch(int layer, std::int64_t epoch, std::int64_t epochs, std::int64_t done,
                  std::int64_t of) override;
    void on_epoch(const EpochRecord& record) override;
    void on_alike(std::int64_t pictures) override;
    bool stop() override;
    void on_failure(Model finished) override { finished_ = std::move(finished); }

    /// Notes on the health of the phase that ended last.
    void finish();
    /// A line of the log: {"event": "layers", …}, what the layers' codes are worth.
    void log_layers(const Model& model);
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

    void begin_phase(int layer);
    /// What a layer makes of what, and how.
    [[nodiscard]] std::string layer_note(int layer) const;
    void end_phase();
    void log_line(const std::string& line);
    [[nodiscard]] bool is_convolution(int layer) const;
    [[nodiscard]] bool is_closed_form(int layer) const;
    /// Multiplications of a picture in one epoch of a phase of dense layers; the unit of work that time is
    /// reckoned in.
    [[nodiscard]] double work(int layer) const;
    [[nodiscard]] std::int64_t epochs_of(int layer) const;
    [[nodiscard]] std::string phase_name(int layer) const;
    /// Layers of the stack.
    [[nodiscard]] int depth() const;

    Console& console_;
    const Pictures& pictures_;
    const Recipe& recipe_;
    const TrainOptions& options_;
    std::vector<ConvolutionShape> shapes_;  ///< of the convolutional layers
    std::string log_path_;
    std::ofstream log_;
    bool log_begun_ = false;  ///< or has failed, or there is none
    Progress reading_;
    std::vector<SkippedPicture> skipped_;
    std::optional<Model> finished_;
    bool alike_ = false;
    std::vector<PictureRemark> remarks_;
    int layer_ = -1;  ///< phase under way; -1: none yet
    EpochRecord last_;
    std::int64_t epochs_ = 0;   ///< seen in all phases
    double work_before_ = 0.0;  ///< of the phases that ended
    Clock::time_point start_;
    Clock::time_point phase_start_;
    Clock::time_point drawn_;
};

}  // namespace stackae::cli
