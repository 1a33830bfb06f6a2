#include "cli/train_monitor.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fmt/format.h>
#include <system_error>

#include "stackae/error.hpp"
#include "stackae/evaluate.hpp"

#include "cli/interrupt.hpp"
#include "cli/stack_text.hpp"
#include "cli/values.hpp"

namespace stackae::cli {

TrainMonitor::TrainMonitor(Console& console, const Pictures& pictures, const Recipe& recipe,
                           const TrainOptions& options, const std::string& log)
    : console_(console),
      pictures_(pictures),
      recipe_(recipe),
      options_(options),
      shapes_(convolution_shapes(recipe, options)),
      log_path_(log),
      log_begun_(log.empty()),
      reading_(console, "reading", pictures.size()) {
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

void TrainMonitor::on_batch(int layer, std::int64_t epoch, std::int64_t epochs, std::int64_t done,
                            std::int64_t of) {
    begin_phase(layer);
    const auto now = Clock::now();
    if (!console_.draws() || now - drawn_ < std::chrono::milliseconds(100) || of <= 0) {
        return;
    }
    drawn_ = now;
    const double in_epoch = static_cast<double>(done) / static_cast<double>(of);
    const double in_this = std::chrono::duration<double>(now - phase_start_).count();
    if (is_convolution(layer) || epoch == 0) {
        console_.draw(fmt::format("{} {} {}  {:.0f} pictures/s", phase_name(layer),
                                  epoch == 0 ? "inputs" : "patches", bar(in_epoch, 20),
                                  static_cast<double>(done) / in_this));
        return;
    }
    const double in_phase = static_cast<double>(epoch - 1) + in_epoch;
    double total = 0.0;
    for (int phase = 0; phase <= depth(); ++phase) {
        total += work(phase) * static_cast<double>(epochs_of(phase));
    }
    const double worked = work_before_ + work(layer) * in_phase;
    const double spent = std::chrono::duration<double>(now - start_).count();
    console_.draw(fmt::format("{} epoch {}/{} {}  {:.0f} pictures/s  {} left", phase_name(layer), epoch,
                              epochs, bar(in_epoch, 20), in_phase * static_cast<double>(of) / in_this,
                              worked > 0.0 ? format_duration(spent * (total - worked) / worked) : "?"));
}

void TrainMonitor::on_epoch(const EpochRecord& record) {
    begin_phase(record.layer);
    last_ = record;
    ++epochs_;
    const std::string validation =
        std::isnan(record.validation_loss) ? "" : fmt::format("  validation {:.4f}", record.validation_loss);
    if (is_convolution(record.layer) && record.learning_rate == 0.0) {  // of maps; steps are on patches
        console_.note(
            fmt::format("{} rebuilds its {}: loss {:.4f}  mean {:.4f}  {}", phase_name(record.layer),
                        record.layer == 1 ? "pictures" : "input maps",
                        std::isnan(record.validation_loss) ? record.train_loss : record.validation_loss,
                        record.mean_loss, format_duration(record.seconds)));
    } else {
        console_.note(fmt::format(
            "{} epoch {:>3}/{}  loss {:.4f}{}  mean {} {:.4f}  dead {:.1f}%  {}", phase_name(record.layer),
            record.epoch, epochs_of(record.layer), record.train_loss, validation,
            is_convolution(record.layer) ? "patch"
            : record.layer <= 1          ? "picture"
                                         : "code",
            record.mean_loss, 100.0 * record.dead_units, format_duration(record.seconds)));
    }
    log_line(to_json(record).set("event", "epoch").text());
}

void TrainMonitor::on_alike(std::int64_t pictures) {
    alike_ = true;
    console_.note(fmt::format(
        "warning: {}: nothing can be learnt that tells pictures apart",
        pictures == 1 ? std::string("there is one picture alone")
                      : fmt::format("all {} pictures have the same values", format_count(pictures))));
}

bool TrainMonitor::stop() {
    return interrupted();
}

void TrainMonitor::begin_phase(int layer) {
    if (layer == layer_) {
        return;
    }
    const auto now = Clock::now();
    if (layer_ >= 0) {
        end_phase();
    }
    if (layer_ < 0 || is_convolution(layer_)) {
        start_ = now;  // the time left is reckoned from dense layers alone
    }
    layer_ = layer;
    phase_start_ = now;
    console_.note(layer_note(layer));
}

std::string TrainMonitor::layer_note(int layer) const {
    if (layer == 0) {
        return fmt::format("fine-tuning the whole stack, {} epochs", epochs_of(layer));
    }
    if (is_convolution(layer)) {
        const auto index = static_cast<std::size_t>(layer - 1);
        const ConvolutionShape& s = shapes_[index];
        return fmt::format("{}: {}, {} units on patches of {}x{}x{} ({})", phase_name(layer), map_text(s),
                           s.units, s.kernel, s.kernel, s.channels, to_text(options_.convolutions[index]));
    }
    if (options_.radial_units > 0 && layer == depth()) {
        return fmt::format("{}: {} -> {} radial units at most", phase_name(layer), options_.code_size,
                           options_.radial_units);
    }
    const auto index = static_cast<std::size_t>(layer) - shapes_.size() - 1;
    const std::int64_t inputs = index > 0         ? options_.layers[index - 1]
                                : shapes_.empty() ? recipe_.size()
                                                  : shapes_.back().output_size();
    if (is_closed_form(layer)) {
        return fmt::format("{}: {} -> {}, a linear code in closed form", phase_name(layer), inputs,
                           options_.code_size);
    }
    return fmt::format("{}: {} -> {}, {} epochs", phase_name(layer), inputs, options_.layers[index],
                       epochs_of(layer));
}

void TrainMonitor::end_phase() {
    work_before_ += work(layer_) * static_cast<double>(epochs_of(layer_));
    if (epochs_ == 0 || last_.layer != layer_ || alike_) {
        return;
    }
    const double loss = std::isnan(last_.validation_loss) ? last_.train_loss : last_.validation_loss;
    if (loss >= last_.mean_loss) {
        console_.note(fmt::format(
            "warning: {} rebuilds its input no better than the mean would (loss {:.4f}, mean {:.4f}); {} may "
            "help",
            phase_name(layer_), loss, last_.mean_loss,
            is_convolution(layer_) ? "more units, smaller cells or a smaller patch"
                                   : "more --epochs, another --lr or less --corruption"));
    }
    if (last_.dead_units > 0.5) {
        console_.note(fmt::format(
            "warning: {:.0f}% of the units of {} give every picture the same value; fewer units, a lower "
            "--lr or another activation may help",
            100.0 * last_.dead_units, phase_name(layer_)));
    }
}

void TrainMonitor::finish() {
    console_.clear();
    if (layer_ >= 0) {
        end_phase();
        layer_ = -1;
    }
}

void TrainMonitor::log_outcome(const std::string& event, const std::string& message) {
    log_line(JsonObject().set("event", event).set("message", message).set("epochs", epochs_).text());
}

void TrainMonitor::log_layers(const Model& model) {
    std::vector<JsonObject> layers;
    for (const LayerAccuracy& accuracy : model.layer_accuracies) {
        layers.push_back(to_json(accuracy).set("code_size", model.code_size(accuracy.layer)));
    }
    log_line(JsonObject()
                 .set("event", "layers")
                 .set("layers", layers)
                 .set("recommended", recommended_layer(model))
                 .text());
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

double TrainMonitor::work(int layer) const {
    double sum = 0.0;
    std::int64_t inputs = shapes_.empty() ? recipe_.size() : shapes_.back().output_size();
    for (std::size_t l = 0; l < options_.layers.size(); ++l) {
        if (layer == 0 || layer == static_cast<int>(shapes_.size() + l) + 1) {
            sum += static_cast<double>(inputs) * static_cast<double>(options_.layers[l]);
        }
        inputs = options_.layers[l];
    }
    return sum;
}

std::int64_t TrainMonitor::epochs_of(int layer) const {
    if (layer == 0) {
        return options_.fine_tune_epochs;
    }
    if (is_convolution(layer)) {
        // Those of the patches, and one in which the decoder is fitted to whole pictures.
        const ConvolutionOptions& asked = options_.convolutions[static_cast<std::size_t>(layer - 1)];
        return 1 + (asked.context > 0 ? 0 : options_.patch_epochs);
    }
    if (is_closed_form(layer)) {
        return 1;
    }
    const auto& epochs = options_.epochs;
    return epochs.size() == 1 ? epochs.front()
                              : epochs.at(static_cast<std::size_t>(layer) - shapes_.size() - 1);
}

std::string TrainMonitor::phase_name(int layer) const {
    return layer == 0 ? "fine-tuning" : fmt::format("layer {}/{}", layer, depth());
}

bool TrainMonitor::is_convolution(int layer) const {
    return layer >= 1 && layer <= std::ssize(shapes_);
}

bool TrainMonitor::is_closed_form(int layer) const {
    return options_.code_size > 0 && layer + (options_.radial_units > 0 ? 1 : 0) >= depth();
}

int TrainMonitor::depth() const {
    return stack_depth(options_);
}

}  // namespace stackae::cli
