#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "stackae/inputs.hpp"

#include "cli/console.hpp"

namespace stackae::cli {

/// Shows what becomes of inputs as they are read: a bar, the first pictures that are skipped or remarked upon
/// by name, and in the end how many there were. Stops where the user interrupts.
class InputMonitor : public InputObserver {
public:
    /// With a manifest that appears by itself; manifest: empty for none. Throws IoError when it cannot be
    /// written.
    explicit InputMonitor(Console& console, const std::string& manifest = {})
        : console_(console), manifest_(*this, manifest) {}
    /// With one that appears when `files` are committed.
    InputMonitor(Console& console, OutputFiles& files, const std::string& manifest)
        : console_(console), manifest_(*this, files, manifest) {}

    [[nodiscard]] Manifest& manifest() { return manifest_; }

    void on_read(std::int64_t done, std::int64_t of) override;
    void on_remark(const ImageEntry& entry, std::string_view text) override;
    void on_skipped(const ImageEntry& entry, std::string_view status, std::string_view reason) override;
    void on_end(std::int64_t rows, std::int64_t skipped) override;
    void on_resumed(std::int64_t done, std::int64_t of) override;
    void on_checkpoint_failed(const std::string& why) override;
    bool stop() override;

    /// The bar goes.
    void end_progress() { progress_.reset(); }
    /// 0, or 3 where a picture was skipped.
    [[nodiscard]] int exit_code() const;

private:
    static constexpr std::int64_t named_at_most = 20;

    Console& console_;
    std::optional<Progress> progress_;
    std::int64_t remarks_ = 0;
    Manifest manifest_;
};

/// Shows how far each part of some work has come that reads inputs first, as the library's on_progress tells
/// it; ends it where the user interrupts. Console and monitor must outlive it.
class PartProgress {
public:
    PartProgress(Console& console, InputMonitor& monitor) : console_(console), monitor_(monitor) {}

    void operator()(std::string_view part, std::int64_t done, std::int64_t of);
    /// The bar goes.
    void end() { progress_.reset(); }

private:
    Console& console_;
    InputMonitor& monitor_;
    std::optional<Progress> progress_;
    std::string part_;
};

}  // namespace stackae::cli
