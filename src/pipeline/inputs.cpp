#include "stackae/inputs.hpp"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <map>
#include <utility>

#include "stackae/error.hpp"
#include "stackae/text.hpp"

namespace stackae {

Inputs::Inputs(const std::vector<std::string>& paths, const PictureLimits& limits) {
    const auto skip = [&](Source& source, PictureStatus status, const Error& error) {
        if (paths.size() == 1) {
            throw;
        }
        std::error_code ignored;
        source.status = std::filesystem::exists(source.path, ignored) ? status : PictureStatus::missing;
        source.reason = error.what();
        if (source.reason.starts_with(source.path + ": ")) {
            source.reason.erase(0, source.path.size() + 2);
        }
    };
    for (const std::string& path : paths) {
        Source& source = sources_.emplace_back();
        source.path = path;
        try {
            source.pictures.emplace(ImageDataset::open(path, limits));
        } catch (const IoError& error) {
            skip(source, PictureStatus::unreadable, error);
        } catch (const CorruptFile& error) {
            skip(source, PictureStatus::corrupt, error);
        } catch (const Error& error) {
            skip(source, PictureStatus::unsupported, error);
        }
        ends_.push_back(size() + (source.pictures ? source.pictures->size() : 1));
    }
}

Inputs::Inputs(ImageDataset pictures) {
    Source& source = sources_.emplace_back();
    source.path = pictures.path();
    ends_.push_back(pictures.size());
    source.pictures.emplace(std::move(pictures));
}

void Inputs::set_labels(LabelFile& labels) {
    for (Source& source : sources_) {
        if (source.pictures) {
            source.pictures = labels.apply(*source.pictures);
        }
    }
}

ImageEntry Inputs::entry(std::int64_t i) const {
    const auto end = std::upper_bound(ends_.begin(), ends_.end(), i);
    if (i < 0 || end == ends_.end()) {
        throw InvalidArgument(fmt::format("inputs: picture {} found, 0 to {} expected", i, size() - 1));
    }
    const Source& source = sources_[static_cast<std::size_t>(end - ends_.begin())];
    return source.pictures ? source.pictures->entry(i - *end + source.pictures->size())
                           : ImageEntry{source.path, std::nullopt};
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

Manifest::Manifest(InputObserver& observer, const std::string& path) : Manifest(observer, own_, path) {
    shared_ = false;
}

Manifest::Manifest(InputObserver& observer, OutputFiles& files, const std::string& path)
    : observer_(observer), shared_(true) {
    if (!path.empty()) {
        file_ = files.add(path);
        file_->write("path,row,label,status,reason\n");
    }
}

void Manifest::used(const ImageEntry& entry, std::string_view remark) {
    if (file_) {
        file_->write(fmt::format("{},{},{},ok,{}\n", csv_field(entry.path), rows_,
                                 csv_field(entry.label.value_or("")), csv_field(remark)));
    }
    ++rows_;
    if (!remark.empty()) {
        observer_.on_remark(entry, remark);
    }
}

void Manifest::skipped(const ImageEntry& entry, std::string_view status, std::string_view reason) {
    if (file_) {
        file_->write(fmt::format("{},,{},{},{}\n", csv_field(entry.path), csv_field(entry.label.value_or("")),
                                 status, csv_field(reason)));
    }
    ++skipped_;
    observer_.on_skipped(entry, status, reason);
}

void Manifest::fill(const ImageDataset& pictures, const std::vector<SkippedPicture>& skipped_pictures,
                    const std::vector<PictureRemark>& remarks) {
    std::map<std::int64_t, const SkippedPicture*> bad;
    for (const SkippedPicture& picture : skipped_pictures) {
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
            skipped(pictures.entry(i), name(found->second->status), found->second->reason);
        }
    }
}

void Manifest::finish() {
    if (file_ && (!shared_ || rows_ == 0)) {
        file_->commit();
    }
    observer_.on_end(rows_, skipped_);
    if (rows_ == 0) {
        throw IoError(fmt::format("none of the {} could be used",
                                  skipped_ == 1 ? "one picture" : format_count(skipped_) + " pictures"));
    }
}

}  // namespace stackae
