#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "stackae/pictures.hpp"

#include "base/file_set.hpp"
#include "cli/console.hpp"
#include "cli/option_parser.hpp"
#include "cli/results.hpp"

namespace stackae::cli {

/// Accounts for every input picture: rows are numbered, what is left out is named, counted and, where a
/// manifest is wanted, written as CSV `path,row,label,status,reason`.
class Account {
public:
    /// manifest: empty for none. Throws IoError when it cannot be written.
    Account(Console& console, const std::string& manifest);
    /// The manifest appears when `files` are committed, together with the output that it tells of.
    Account(Console& console, base::FileSet& files, const std::string& manifest);

    /// A picture that became the next row, and what should be said of it all the same.
    void used(const PictureEntry& entry, std::string_view remark = {});
    /// A picture without a row.
    void left_out(const PictureEntry& entry, std::string_view status, std::string_view reason);
    /// Every picture of a collection, in order.
    void fill(const Pictures& pictures, const std::vector<SkippedPicture>& skipped,
              const std::vector<PictureRemark>& remarks);
    /// Completes the manifest and sums up what was left out. Throws IoError when not one picture was used;
    /// then there is no output, and the manifest appears by itself.
    void finish();

    [[nodiscard]] std::int64_t rows() const { return rows_; }
    [[nodiscard]] std::int64_t skipped() const { return skipped_; }
    /// 0, or 3 where something was left out.
    [[nodiscard]] int exit_code() const;

private:
    static constexpr std::int64_t named_at_most = 20;

    Console& console_;
    base::FileSet own_;
    base::AtomicFile* manifest_ = nullptr;  ///< in own_ or in the caller's files
    bool shared_ = false;
    std::int64_t rows_ = 0;
    std::int64_t skipped_ = 0;
    std::int64_t remarks_ = 0;
};

/// Appends the pictures of a collection that one of `written` would replace.
void add_replaced(const Pictures& pictures, const std::vector<NamedPath>& written,
                  std::vector<NamedPath>& read);

/// All inputs of a command line, opened.
class Inputs {
public:
    /// Of several paths, one that cannot be opened is left out and accounted for; an only one is an error.
    Inputs(const std::vector<std::string>& paths, const PictureLimits& limits);

    [[nodiscard]] std::int64_t size() const;
    [[nodiscard]] bool labelled() const;
    /// Of all of them; see Pictures::notes().
    [[nodiscard]] std::vector<std::string> notes() const;
    /// For check_outputs(): the paths given, and the pictures of them that one of `written` would replace.
    [[nodiscard]] std::vector<NamedPath> files(const std::vector<NamedPath>& written) const;

private:
    friend class InputReader;
    struct Source {
        std::string path;
        std::optional<Pictures> pictures;
        std::string status;  ///< where there are no pictures: why
        std::string reason;
    };
    std::vector<Source> sources_;
};

struct InputBatch {
    Tensor pictures;                    ///< n × recipe.size()
    std::vector<PictureEntry> entries;  ///< size n
};

/// Reads all inputs in order, in batches that run across them, and keeps the account. Checks for interrupts.
class InputReader {
public:
    struct Options {
        std::int64_t batch_size = 256;
        int threads = 0;
        std::int64_t memory = std::int64_t{256} << 20U;  ///< bytes of pictures read ahead and in batches
        bool need_label = false;                         ///< leave out pictures without one
        std::optional<std::string> label;                ///< in place of their own
    };

    InputReader(const Inputs& inputs, const Recipe& recipe, Options options, Account& account,
                Progress& progress);

    /// The next batch of 1 to batch_size rows, or false at the end. Throws Interrupted.
    bool next(InputBatch& batch);

private:
    [[nodiscard]] std::int64_t fitting_batch() const;
    bool read_on();
    void account_for(const Pictures& pictures);

    const Inputs& inputs_;
    const Recipe& recipe_;
    Options options_;
    Account& account_;
    Progress& progress_;
    std::size_t source_ = 0;                 ///< index of the input being read
    std::unique_ptr<PictureReader> reader_;  ///< of that input
    PictureBatch decoded_;
    std::vector<std::optional<PictureEntry>> kept_;  ///< of the rows of decoded_; empty: left out
    std::int64_t row_ = 0;                           ///< next row of decoded_
    std::int64_t seen_ = 0;
};

}  // namespace stackae::cli
