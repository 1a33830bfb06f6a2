#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <fmt/format.h>
#include <memory>
#include <string>
#include <vector>

#include "stackae/error.hpp"
#include "stackae/text.hpp"

#include "base/temporary_file.hpp"
#include "export/hdf5_file.hpp"
#include "export/loaded_function.hpp"
#include "export/tables.hpp"

namespace stackae::features {
namespace {

/// HDF5 writes here and there in its file, which the tables' files do not take: it gathers in a temporary
/// file and is copied in the end.
class Hdf5Table final : public Table {
public:
    Hdf5Table(FileOutput& out, const TableOptions& options)
        : out_(out),
          labelled_(options.labelled),
          // Before there is a file, which has a name as long as it is being opened.
          make_(exporting::loaded_function<MakeHdf5File>("HDF5", "libhdf5-103-1 or libhdf5-310", hdf5_library,
                                                         make_hdf5_file_name)),
          temporary_({}, [&](const std::string& path) { begin(path, options.columns); }) {}

    void write_row(const FeatureRow& row, std::span<const float> code) override {
        names_.push_back(to_utf8(row.path));
        if (labelled_) {
            labels_.push_back(to_utf8(row.label.value_or("")));
        }
        values_.insert(values_.end(), code.begin(), code.end());
        if (values_.size() >= most_waiting) {
            flush();
        }
    }

    void end() override {
        flush();
        check(file_->close());
        const std::uint64_t size = temporary_.size_on_disk();
        std::vector<std::byte> bytes(std::size_t{1} << 20U);
        for (std::uint64_t begin = 0; begin < size; begin += bytes.size()) {
            const std::span some(bytes.data(), std::min<std::uint64_t>(bytes.size(), size - begin));
            temporary_.read_at(begin, some);
            out_.write(some);
        }
    }

private:
    static constexpr std::size_t most_waiting = std::size_t{1} << 20U;

    void begin(const std::string& path, std::int64_t columns) {
        std::string why;
        file_ = make_(path, columns, labelled_, why);
        check(why);
    }
    void flush() {
        if (!names_.empty()) {
            check(file_->append(names_, labels_, values_));
            names_.clear();
            labels_.clear();
            values_.clear();
        }
    }
    void check(const std::string& fault) const {
        if (!fault.empty()) {
            throw IoError(fmt::format("{}: HDF5: {}", out_.path(), fault));
        }
    }

    FileOutput& out_;
    bool labelled_;
    MakeHdf5File* make_;
    std::unique_ptr<Hdf5File> file_;
    base::TemporaryFile temporary_;
    std::vector<std::string> names_;
    std::vector<std::string> labels_;
    std::vector<float> values_;
};

}  // namespace

std::unique_ptr<Table> make_hdf5_table(FileOutput& out, const TableOptions& options) {
    return std::make_unique<Hdf5Table>(out, options);
}

}  // namespace stackae::features
