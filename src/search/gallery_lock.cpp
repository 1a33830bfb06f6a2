#include <utility>

#include "stackae/gallery.hpp"

#include "base/file_lock.hpp"

namespace stackae {

struct GalleryLock::State {
    base::FileLock lock;
};

GalleryLock::GalleryLock(const std::string& path, const std::function<void(double seconds)>& waiting)
    : state_(new State{base::FileLock(path, waiting)}) {}

GalleryLock::GalleryLock(GalleryLock&&) noexcept = default;
GalleryLock& GalleryLock::operator=(GalleryLock&&) noexcept = default;
GalleryLock::~GalleryLock() = default;

bool GalleryLock::supported() const {
    return !state_->lock.unsupported();
}

}  // namespace stackae
