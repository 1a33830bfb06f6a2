#include "cli/train_monitor.hpp"

#include <filesystem>
#include <fmt/format.h>
#include <system_error>

#include "stackae/error.hpp"
#include "stackae/evaluate.hpp"

#include "cli/checkpoint.hpp"
#include "cli/interrupt.hpp"
#include "cli/parse.hpp"

namespace stackae::cli {
namespace {

double seconds_between(std::chrono::steady_clock::time_point from, std::chrono::steady_clock::time_point to) {
    return std::chrono::duration<double>(to - from).count();
}

/// The loss that tells whether something was learnt, where one was measured.
std::optional<double> judged_loss(const StageEpoch& epoch) {
    return epoch.validation_loss ? epoch.validation_loss : epoch.train_loss;
}

std::string named_number(const char* name, const std::optional<double>& value) {
    return value ? fmt::format("  {} {:.4f}", name, *value) : "";
}

}  // namespace

TrainMonitor::TrainMonitor(Console& console, std::int64_t rows, TrainPlan plan, const std::string& log,
                           std::string row)
    : console_(console),
      plan_(std::move(plan)),
      row_(std::move(row)),
      log_path_(log),
      log_begun_(log.empty()),
      reading_(console, "reading", rows, row_ + "s") {
    if (!log.empty()) {
        log_.open(log, std::ios::app);
        if (!log_) {
            throw IoError(fmt::format("{}: the log cannot be written", log));
        }
    }
}

void TrainMonitor::on_read(std::int64_t done, std::int64_t /*of*/) {
    check_interrupted();
    reading_.update(done);
}

void TrainMonitor::on_skipped(const SkippedPicture& picture) {
    skipped_.push_back(picture);
}

void TrainMonitor::on_remark(const PictureRemark& remark) {
    remarks_.push_back(remark);
}

void TrainMonitor::on_resumed(const CheckpointInfo& checkpoint) {
    console_.note(fmt::format("{} is taken up again", progress_text(checkpoint)));
    for (std::int64_t i = 1; i < checkpoint.stage; ++i) {
        work_before_ += plan_.stages[static_cast<std::size_t>(i - 1)].multiply_adds;
    }
    work_resumed_ = work_before_;
    for (const StageEpoch& epoch : checkpoint.model.record.history) {
        ++epochs_;
        log_line(to_json(epoch).set("event", "epoch").text());
    }
    log_line(JsonObject().set("event", "resumed").set("stage", checkpoint.stage_name).text());
}

void TrainMonitor::on_checkpoint(double seconds) {
    log_line(JsonObject().set("event", "checkpoint").set("seconds", seconds).text());
}

void TrainMonitor::on_checkpoint_failed(const std::string& why) {
    if (!checkpoint_failed_) {
        console_.warn(fmt::format("warning: no checkpoint: {}; training goes on", why));
    }
    checkpoint_failed_ = true;
}

void TrainMonitor::on_stage(const StageInfo& stage) {
    const auto now = Clock::now();
    if (stage_) {
        end_stage();
    } else {
        start_ = now;
    }
    stage_ = stage;
    last_.reset();
    stage_start_ = epoch_start_ = now;
    console_.note(fmt::format(
        "{}: {} -> {}{}", stage.name, to_text(stage.input), to_text(stage.output),
        stage.epochs > 0 ? fmt::format(", {} epoch{}", stage.epochs, stage.epochs > 1 ? "s" : "") : ""));
}

void TrainMonitor::on_progress(const StageProgress& progress) {
    const auto now = Clock::now();
    if (!console_.draws() || now - drawn_ < std::chrono::milliseconds(100) || progress.of <= 0) {
        return;
    }
    drawn_ = now;
    const double in_epoch = static_cast<double>(progress.done) / static_cast<double>(progress.of);
    const double before = static_cast<double>(std::max<std::int64_t>(progress.epoch - 1, 0));
    const double seen = (before + in_epoch) * static_cast<double>(progress.of);
    const double share =
        progress.epochs > 0 ? (before + in_epoch) / static_cast<double>(progress.epochs) : 0.0;
    console_.draw(
        fmt::format("{}{} {}  {:.0f} {}s/s{}", stage_->name,
                    progress.epochs > 0 ? fmt::format(" epoch {}/{}", progress.epoch, progress.epochs)
                                        : std::string(" inputs"),
                    bar(in_epoch, 20), seen / seconds_between(stage_start_, now), row_, time_left(share)));
}

std::string TrainMonitor::time_left(double share_of_stage) const {
    const double worked = work_before_ + stage_->multiply_adds * share_of_stage;
    if (!(worked > 0.0) || !(plan_.multiply_adds > worked)) {
        return "";
    }
    const double spent = seconds_between(start_, Clock::now());
    const double done = worked - work_resumed_;
    return done > 0.0
               ? fmt::format("  {} left", format_duration(spent * (plan_.multiply_adds - worked) / done))
               : "";
}

void TrainMonitor::on_epoch(const StageEpoch& epoch) {
    const auto now = Clock::now();
    const double seconds = seconds_between(epoch_start_, now);
    epoch_start_ = now;
    last_ = epoch;
    ++epochs_;
    const bool is_step = epoch.learning_rate.has_value();  // else the whole layer was measured
    console_.note(fmt::format(
        "{}{}{}{}{}{}  {}", epoch.stage,
        is_step ? fmt::format(" epoch {:>3}/{}", epoch.epoch, stage_->epochs) : " rebuilds its input:",
        named_number("loss", is_step ? epoch.train_loss : judged_loss(epoch)),
        named_number("validation", is_step ? epoch.validation_loss : std::nullopt),
        named_number("mean", epoch.mean_loss),
        epoch.dead_units ? fmt::format("  dead {:.1f}%", 100.0 * *epoch.dead_units) : "",
        format_duration(seconds)));
    if (!epoch.remark.empty() && !alike_) {
        console_.note(fmt::format("warning: {}: {}", epoch.stage, epoch.remark));
    }
    log_line(to_json(epoch).set("event", "epoch").set("seconds", seconds).text());
}

void TrainMonitor::on_alike(std::int64_t rows) {
    alike_ = true;
    console_.note(fmt::format("warning: {}: nothing can be learnt that tells {}s apart",
                              rows == 1
                                  ? fmt::format("there is one {} alone", row_)
                                  : fmt::format("all {} have the same values", format_count(rows, row_)),
                              row_));
}

bool TrainMonitor::stop() {
    return interrupted();
}

void TrainMonitor::end_stage() {
    work_before_ += stage_->multiply_adds;
    if (!last_ || alike_ || !last_->remark.empty()) {
        return;
    }
    const std::optional<double> loss = judged_loss(*last_);
    if (loss && last_->mean_loss && *loss >= *last_->mean_loss) {
        console_.note(fmt::format(
            "warning: {} rebuilds its input no better than the mean would (loss {:.4f}, mean {:.4f}); {} may "
            "help",
            stage_->name, *loss, *last_->mean_loss,
            stage_->epochs > 0 ? "more --epochs, another --lr or less --corruption"
                               : "more units, smaller cells or a smaller patch"));
    }
    if (last_->dead_units && *last_->dead_units > 0.5) {
        console_.note(fmt::format(
            "warning: {:.0f}% of the units of {} give every {} the same value; fewer units, a lower "
            "--lr or another activation may help",
            100.0 * *last_->dead_units, stage_->name, row_));
    }
}

void TrainMonitor::finish() {
    console_.clear();
    if (stage_) {
        end_stage();
        stage_.reset();
    }
}

void TrainMonitor::log_outcome(const std::string& event, const std::string& message) {
    log_line(JsonObject().set("event", event).set("message", message).set("epochs", epochs_).text());
}

void TrainMonitor::log_accuracies(const Model& model) {
    std::vector<JsonObject> measured;
    for (const DepthAccuracy& accuracy : model.record.accuracies) {
        measured.push_back(
            to_json(accuracy).set("code_size", model.code_size(std::to_string(accuracy.depth))));
    }
    log_line(JsonObject()
                 .set("event", "outputs")
                 .set("outputs", measured)
                 .set("recommended", static_cast<std::int64_t>(recommended_depth(model)))
                 .text());
}

void TrainMonitor::log_reconstruction(const ReconstructionErrors& errors) {
    log_line(to_json(errors).set("event", "reconstruction").text());
}

void TrainMonitor::log_line(const std::string& line) {
    std::error_code ignored;
    if (!log_begun_ && std::filesystem::is_regular_file(log_path_, ignored)) {
        log_.close();
        log_.open(log_path_, std::ios::trunc);
    }
    log_begun_ = true;
    if (!log_.is_open()) {
        return;
    }
    log_ << line << std::endl;  // whoever follows the log sees each epoch as it ends
    if (!log_) {
        console_.warn(fmt::format("warning: {}: the log cannot be written any more", log_path_));
        log_.close();
    }
}

}  // namespace stackae::cli
