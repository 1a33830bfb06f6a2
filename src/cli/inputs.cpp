#include "cli/inputs.hpp"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <limits>
#include <map>
#include <sys/stat.h>
#include <utility>

#include "stackae/error.hpp"

#include "base/text.hpp"
#include "base/threads.hpp"
#include "cli/command.hpp"
#include "cli/interrupt.hpp"
#include "cli/values.hpp"

namespace stackae::cli {

Account::Account(Console& console, const std::string& manifest) : Account(console, own_, manifest) {
    shared_ = false;
}

Account::Account(Console& console, base::FileSet& files, const std::string& manifest)
    : console_(console), shared_(true) {
    if (!manifest.empty()) {
        manifest_ = &files.add(manifest);
        manifest_->write("path,row,label,status,reason\n");
    }
}

void Account::used(const PictureEntry& entry, std::string_view remark) {
    if (manifest_) {
        manifest_->write(fmt::format("{},{},{},ok,{}\n", base::csv_field(entry.path), rows_,
                                     base::csv_field(entry.label.value_or("")), base::csv_field(remark)));
    }
    ++rows_;
    if (!remark.empty() && ++remarks_ <= named_at_most) {
        console_.warn(fmt::format("note: {}: {}", printable(entry.path), remark));
    }
}

void Account::left_out(const PictureEntry& entry, std::string_view status, std::string_view reason) {
    if (manifest_) {
        manifest_->write(fmt::format("{},,{},{},{}\n", base::csv_field(entry.path),
                                     base::csv_field(entry.label.value_or("")), status,
                                     base::csv_field(reason)));
    }
    if (++skipped_ <= named_at_most) {
        console_.warn(fmt::format("skipped {}: {} ({})", printable(entry.path), printable(reason), status));
    }
}

void Account::fill(const Pictures& pictures, const std::vector<SkippedPicture>& skipped,
                   const std::vector<PictureRemark>& remarks) {
    std::map<std::int64_t, const SkippedPicture*> bad;
    for (const SkippedPicture& picture : skipped) {
        bad.emplace(picture.index, &picture);
    }
    std::map<std::int64_t, std::string_view> said;
    for (const PictureRemark& remark : remarks) {
        said.emplace(remark.index, remark.text);
    }
    for (std::int64_t i = 0; i < pictures.size(); ++i) {
        const auto found = bad.find(i);
        if (found == bad.end()) {
            const auto remark = said.find(i);
            used(pictures.entry(i), remark != said.end() ? remark->second : std::string_view());
        } else {
            left_out(pictures.entry(i), name(found->second->status), found->second->reason);
        }
    }
}

void Account::finish() {
    if (manifest_ != nullptr && (!shared_ || rows_ == 0)) {
        manifest_->commit();
    }
    if (skipped_ > named_at_most) {
        console_.warn(fmt::format("… and {} more", format_count(skipped_ - named_at_most)));
    }
    if (remarks_ > named_at_most) {
        console_.warn(fmt::format("… and {} more notes", format_count(remarks_ - named_at_most)));
    }
    if (rows_ == 0) {
        throw IoError(fmt::format("none of the {} could be used",
                                  skipped_ == 1 ? "one picture" : format_count(skipped_) + " pictures"));
    }
    if (skipped_ > 0) {
        console_.warn(fmt::format("{} of {} pictures were skipped", format_count(skipped_),
                                  format_count(skipped_ + rows_)));
    }
}

int Account::exit_code() const {
    return skipped_ > 0 ? exit_code::skipped : exit_code::done;
}

void add_replaced(const Pictures& pictures, const std::vector<NamedPath>& written,
                  std::vector<NamedPath>& read) {
    const auto identity = [](const std::string& path) {
        struct stat status {};
        const bool regular = ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode);
        return regular ? std::optional(std::pair(status.st_dev, status.st_ino)) : std::nullopt;
    };
    std::vector<std::pair<dev_t, ino_t>> replaced;
    for (const NamedPath& output : written) {
        if (const auto found = identity(output.path)) {
            replaced.push_back(*found);
        }
    }
    if (replaced.empty()) {
        return;  // not one picture need be looked at
    }
    for (std::int64_t i = 0; i < pictures.size(); ++i) {
        const std::string path = pictures.file(i);
        const auto file = identity(path);
        if (file && std::find(replaced.begin(), replaced.end(), *file) != replaced.end()) {
            read.push_back({fmt::format("the input picture {}", path), path});
        }
    }
}

Inputs::Inputs(const std::vector<std::string>& paths, const PictureLimits& limits) {
    const auto leave_out = [&](Source& source, PictureStatus status, const Error& error) {
        if (paths.size() == 1) {
            throw;
        }
        std::error_code ignored;
        source.status = name(std::filesystem::exists(source.path, ignored) ? status : PictureStatus::missing);
        source.reason = error.what();
        if (source.reason.starts_with(source.path + ": ")) {
            source.reason.erase(0, source.path.size() + 2);
        }
    };
    for (const std::string& path : paths) {
        Source& source = sources_.emplace_back();
        source.path = path;
        try {
            source.pictures.emplace(Pictures::open(path, limits));
        } catch (const IoError& error) {
            leave_out(source, PictureStatus::unreadable, error);
        } catch (const CorruptFile& error) {
            leave_out(source, PictureStatus::corrupt, error);
        } catch (const Error& error) {
            leave_out(source, PictureStatus::unsupported, error);
        }
    }
}

std::int64_t Inputs::size() const {
    std::int64_t total = 0;
    for (const Source& source : sources_) {
        total += source.pictures ? source.pictures->size() : 1;
    }
    return total;
}

bool Inputs::labelled() const {
    return std::any_of(sources_.begin(), sources_.end(),
                       [](const Source& source) { return source.pictures && source.pictures->labelled(); });
}

std::vector<std::string> Inputs::notes() const {
    std::vector<std::string> all;
    for (const Source& source : sources_) {
        if (source.pictures) {
            const std::vector<std::string> notes = source.pictures->notes();
            all.insert(all.end(), notes.begin(), notes.end());
        }
    }
    return all;
}

std::vector<NamedPath> Inputs::files(const std::vector<NamedPath>& written) const {
    std::vector<NamedPath> read;
    for (const Source& source : sources_) {
        read.push_back({fmt::format("the input {}", source.path), source.path});
        if (source.pictures) {
            add_replaced(*source.pictures, written, read);
        }
    }
    return read;
}

InputReader::InputReader(const Inputs& inputs, const Recipe& recipe, Options options, Account& account,
                         Progress& progress)
    : inputs_(inputs), recipe_(recipe), options_(std::move(options)), account_(account), progress_(progress) {
    options_.batch_size = std::min({options_.batch_size, inputs.size(), fitting_batch()});
}

/// Pictures of one batch, of which a few more than there are threads are held.
std::int64_t InputReader::fitting_batch() const {
    const std::int64_t bytes = recipe_.size() * static_cast<std::int64_t>(sizeof(float));
    const std::int64_t batches = base::resolve_threads(options_.threads) + 2;
    return std::max<std::int64_t>(options_.memory / bytes / batches, 1);
}

bool InputReader::next(InputBatch& batch) {
    const std::int64_t capacity = options_.batch_size;
    const std::int64_t values = recipe_.size();
    Tensor rows({capacity, values});
    batch.entries.clear();
    while (std::ssize(batch.entries) < capacity) {
        if (row_ == std::ssize(kept_)) {
            if (!read_on()) {
                break;
            }
            continue;
        }
        auto& entry = kept_[static_cast<std::size_t>(row_)];
        if (entry) {
            const auto source = decoded_.pictures.row(row_);
            std::copy(source.begin(), source.end(), rows.row(std::ssize(batch.entries)).begin());
            batch.entries.push_back(std::move(*entry));
        }
        ++row_;
    }
    const auto n = std::ssize(batch.entries);
    if (n == capacity) {
        batch.pictures = std::move(rows);
    } else {
        batch.pictures = Tensor({n, values});
        std::copy_n(rows.data(), n * values, batch.pictures.data());
    }
    return n > 0;
}

/// Decodes on; false when there is nothing left.
bool InputReader::read_on() {
    check_interrupted();
    kept_.clear();
    row_ = 0;
    while (source_ < inputs_.sources_.size()) {
        const Inputs::Source& source = inputs_.sources_[source_];
        if (!source.pictures) {
            account_.left_out({source.path, std::nullopt}, source.status, source.reason);
        } else {
            if (!reader_) {
                // One picture is not worth a thread.
                const int threads = source.pictures->size() == 1 ? 1 : options_.threads;
                reader_ = std::make_unique<PictureReader>(
                    *source.pictures, recipe_,
                    ReadOptions{.batch_size = std::min(std::int64_t{256}, source.pictures->size()),
                                .threads = threads,
                                .memory = options_.memory});
            }
            if (reader_->next(decoded_)) {
                account_for(*source.pictures);
                return true;
            }
        }
        reader_.reset();
        ++source_;
    }
    return false;
}

void InputReader::account_for(const Pictures& pictures) {
    std::size_t bad = 0;
    auto remark = decoded_.remarks.begin();  // in the pictures' order
    const auto leave_out_before = [&](std::int64_t index) {
        for (; bad < decoded_.skipped.size() && decoded_.skipped[bad].index < index; ++bad) {
            const SkippedPicture& skipped = decoded_.skipped[bad];
            account_.left_out(pictures.entry(skipped.index), name(skipped.status), skipped.reason);
        }
    };
    for (const std::int64_t index : decoded_.indices) {
        leave_out_before(index);
        PictureEntry entry = pictures.entry(index);
        std::string_view said;
        if (remark != decoded_.remarks.end() && remark->index == index) {
            said = (remark++)->text;
        }
        if (options_.label) {
            entry.label = options_.label;
        }
        if (options_.need_label && !entry.label) {
            account_.left_out(entry, "unlabelled", "no label: the picture lies in no class folder");
            kept_.emplace_back();
        } else {
            account_.used(entry, said);
            kept_.emplace_back(std::move(entry));
        }
    }
    leave_out_before(std::numeric_limits<std::int64_t>::max());
    seen_ += std::ssize(decoded_.indices) + std::ssize(decoded_.skipped);
    progress_.update(seen_);
}

}  // namespace stackae::cli
