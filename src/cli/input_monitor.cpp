#include "cli/input_monitor.hpp"

#include <fmt/format.h>

#include "stackae/text.hpp"

#include "cli/command.hpp"
#include "cli/interrupt.hpp"

namespace stackae::cli {

void InputMonitor::on_read(std::int64_t done, std::int64_t of) {
    if (!progress_) {
        progress_.emplace(console_, "pictures", of);
    }
    progress_->update(done);
}

void InputMonitor::on_remark(const ImageEntry& entry, std::string_view text) {
    if (++remarks_ <= named_at_most) {
        console_.warn(fmt::format("note: {}: {}", printable(entry.path), text));
    }
}

void InputMonitor::on_skipped(const ImageEntry& entry, std::string_view status, std::string_view reason) {
    if (manifest_.skipped() <= named_at_most) {
        console_.warn(fmt::format("skipped {}: {} ({})", printable(entry.path), printable(reason), status));
    }
}

void InputMonitor::on_end(std::int64_t rows, std::int64_t skipped) {
    if (skipped > named_at_most) {
        console_.warn(fmt::format("… and {} more", format_count(skipped - named_at_most)));
    }
    if (remarks_ > named_at_most) {
        console_.warn(fmt::format("… and {} more notes", format_count(remarks_ - named_at_most)));
    }
    if (rows > 0 && skipped > 0) {
        console_.warn(fmt::format("{} of {} pictures were skipped", format_count(skipped),
                                  format_count(skipped + rows)));
    }
}

void InputMonitor::on_resumed(std::int64_t done, std::int64_t of) {
    console_.note(fmt::format("taken from the run that was stopped: the first {} of {}", format_count(done),
                              format_count(of, "picture")));
}

void InputMonitor::on_checkpoint_failed(const std::string& why) {
    console_.warn(fmt::format("warning: no checkpoint: {}; the work goes on", why));
}

bool InputMonitor::stop() {
    return interrupted();
}

int InputMonitor::exit_code() const {
    return manifest_.skipped() > 0 ? exit_code::skipped : exit_code::done;
}

void PartProgress::operator()(std::string_view part, std::int64_t done, std::int64_t of) {
    check_interrupted();
    if (part != part_) {
        monitor_.end_progress();
        progress_.reset();
        part_ = part;
        progress_.emplace(console_, part_, of);
    }
    progress_->update(done);
}

}  // namespace stackae::cli
