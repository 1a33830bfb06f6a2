#include <algorithm>
#include <deque>
#include <limits>
#include <numeric>
#include <utility>

#include "stackae/enum_names.hpp"
#include "stackae/inputs.hpp"

#include "base/threads.hpp"

namespace stackae {

struct InputReader::State {
    State(const Inputs& inputs_, const Preprocessing& preprocessing_, InputReaderOptions options_,
          Manifest& manifest_)
        : inputs(inputs_),
          preprocessing(preprocessing_),
          options(std::move(options_)),
          manifest(manifest_),
          seen(options.first) {
        options.batch_size = std::min({options.batch_size, inputs.size(), fitting_batch()});
        manifest.observer().on_read(seen, inputs.size());
    }

    /// Pictures of one batch, of which a few more than there are threads are held.
    [[nodiscard]] std::int64_t fitting_batch() const {
        const std::int64_t bytes = preprocessing.size() * static_cast<std::int64_t>(sizeof(float));
        const std::int64_t batches = base::resolve_threads(options.threads) + 2;
        return std::max<std::int64_t>(options.memory / bytes / batches, 1);
    }

    bool decode_on();
    void begin(const ImageDataset& pictures);
    void enter_decoded();
    /// Tells the manifest, and keeps it for the batch.
    void skip(std::int64_t index, const ImageEntry& entry, std::string_view status, std::string_view reason) {
        manifest.skipped(entry, status, reason);
        notes.push_back({index, std::string(status), std::string(reason)});
    }

    /// A row of what is decoded.
    struct Row {
        std::int64_t index;               ///< into all pictures
        std::optional<ImageEntry> entry;  ///< none: skipped
    };

    const Inputs& inputs;
    const Preprocessing& preprocessing;
    InputReaderOptions options;
    Manifest& manifest;
    std::size_t source = 0;                  ///< index of the input being read
    std::int64_t before = 0;                 ///< pictures of all inputs before it
    std::optional<ImageDataset> rest;        ///< of that input, where it is not read from its beginning
    const ImageDataset* pictures = nullptr;  ///< that are read
    std::int64_t first = 0;                  ///< index of the first of them into all pictures
    std::unique_ptr<PictureReader> reader;
    PictureBatch decoded;
    std::vector<Row> rows;        ///< of decoded
    std::size_t row = 0;          ///< the next one
    std::int64_t seen;            ///< pictures of all inputs
    std::deque<InputNote> notes;  ///< on pictures that no batch has come to
};

InputReader::InputReader(const Inputs& inputs, const Preprocessing& preprocessing,
                         const InputReaderOptions& options, Manifest& manifest)
    : state_(std::make_unique<State>(inputs, preprocessing, options, manifest)) {}

InputReader::~InputReader() = default;

std::vector<std::int64_t> InputBatch::indices(std::int64_t first) const {
    std::vector<std::int64_t> of_rows;
    auto note = notes.begin();
    for (std::int64_t i = first; i < end; ++i) {
        bool has_row = true;
        for (; note != notes.end() && note->index == i; ++note) {
            has_row = has_row && note->status == name(PictureStatus::ok);
        }
        if (has_row && std::ssize(of_rows) < std::ssize(entries)) {
            of_rows.push_back(i);
        }
    }
    return of_rows;
}

void InputBatch::scatter(const Tensor& rows, std::int64_t first, Tensor& all) const {
    std::int64_t row = 0;
    for (const std::int64_t i : indices(first)) {
        std::copy_n(rows.row(row++).data(), rows.columns(), all.row(i).data());
    }
}

bool InputReader::next(InputBatch& batch) {
    State& s = *state_;
    const std::int64_t capacity = s.options.batch_size;
    const std::int64_t values = s.preprocessing.size();
    Tensor pictures({capacity, values});
    batch.entries.clear();
    batch.notes.clear();
    while (std::ssize(batch.entries) < capacity) {
        if (s.row == s.rows.size()) {
            if (s.manifest.observer().stop()) {
                batch.entries.clear();
                batch.pictures = Tensor({0, values});
                return false;
            }
            if (!s.decode_on()) {
                batch.end = s.inputs.size();
                break;
            }
            continue;
        }
        State::Row& row = s.rows[s.row];
        if (row.entry) {
            const auto picture = s.decoded.pictures.row(static_cast<std::int64_t>(s.row));
            std::copy(picture.begin(), picture.end(), pictures.row(std::ssize(batch.entries)).begin());
            batch.entries.push_back(std::move(*row.entry));
            batch.end = row.index + 1;
        }
        ++s.row;
    }
    const auto n = std::ssize(batch.entries);
    if (n == capacity) {
        batch.pictures = std::move(pictures);
    } else {
        batch.pictures = Tensor({n, values});
        std::copy_n(pictures.data(), n * values, batch.pictures.data());
    }
    for (; !s.notes.empty() && s.notes.front().index < batch.end; s.notes.pop_front()) {
        batch.notes.push_back(std::move(s.notes.front()));
    }
    return n > 0;
}

/// False when there is nothing left.
bool InputReader::State::decode_on() {
    rows.clear();
    row = 0;
    for (; source < inputs.sources().size(); ++source) {
        const Inputs::Source& input = inputs.sources()[source];
        const std::int64_t count = input.pictures ? input.pictures->size() : 1;
        if (before + count > options.first) {
            if (!input.pictures) {
                skip(before, {input.path, std::nullopt}, name(input.status), input.reason);
                manifest.observer().on_read(++seen, inputs.size());
            } else {
                if (!reader) {
                    begin(*input.pictures);
                }
                if (reader->next(decoded)) {
                    enter_decoded();
                    return true;
                }
                reader.reset();
            }
        }
        before += count;
    }
    return false;
}

void InputReader::State::begin(const ImageDataset& all) {
    pictures = &all;
    first = std::max(before, options.first);
    if (first > before) {
        std::vector<std::int64_t> wanted(static_cast<std::size_t>(before + all.size() - first));
        std::iota(wanted.begin(), wanted.end(), first - before);
        pictures = &rest.emplace(all.subset(wanted));
    }
    reader = std::make_unique<PictureReader>(
        *pictures, preprocessing,
        // One picture is not worth a thread.
        ReadOptions{.batch_size = std::min(std::int64_t{256}, pictures->size()),
                    .threads = pictures->size() == 1 ? 1 : options.threads,
                    .memory = options.memory});
}

void InputReader::State::enter_decoded() {
    std::size_t bad = 0;
    auto remark = decoded.remarks.begin();  // in the pictures' order
    const auto skip_before = [&](std::int64_t index) {
        for (; bad < decoded.skipped.size() && decoded.skipped[bad].index < index; ++bad) {
            const SkippedPicture& picture = decoded.skipped[bad];
            skip(first + picture.index, pictures->entry(picture.index), name(picture.status), picture.reason);
        }
    };
    for (const std::int64_t index : decoded.indices) {
        skip_before(index);
        ImageEntry entry = pictures->entry(index);
        std::string_view said;
        if (remark != decoded.remarks.end() && remark->index == index) {
            said = (remark++)->text;
        }
        if (options.label) {
            entry.label = options.label;
        }
        Row& kept = rows.emplace_back(Row{first + index, std::nullopt});
        if (options.need_label && !entry.label) {
            skip(kept.index, entry, "unlabelled", "no label: the picture lies in no class folder");
            continue;
        }
        manifest.used(entry, said);
        if (!said.empty()) {
            notes.push_back({kept.index, name(PictureStatus::ok), std::string(said)});
        }
        kept.entry = std::move(entry);
    }
    skip_before(std::numeric_limits<std::int64_t>::max());
    seen += std::ssize(decoded.indices) + std::ssize(decoded.skipped);
    manifest.observer().on_read(seen, inputs.size());
}

}  // namespace stackae
