#include "data/zip.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <zip.h>

#include "stackae/error.hpp"

#include "data/shared_library.hpp"

namespace stackae::data {

/// libzip's functions.
struct ZipArchive::Library {
    SharedLibrary library{STACKAE_zip_SONAME};
    STACKAE_FUNCTION(open, zip_open);
    STACKAE_FUNCTION(discard, zip_discard);
    STACKAE_FUNCTION(count, zip_get_num_entries);
    STACKAE_FUNCTION(stat, zip_stat_index);
    STACKAE_FUNCTION(open_entry, zip_fopen_index);
    STACKAE_FUNCTION(read, zip_fread);
    STACKAE_FUNCTION(close_entry, zip_fclose);
    STACKAE_FUNCTION(reason, zip_strerror);
    STACKAE_FUNCTION(entry_reason, zip_file_strerror);
    STACKAE_FUNCTION(error, zip_error_init_with_code);
    STACKAE_FUNCTION(error_text, zip_error_strerror);
    STACKAE_FUNCTION(end_error, zip_error_fini);
};

class ZipArchive::Stream : public ByteStream {
public:
    Stream(const Library& library, zip_file_t* file, std::string name)
        : library_(library), file_(file), name_(std::move(name)) {}
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;
    ~Stream() override { library_.close_entry(file_); }

    std::size_t read(std::span<std::byte> bytes) override {
        std::size_t done = 0;
        while (done < bytes.size()) {
            const zip_int64_t got = library_.read(file_, bytes.data() + done, bytes.size() - done);
            if (got < 0) {
                throw CorruptFile(
                    fmt::format("{}: damaged or cut short: {}", name_, library_.entry_reason(file_)));
            }
            if (got == 0) {
                break;
            }
            done += static_cast<std::size_t>(got);
        }
        return done;
    }

private:
    const Library& library_;
    zip_file_t* file_;
    std::string name_;
};

ZipArchive::ZipArchive(const std::string& path) : path_(path) {
    try {
        library_ = std::make_unique<Library>();
    } catch (const BadPicture& missing) {
        throw InvalidArgument(fmt::format("{}: {}", path, missing.what()));
    }
    int code = 0;
    zip_ = library_->open(path.c_str(), ZIP_RDONLY, &code);
    if (zip_ == nullptr) {
        zip_error_t error;
        library_->error(&error, code);
        const std::string text = library_->error_text(&error);
        library_->end_error(&error);
        throw CorruptFile(fmt::format("{}: ZIP archive: {}", path, text));
    }
    const zip_int64_t count = library_->count(zip_, 0);
    if (count > max_entries) {
        library_->discard(zip_);
        throw InvalidArgument(
            fmt::format("{}: ZIP archive of {} files found, at most {} expected", path, count, max_entries));
    }
    for (zip_uint64_t i = 0; i < static_cast<zip_uint64_t>(count); ++i) {
        zip_stat_t about;
        if (library_->stat(zip_, i, 0, &about) == 0 && (about.valid & ZIP_STAT_NAME) != 0) {
            entries_.push_back({about.name, (about.valid & ZIP_STAT_SIZE) != 0 ? about.size : 0, i});
        }
    }
}

ZipArchive::~ZipArchive() {
    library_->discard(zip_);
}

std::unique_ptr<ByteStream> ZipArchive::open(const Entry& entry) {
    const std::string name = path_ + "#" + entry.name;
    zip_file_t* file = library_->open_entry(zip_, entry.index, 0);
    if (file == nullptr) {
        throw InvalidArgument(fmt::format("{}: {}", name, library_->reason(zip_)));
    }
    return std::make_unique<Stream>(*library_, file, name);
}

}  // namespace stackae::data
