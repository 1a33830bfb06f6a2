#include "data/content.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <mutex>
#include <zlib.h>

#include "stackae/error.hpp"

namespace stackae::data {
namespace {

constexpr std::size_t step = std::size_t{1} << 20U;          // bytes that are inflated at once
constexpr std::size_t packed_step = std::size_t{64} << 10U;  // bytes that are read to be inflated
constexpr std::uint64_t growth = std::uint64_t{64} << 20U;   // bytes by which a temporary file grows
constexpr std::uint64_t block_bytes = std::uint64_t{128} << 10U;

}  // namespace

std::size_t PartStream::read(std::span<std::byte> bytes) {
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), end_ - at_));
    file_.read_at(at_, bytes.first(count));
    at_ += count;
    return count;
}

ByteSpan FileStream::first(std::size_t count) {
    std::size_t there = head_.size();
    head_.resize(std::max(count, there));
    while (there < count) {
        const std::size_t got = file_.read_some(std::span(head_).subspan(there));
        if (got == 0) {
            break;
        }
        there += got;
    }
    head_.resize(there);
    return ByteSpan(head_).first(std::min(count, there));
}

std::size_t FileStream::read(std::span<std::byte> bytes) {
    std::size_t filled = std::min(bytes.size(), head_.size());
    std::copy_n(head_.begin(), filled, bytes.begin());
    head_.erase(head_.begin(), head_.begin() + static_cast<std::ptrdiff_t>(filled));
    while (filled < bytes.size()) {
        const std::size_t got = file_.read_some(bytes.subspan(filled));
        if (got == 0) {
            break;
        }
        filled += got;
    }
    return filled;
}

GzipStream::GzipStream(ByteStream& packed, std::string path)
    : packed_(packed), path_(std::move(path)), inflater_(std::make_unique<z_stream>()), buffer_(packed_step) {
    constexpr int gzip_format = 16;  // as inflateInit2() has it
    if (::inflateInit2(inflater_.get(), MAX_WBITS + gzip_format) != Z_OK) {
        throw BackendError(fmt::format("{}: zlib: memory for inflating is not to be had", path_));
    }
}

GzipStream::~GzipStream() {
    ::inflateEnd(inflater_.get());
}

void GzipStream::fail(const char* reason) const {
    throw CorruptFile(
        fmt::format("{}: gzip data is cut short or damaged after {} bytes: {}", path_, done_, reason));
}

bool GzipStream::fill() {
    if (inflater_->avail_in == 0) {
        const std::size_t got = packed_.read(buffer_);
        inflater_->next_in = reinterpret_cast<Bytef*>(buffer_.data());
        inflater_->avail_in = static_cast<uInt>(got);
    }
    return inflater_->avail_in > 0;
}

bool GzipStream::begin_member() {
    const bool first = inflater_->total_in == 0;
    while (!first && fill() && *inflater_->next_in == 0) {  // what tapes and blocks are filled up with
        ++inflater_->next_in;
        --inflater_->avail_in;
    }
    constexpr Bytef first_of_member = 0x1F;
    inside_ = fill() && (first || *inflater_->next_in == first_of_member);
    if (inside_ && !first) {
        ::inflateReset(inflater_.get());
    }
    return inside_;
}

std::size_t GzipStream::read(std::span<std::byte> bytes) {
    std::size_t filled = 0;
    while (filled < bytes.size() && (inside_ || begin_member())) {
        if (!fill()) {
            fail("unexpected end of file");
        }
        const std::size_t want = std::min(step, bytes.size() - filled);
        inflater_->next_out = reinterpret_cast<Bytef*>(bytes.data() + filled);
        inflater_->avail_out = static_cast<uInt>(want);
        const int code = ::inflate(inflater_.get(), Z_NO_FLUSH);
        const std::size_t came = want - inflater_->avail_out;
        done_ += came;
        filled += came;
        if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR) {
            fail(inflater_->msg != nullptr ? inflater_->msg : ::zError(code));
        }
        inside_ = code != Z_STREAM_END;
    }
    return filled;
}

ByteSpan StreamHead::first(std::size_t count) {
    const std::size_t there = bytes_.size();
    if (there < count) {
        bytes_.resize(count);
        bytes_.resize(there + stream_.read(std::span(bytes_).subspan(there)));
    }
    return ByteSpan(bytes_).first(std::min(count, bytes_.size()));
}

ByteStore::ByteStore(std::uint64_t bytes, const PictureLimits& limits) : expected_(bytes) {
    if (bytes > static_cast<std::uint64_t>(limits.memory)) {
        bytes_.emplace<base::TemporaryFile>(limits.temporary_folder);
    } else {
        std::get<0>(bytes_).reserve(static_cast<std::size_t>(bytes));
    }
}

void ByteStore::append(ByteSpan bytes) {
    if (auto* memory = std::get_if<std::vector<std::byte>>(&bytes_)) {
        memory->insert(memory->end(), bytes.begin(), bytes.end());
    } else {
        auto& file = std::get<base::TemporaryFile>(bytes_);
        const std::uint64_t end = size_ + bytes.size();
        file.grow(std::max(end, std::min(expected_, (end / growth + 1) * growth)));
        file.write_at(size_, bytes);
    }
    size_ += bytes.size();
}

void ByteStore::append(ByteStream& stream, std::uint64_t bytes) {
    std::vector<std::byte> buffer(static_cast<std::size_t>(std::min<std::uint64_t>(step, bytes)));
    for (bool more = true; more && bytes > 0;) {
        const auto want = static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), bytes));
        const std::size_t got = stream.read(std::span(buffer).first(want));
        append(ByteSpan(buffer).first(got));
        bytes -= got;
        more = got == want;
    }
}

void ByteStore::read_at(std::uint64_t offset, std::span<std::byte> bytes) const {
    if (const auto* memory = std::get_if<std::vector<std::byte>>(&bytes_)) {
        std::copy_n(memory->begin() + static_cast<std::ptrdiff_t>(offset), bytes.size(), bytes.begin());
    } else {
        std::get<base::TemporaryFile>(bytes_).read_at(offset, bytes);
    }
}

/// The blocks that were read last. A block is read whole only when a second piece of it, or a piece right
/// behind the last, is asked for: pieces from all over a file cost no more than themselves.
class Content::Blocks {
public:
    struct Block {
        explicit Block(std::uint64_t index_) : index(index_) {}
        const std::uint64_t index;
        std::mutex filling;
        std::vector<std::byte> bytes;  ///< none before it was read
    };
    using Pointer = std::shared_ptr<Block>;

    /// The block of that index, or nothing where a piece of it alone is to be read.
    Pointer find(std::uint64_t index) {
        const std::lock_guard lock(mutex_);
        bool neighbour = false;
        for (Slot& slot : slots_) {
            if (slot.block && slot.block->index == index) {
                slot.used = ++clock_;
                return slot.block;
            }
            neighbour = neighbour || (slot.block && slot.block->index + 1 == index);
        }
        Slot& oldest = *std::min_element(slots_.begin(), slots_.end(),
                                         [](const Slot& a, const Slot& b) { return a.used < b.used; });
        oldest = {std::make_shared<Block>(index), ++clock_};
        return neighbour ? oldest.block : nullptr;
    }

private:
    struct Slot {
        Pointer block;
        std::uint64_t used = 0;
    };
    std::mutex mutex_;
    std::array<Slot, 16> slots_;  ///< as many threads' places, and 2 MiB
    std::uint64_t clock_ = 0;
};

Content::Content(base::InputFile file, std::uint64_t begin, std::uint64_t size)
    : source_(FilePart{std::move(file), begin}), size_(size), blocks_(std::make_unique<Blocks>()) {}

Content::Content(ByteStore store) : source_(std::move(store)), size_(std::get<ByteStore>(source_).size()) {}

Content::Content(Content&&) noexcept = default;
Content& Content::operator=(Content&&) noexcept = default;
Content::~Content() = default;

void Content::read_piece(std::uint64_t offset, std::span<std::byte> bytes) const {
    const auto& part = std::get<FilePart>(source_);
    part.file.read_at(part.begin + offset, bytes);
}

void Content::read_at(std::uint64_t offset, std::span<std::byte> bytes) const {
    if (offset > size_ || bytes.size() > size_ - offset) {
        throw IoError(
            fmt::format("{} bytes at byte {} asked for, {} bytes in all found", bytes.size(), offset, size_));
    }
    if (const auto* store = std::get_if<ByteStore>(&source_)) {
        store->read_at(offset, bytes);
        return;
    }
    if (bytes.size() >= block_bytes) {
        read_piece(offset, bytes);
        return;
    }
    while (!bytes.empty()) {  // over the blocks' seams
        const std::uint64_t index = offset / block_bytes;
        const std::uint64_t at = offset % block_bytes;
        const auto now = static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), block_bytes - at));
        const Blocks::Pointer block = blocks_->find(index);
        if (block) {
            const std::lock_guard lock(block->filling);
            if (block->bytes.empty()) {
                const std::uint64_t begin = index * block_bytes;
                std::vector<std::byte> read(static_cast<std::size_t>(std::min(block_bytes, size_ - begin)));
                read_piece(begin, read);
                block->bytes = std::move(read);
            }
            std::copy_n(block->bytes.begin() + static_cast<std::ptrdiff_t>(at), now, bytes.begin());
        } else {
            read_piece(offset, bytes.first(now));
        }
        offset += now;
        bytes = bytes.subspan(now);
    }
}

}  // namespace stackae::data
