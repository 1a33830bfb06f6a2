#include <algorithm>
#include <limits>
#include <utility>

#include "stackae/inputs.hpp"

#include "base/threads.hpp"

namespace stackae {

struct InputReader::State {
    State(const Inputs& inputs_, const Preprocessing& preprocessing_, InputReaderOptions options_,
          Manifest& manifest_)
        : inputs(inputs_), preprocessing(preprocessing_), options(std::move(options_)), manifest(manifest_) {
        options.batch_size = std::min({options.batch_size, inputs.size(), fitting_batch()});
        manifest.observer().on_read(0, inputs.size());
    }

    /// Pictures of one batch, of which a few more than there are threads are held.
    [[nodiscard]] std::int64_t fitting_batch() const {
        const std::int64_t bytes = preprocessing.size() * static_cast<std::int64_t>(sizeof(float));
        const std::int64_t batches = base::resolve_threads(options.threads) + 2;
        return std::max<std::int64_t>(options.memory / bytes / batches, 1);
    }

    bool decode_on();
    void enter_decoded(const ImageDataset& pictures);

    const Inputs& inputs;
    const Preprocessing& preprocessing;
    InputReaderOptions options;
    Manifest& manifest;
    std::size_t source = 0;                 ///< index of the input being read
    std::unique_ptr<PictureReader> reader;  ///< of that input
    PictureBatch decoded;
    std::vector<std::optional<ImageEntry>> kept;  ///< of the rows of decoded; empty: skipped
    std::int64_t row = 0;                         ///< next row of decoded
    std::int64_t seen = 0;
};

InputReader::InputReader(const Inputs& inputs, const Preprocessing& preprocessing,
                         const InputReaderOptions& options, Manifest& manifest)
    : state_(std::make_unique<State>(inputs, preprocessing, options, manifest)) {}

InputReader::~InputReader() = default;

bool InputReader::next(InputBatch& batch) {
    State& s = *state_;
    const std::int64_t capacity = s.options.batch_size;
    const std::int64_t values = s.preprocessing.size();
    Tensor rows({capacity, values});
    batch.entries.clear();
    while (std::ssize(batch.entries) < capacity) {
        if (s.row == std::ssize(s.kept)) {
            if (s.manifest.observer().stop()) {
                return false;
            }
            if (!s.decode_on()) {
                break;
            }
            continue;
        }
        auto& entry = s.kept[static_cast<std::size_t>(s.row)];
        if (entry) {
            const auto picture = s.decoded.pictures.row(s.row);
            std::copy(picture.begin(), picture.end(), rows.row(std::ssize(batch.entries)).begin());
            batch.entries.push_back(std::move(*entry));
        }
        ++s.row;
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

/// False when there is nothing left.
bool InputReader::State::decode_on() {
    kept.clear();
    row = 0;
    for (; source < inputs.sources().size(); ++source) {
        const Inputs::Source& input = inputs.sources()[source];
        if (!input.pictures) {
            manifest.skipped({input.path, std::nullopt}, name(input.status), input.reason);
            manifest.observer().on_read(++seen, inputs.size());
            continue;
        }
        if (!reader) {
            // One picture is not worth a thread.
            const int threads = input.pictures->size() == 1 ? 1 : options.threads;
            reader = std::make_unique<PictureReader>(
                *input.pictures, preprocessing,
                ReadOptions{.batch_size = std::min(std::int64_t{256}, input.pictures->size()),
                            .threads = threads,
                            .memory = options.memory});
        }
        if (reader->next(decoded)) {
            enter_decoded(*input.pictures);
            return true;
        }
        reader.reset();
    }
    return false;
}

void InputReader::State::enter_decoded(const ImageDataset& pictures) {
    std::size_t bad = 0;
    auto remark = decoded.remarks.begin();  // in the pictures' order
    const auto skip_before = [&](std::int64_t index) {
        for (; bad < decoded.skipped.size() && decoded.skipped[bad].index < index; ++bad) {
            const SkippedPicture& picture = decoded.skipped[bad];
            manifest.skipped(pictures.entry(picture.index), name(picture.status), picture.reason);
        }
    };
    for (const std::int64_t index : decoded.indices) {
        skip_before(index);
        ImageEntry entry = pictures.entry(index);
        std::string_view said;
        if (remark != decoded.remarks.end() && remark->index == index) {
            said = (remark++)->text;
        }
        if (options.label) {
            entry.label = options.label;
        }
        if (options.need_label && !entry.label) {
            manifest.skipped(entry, "unlabelled", "no label: the picture lies in no class folder");
            kept.emplace_back();
        } else {
            manifest.used(entry, said);
            kept.emplace_back(std::move(entry));
        }
    }
    skip_before(std::numeric_limits<std::int64_t>::max());
    seen += std::ssize(decoded.indices) + std::ssize(decoded.skipped);
    manifest.observer().on_read(seen, inputs.size());
}

}  // namespace stackae
