#include "stackae/features.hpp"

#include <array>
#include <filesystem>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <optional>

#include "stackae/error.hpp"
#include "stackae/image_dataset.hpp"
#include "stackae/text.hpp"

#include "base/enum_names.hpp"
#include "export/tables.hpp"

namespace stackae {

template <>
constexpr auto base::enum_names<FeatureFormat> =
    base::names_of<FeatureFormat>("feature format", {{FeatureFormat::csv, "csv"},
                                                     {FeatureFormat::npy, "npy"},
                                                     {FeatureFormat::libsvm, "libsvm"},
                                                     {FeatureFormat::projector, "projector"},
                                                     {FeatureFormat::jsonl, "jsonl"},
                                                     {FeatureFormat::npz, "npz"},
                                                     {FeatureFormat::hdf5, "hdf5"},
                                                     {FeatureFormat::parquet, "parquet"},
                                                     {FeatureFormat::faiss, "faiss"}});
template const char* name(FeatureFormat);
template FeatureFormat parse(std::string_view);

template <>
constexpr auto base::enum_names<RowKind> = base::names_of<RowKind>("row", {{RowKind::filename, "filename"},
                                                                           {RowKind::user, "user"},
                                                                           {RowKind::item, "item"}});
template const char* name(RowKind);
template RowKind parse(std::string_view);

namespace {

using features::FileOutput;
using features::Output;
using features::Table;

struct Ending {
    const char* text;
    FeatureFormat format;
};

constexpr std::array endings{
    Ending{".csv", FeatureFormat::csv},       Ending{".npy", FeatureFormat::npy},
    Ending{".libsvm", FeatureFormat::libsvm}, Ending{".svm", FeatureFormat::libsvm},
    Ending{".tsv", FeatureFormat::projector}, Ending{"/", FeatureFormat::projector},
    Ending{".jsonl", FeatureFormat::jsonl},   Ending{".ndjson", FeatureFormat::jsonl},
    Ending{".npz", FeatureFormat::npz},       Ending{".h5", FeatureFormat::hdf5},
    Ending{".hdf5", FeatureFormat::hdf5},     Ending{".parquet", FeatureFormat::parquet},
    Ending{".faiss", FeatureFormat::faiss},
};

/// `a/b.npy` with the ending `.csv` is `a/b.csv`; a path that has that ending already gets it once more.
std::string beside(const std::string& path, const char* ending) {
    std::string side = std::filesystem::path(path).replace_extension(ending).string();
    return side == path ? path + ending : side;
}

bool projector_folder(const std::string& path) {
    return !lower_case(path).ends_with(".tsv") || std::filesystem::is_directory(path);
}

/// A folder that is removed again if it was made here and nothing came into it.
class Folder {
public:
    explicit Folder(const std::string& path) : path_(path) {
        std::error_code error;
        made_ = std::filesystem::create_directory(path, error);
        if (error) {
            throw IoError(fmt::format("{}: cannot make the folder: {}", path, error.message()));
        }
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    ~Folder() {
        if (made_) {
            std::error_code ignored;
            std::filesystem::remove(path_, ignored);
        }
    }

private:
    std::string path_;
    bool made_ = false;
};

}  // namespace

FeatureFormat feature_format_of(const std::string& path) {
    std::array<const char*, endings.size()> texts{};
    for (std::size_t i = 0; i < endings.size(); ++i) {
        if (lower_case(path).ends_with(endings[i].text)) {
            return endings[i].format;
        }
        texts[i] = endings[i].text;
    }
    throw InvalidArgument(
        fmt::format("{}: no feature format by its ending; one of {} expected", path, fmt::join(texts, " ")));
}

std::vector<std::string> feature_files(const std::string& path, FeatureFormat format, bool labelled) {
    switch (format) {
        case FeatureFormat::npy:
        case FeatureFormat::faiss:
            return {path, path + ".csv"};
        case FeatureFormat::libsvm:
            return labelled ? std::vector{path, beside(path, ".classes")} : std::vector{path};
        case FeatureFormat::projector:
            if (projector_folder(path)) {
                const std::filesystem::path folder(path);
                return {(folder / "tensors.tsv").string(), (folder / "metadata.tsv").string(),
                        (folder / "projector_config.json").string()};
            }
            return {path, beside(path, ".metadata.tsv"), beside(path, ".projector_config.json")};
        case FeatureFormat::csv:
        case FeatureFormat::jsonl:
        case FeatureFormat::npz:
        case FeatureFormat::hdf5:
        case FeatureFormat::parquet:
            break;
    }
    return {path};
}

std::string sprite_file(const std::string& path) {
    return projector_folder(path) ? (std::filesystem::path(path) / "sprite.png").string()
                                  : beside(path, ".sprite.png");
}

bool is_streamed(FeatureFormat format) {
    return format == FeatureFormat::csv || format == FeatureFormat::libsvm || format == FeatureFormat::jsonl;
}

struct FeatureWriter::State {
    std::unique_ptr<Folder> folder;
    std::optional<OutputFiles> own;
    OutputFiles* set = nullptr;  ///< own, or the caller's
    std::string sprite;          ///< where one may go
    std::vector<std::unique_ptr<Output>> outputs;
    std::unique_ptr<Table> table;
    std::int64_t columns;
    bool finished = false;

    explicit State(std::int64_t columns_of_codes) : columns(columns_of_codes) {
        if (columns < 1) {
            throw InvalidArgument(fmt::format("features: {} columns found, 1 or more expected", columns));
        }
    }

    FileOutput& file(const OutputFile& written) {
        outputs.push_back(std::make_unique<FileOutput>(written.file()));
        return static_cast<FileOutput&>(*outputs.back());
    }
};

FeatureWriter::FeatureWriter(const std::string& path, FeatureFormat format, std::int64_t columns,
                             bool labelled, std::vector<std::string> class_names, RowKind kind)
    : state_(std::make_unique<State>(columns)) {
    open(state_->own.emplace(), path, format, labelled, class_names, kind);
}

FeatureWriter::FeatureWriter(OutputFiles& files, const std::string& path, FeatureFormat format,
                             std::int64_t columns, bool labelled, std::vector<std::string> class_names,
                             RowKind kind)
    : state_(std::make_unique<State>(columns)) {
    open(files, path, format, labelled, class_names, kind);
}

void FeatureWriter::open(OutputFiles& set, const std::string& path, FeatureFormat format, bool labelled,
                         const std::vector<std::string>& class_names, RowKind kind) {
    State& s = *state_;
    if (format == FeatureFormat::projector && projector_folder(path)) {
        s.folder = std::make_unique<Folder>(path);
    }
    const std::vector<std::string> files = feature_files(path, format, labelled);
    // Side files are renamed first, so that the table is never without them.
    std::vector<FileOutput*> outputs(files.size());
    for (std::size_t i = files.size(); i-- > 0;) {
        outputs[i] = &s.file(set.add(files[i]));
    }
    s.set = &set;
    s.sprite = format == FeatureFormat::projector ? sprite_file(path) : "";
    s.table = features::make_table(format, outputs, {s.columns, labelled, class_names, kind});
}

FeatureWriter::FeatureWriter(std::ostream& out, FeatureFormat format, std::int64_t columns, bool labelled,
                             std::vector<std::string> class_names, RowKind kind)
    : state_(std::make_unique<State>(columns)) {
    state_->outputs.push_back(std::make_unique<features::StreamOutput>(out));
    state_->table = features::make_text_table(format, *state_->outputs.back(), nullptr,
                                              {columns, labelled, class_names, kind});
}

FeatureWriter::~FeatureWriter() = default;

void FeatureWriter::write(const std::vector<FeatureRow>& rows, const Tensor& codes) {
    if (state_->finished) {
        throw InvalidArgument("features: rows written after finish()");
    }
    const auto count = static_cast<std::int64_t>(rows.size());
    if (codes.rows() != count || (count > 0 && codes.columns() != state_->columns)) {
        throw InvalidArgument(fmt::format("features: codes of {} × {} found, {} × {} expected", codes.rows(),
                                          codes.columns(), count, state_->columns));
    }
    for (std::int64_t i = 0; i < count; ++i) {
        state_->table->write_row(rows[static_cast<std::size_t>(i)], codes.row(i));
    }
}

void FeatureWriter::set_sprite(const Tensor& picture, std::int64_t side) {
    if (state_->sprite.empty() || state_->finished) {
        throw InvalidArgument("features: a sprite found, which the projector alone takes, before the end");
    }
    write_png(state_->set->add(state_->sprite), picture);
    state_->table->set_sprite(state_->sprite, side);
}

void FeatureWriter::finish() {
    if (state_->finished) {
        return;
    }
    state_->table->end();
    for (const auto& output : state_->outputs) {
        output->sync();
    }
    if (state_->own) {
        state_->own->commit();
    }
    state_->finished = true;
}

}  // namespace stackae
