#include "cli/reading.hpp"

#include <algorithm>
#include <fmt/format.h>

#include "stackae/error.hpp"
#include "stackae/labels.hpp"
#include "stackae/resources.hpp"

namespace stackae::cli {
namespace {

PageSelection parse_pages(const std::string& text) {
    if (text == "channels") {
        return PageSelection::channels;
    }
    if (text != "all" && text != "first") {
        throw UsageError(fmt::format("'{}' is none of all, first, channels", text));
    }
    return text == "all" ? PageSelection::all : PageSelection::first;
}

void tell(Console& console, const LabelFile& file) {
    for (const std::string& note : file.notes()) {
        console.warn(note);
    }
}

}  // namespace

void ReadingOptions::declare(OptionParser& parser) {
    parser.option("threads,j", "N",
                  "0: one for each core that may be used; fewer where a quota pays for fewer",
                  integer_into(threads, 0, max_threads));
    parser.option(
        "memory", "SIZE",
        "that the command may take, such as 512M or 2G; else half of what the machine or its control "
        "group allows",
        [this](const std::string& text) {
            memory = parse_bytes(text);
            if (memory == 0) {
                throw UsageError("'0' is not an amount of memory such as 512M or 2G");
            }
        });
    parser.option("max-pixels", "N", "pictures of more pixels are skipped",
                  integer_into(limits.max_pixels, 1));
    parser.option("pages", "all|first|channels",
                  "of a TIFF of several pages: each is a picture, or the first alone, or all are channels of "
                  "one picture "
                  "(else as the model was trained, or all)",
                  [this](const std::string& text) {
                      limits.pages = parse_pages(text);
                      pages_named = true;
                  });
    parser.option(
        "channel-suffix", "SUFFIX,...",
        "files are channels of a picture: with _ch1,_ch2 cell_ch1.png and cell_ch2.png are the picture "
        "cell (else as the model was trained)",
        [this](const std::string& text) { limits.channel_suffixes = split_list(text); });
    parser.option("labels", "FILE.csv",
                  "labels in place of folders' names, and groups that are never parted: path,label[,group]",
                  text_into(labels));
}

void ReadingOptions::label(Console& console, Inputs& inputs) const {
    if (!labels.empty()) {
        LabelFile file(labels);
        inputs.set_labels(file);
        tell(console, file);
    }
}

void ReadingOptions::label(Console& console, const std::vector<ImageDataset*>& collections) const {
    if (!labels.empty()) {
        LabelFile file(labels);
        for (ImageDataset* const pictures : collections) {
            *pictures = file.apply(*pictures);
        }
        tell(console, file);
    }
}

std::int64_t ReadingOptions::limit() const {
    return resolve_memory(memory);
}

std::string ReadingOptions::limit_text() const {
    return fmt::format("{} allowed{}", format_bytes(limit()),
                       memory > 0 ? "" : " (half of what this process may take)");
}

PictureLimits ReadingOptions::picture_limits() const {
    PictureLimits bounded = limits;
    bounded.threads = threads;
    bounded.max_bytes = std::min(limits.max_bytes, std::max<std::int64_t>(1, limit() / 2));
    bounded.memory = std::min(limits.memory, std::max<std::int64_t>(1, limit() / 8));
    return bounded;
}

PictureLimits ReadingOptions::picture_limits(const Preprocessing& preprocessing) const {
    ChannelFiles files = preprocessing.channel_files;
    files.pages = files.pages && !pages_named;
    if (!limits.channel_suffixes.empty()) {
        files.suffixes.clear();
    }
    return picture_limits().with(files);
}

void ReadingOptions::check(std::int64_t needed, const std::string& purpose, const std::string& help) const {
    if (needed > limit()) {
        throw InvalidArgument(
            fmt::format("memory: {} needed {}, {}; {}", format_bytes(needed), purpose, limit_text(), help));
    }
}

}  // namespace stackae::cli
