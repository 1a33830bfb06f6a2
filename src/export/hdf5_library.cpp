#include <algorithm>
#include <array>
#include <hdf5.h>
#include <mutex>
#include <string_view>
#include <utility>

#include "export/hdf5_file.hpp"

namespace stackae::features {
namespace {

/// A handle of HDF5 with what closes it.
class Handle {
public:
    Handle() = default;
    Handle(hid_t id, herr_t (*closer)(hid_t)) : id_(id), close_(closer) {}
    Handle(const Handle&) = delete;
    Handle& operator=(const Handle&) = delete;
    Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, -1)), close_(other.close_) {}
    Handle& operator=(Handle&& other) noexcept {
        std::swap(id_, other.id_);
        std::swap(close_, other.close_);
        return *this;
    }
    ~Handle() { (void)close(); }

    [[nodiscard]] hid_t get() const { return id_; }
    [[nodiscard]] bool close() {
        const hid_t id = std::exchange(id_, -1);
        return id < 0 || close_(id) >= 0;
    }

private:
    hid_t id_ = -1;
    herr_t (*close_)(hid_t) = nullptr;
};

/// What the lowest level says, which comes first: the system's own words where they are in it.
herr_t take_description(unsigned /*depth*/, const H5E_error2_t* error, void* to) {
    auto& description = *static_cast<std::string*>(to);
    if (!description.empty() || error->desc == nullptr) {
        return 0;
    }
    description = error->desc;
    const std::string_view system = "error message = '";
    if (const std::size_t begin = description.find(system); begin != std::string::npos) {
        description = description.substr(begin + system.size());
        description = description.substr(0, description.find('\''));
    }
    return 0;
}

std::string fault(const char* what) {
    std::string description;
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, take_description, &description);
    return std::string(what) + ": " + (description.empty() ? "no reason given" : description);
}

/// HDF5 for oneself, since it is not safe from several threads, and silent: faults are told by what is
/// returned. Another user of the library in this process finds it as it was.
class Quiet {
public:
    Quiet() : lock_(mutex()) {
        H5Eget_auto2(H5E_DEFAULT, &before_, &data_);
        H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
    }
    Quiet(const Quiet&) = delete;
    Quiet& operator=(const Quiet&) = delete;
    ~Quiet() { H5Eset_auto2(H5E_DEFAULT, before_, data_); }

private:
    static std::mutex& mutex() {
        static std::mutex only;
        return only;
    }

    std::lock_guard<std::mutex> lock_;
    H5E_auto2_t before_ = nullptr;
    void* data_ = nullptr;
};

constexpr hsize_t chunk_bytes = hsize_t{1} << 16U;
constexpr hsize_t text_chunk = 1024;

class Writer final : public Hdf5File {
public:
    Writer() = default;
    ~Writer() override {
        const Quiet quiet;
        (void)close_all();
    }

    /// Empty: done.
    std::string open(const std::string& path, std::int64_t columns, bool labelled) {
        const Quiet quiet;
        columns_ = static_cast<hsize_t>(columns);
        file_ = {H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT), H5Fclose};
        if (file_.get() < 0) {
            return fault("cannot be begun");
        }
        text_ = {H5Tcopy(H5T_C_S1), H5Tclose};
        if (H5Tset_size(text_.get(), H5T_VARIABLE) < 0 || H5Tset_cset(text_.get(), H5T_CSET_UTF8) < 0) {
            return fault("type of texts");
        }
        const hsize_t rows = std::max<hsize_t>(1, chunk_bytes / (columns_ * sizeof(float)));
        features_ = dataset("features", H5T_IEEE_F32LE,
                            {rows, std::min<hsize_t>(columns_, chunk_bytes / sizeof(float))}, 2);
        names_ = dataset("names", text_.get(), {text_chunk, 0}, 1);
        if (labelled) {
            labels_ = dataset("labels", text_.get(), {text_chunk, 0}, 1);
        }
        return features_.get() < 0 || names_.get() < 0 || (labelled && labels_.get() < 0)
                   ? fault("cannot hold a table")
                   : "";
    }

    std::string append(const std::vector<std::string>& names, const std::vector<std::string>& labels,
                       std::span<const float> values) override {
        const Quiet quiet;
        const bool done = put(features_, H5T_NATIVE_FLOAT, names.size(), 2, values.data()) &&
                          put_texts(names_, names) && (labels.empty() || put_texts(labels_, labels));
        rows_ += names.size();
        return done ? "" : fault("cannot be written");
    }

    std::string close() override {
        const Quiet quiet;
        return close_all() ? "" : fault("cannot be written");
    }

private:
    bool close_all() {
        bool done = true;
        for (Handle* const handle : {&text_, &features_, &names_, &labels_, &file_}) {
            done = handle->close() && done;
        }
        return done;
    }
    /// Of no rows yet; no time is kept, so that the same table makes the same bytes.
    Handle dataset(const char* name, hid_t type, std::array<hsize_t, 2> chunk, int rank) {
        const std::array<hsize_t, 2> none{0, columns_};
        const std::array<hsize_t, 2> most{H5S_UNLIMITED, columns_};
        const Handle space(H5Screate_simple(rank, none.data(), most.data()), H5Sclose);
        const Handle properties(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
        if (H5Pset_chunk(properties.get(), rank, chunk.data()) < 0 ||
            H5Pset_obj_track_times(properties.get(), 0) < 0) {
            return {};
        }
        return {H5Dcreate2(file_.get(), name, type, space.get(), H5P_DEFAULT, properties.get(), H5P_DEFAULT),
                H5Dclose};
    }

    /// Rows behind those that are there.
    bool put(const Handle& to, hid_t type, std::size_t rows, int rank, const void* values) {
        const std::array<hsize_t, 2> begin{rows_, 0};
        const std::array<hsize_t, 2> count{rows, columns_};
        const std::array<hsize_t, 2> size{rows_ + rows, columns_};
        if (H5Dset_extent(to.get(), size.data()) < 0) {
            return false;
        }
        const Handle memory(H5Screate_simple(rank, count.data(), nullptr), H5Sclose);
        const Handle file(H5Dget_space(to.get()), H5Sclose);
        return H5Sselect_hyperslab(file.get(), H5S_SELECT_SET, begin.data(), nullptr, count.data(),
                                   nullptr) >= 0 &&
               H5Dwrite(to.get(), type, memory.get(), file.get(), H5P_DEFAULT, values) >= 0;
    }

    bool put_texts(const Handle& to, const std::vector<std::string>& texts) {
        std::vector<const char*> pointers;
        pointers.reserve(texts.size());
        for (const std::string& text : texts) {
            pointers.push_back(text.c_str());
        }
        return put(to, text_.get(), texts.size(), 1, pointers.data());
    }

    hsize_t columns_ = 0;
    hsize_t rows_ = 0;
    Handle file_;
    Handle text_;
    Handle features_;
    Handle names_;
    Handle labels_;
};

}  // namespace
}  // namespace stackae::features

extern "C" __attribute__((visibility("default"))) std::unique_ptr<stackae::features::Hdf5File>
stackae_make_hdf5_file(const std::string& path, std::int64_t columns, bool labelled, std::string& why) {
    using namespace stackae::features;
    // What could not be written, as on a full disk, is not tried again when the process ends.
    H5dont_atexit();
    auto writer = std::make_unique<Writer>();
    why = writer->open(path, columns, labelled);
    return why.empty() ? std::move(writer) : nullptr;
}
