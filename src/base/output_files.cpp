#include "stackae/output_files.hpp"

#include <utility>

#include "base/file_set.hpp"

namespace stackae {

void OutputFile::write(std::string_view text) {
    file_->write(text);
}

void OutputFile::commit() {
    file_->commit();
}

OutputFiles::OutputFiles(std::function<void(double seconds)> waiting)
    : files_(std::make_unique<base::FileSet>(std::move(waiting))) {}

OutputFiles::OutputFiles(OutputFiles&&) noexcept = default;
OutputFiles& OutputFiles::operator=(OutputFiles&&) noexcept = default;
OutputFiles::~OutputFiles() = default;

OutputFile OutputFiles::add(const std::string& path) {
    return OutputFile(files_->add(path));
}

void OutputFiles::commit() {
    files_->commit();
}

std::vector<std::string> recover_outputs(const std::string& folder) {
    return base::recover(folder);
}

}  // namespace stackae
