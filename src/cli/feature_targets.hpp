#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "stackae/features.hpp"

#include "cli/option_parser.hpp"
#include "cli/output.hpp"

namespace stackae::cli {

/// Where features go: stdout, or a file and any number of others beside it, each in a format of its own.
class FeatureTargets {
public:
    /// Declares --output, --format and --also.
    void declare(OptionParser& parser);
    /// Finds out the formats. Throws UsageError.
    void resolve();

    /// Empty: stdout.
    [[nodiscard]] const std::string& output() const { return output_; }
    /// All files that are written, with what each is called. labelled: whether there are labels; sprites:
    /// whether a projector gets one.
    [[nodiscard]] std::vector<NamedPath> written(bool labelled, bool sprites) const;

private:
    friend class FeatureWriters;
    struct Target {
        std::string path;
        FeatureFormat format;
    };

    std::string output_;
    std::optional<FeatureFormat> format_;
    std::vector<std::string> also_;
    std::vector<Target> targets_;
};

/// The tables of all targets while they are written.
class FeatureWriters {
public:
    /// What a table is like, as FeatureWriter has it.
    struct Layout {
        std::int64_t columns;
        bool labelled = false;
        std::vector<std::string> class_names = {};
        RowKind kind = RowKind::filename;
    };

    /// files: that the caller commits after finish(). Nothing is printed before the first row.
    FeatureWriters(const FeatureTargets& targets, OutputFiles& files, Layout layout);

    void write(const std::vector<FeatureRow>& rows, const Tensor& codes);
    [[nodiscard]] bool has_projector() const { return !projectors_.empty(); }
    /// See FeatureWriter; for those that take one.
    void set_sprite(const Tensor& picture, std::int64_t side);
    void finish();
    /// Whether there is a file among the targets, and what was written of so many rows, for people.
    [[nodiscard]] bool has_files() const { return !files_.empty(); }
    [[nodiscard]] std::string said(std::int64_t rows) const;

private:
    Layout layout_;
    std::vector<std::string> files_;
    std::optional<FeatureFormat> printed_;  ///< to stdout, not begun yet
    std::vector<std::unique_ptr<FeatureWriter>> writers_;
    std::vector<std::pair<FeatureWriter*, std::string>> projectors_;  ///< among them, and their sprites
};

}  // namespace stackae::cli
