#include "fuzz/checksum.hpp"

#include <optional>

#include "stackae/error.hpp"

#include "base/safetensors.hpp"

namespace stackae::fuzz {
namespace {

/// The words between two others, or nothing.
std::optional<std::string> between(const std::string& text, const std::string& before,
                                   const std::string& after) {
    const std::size_t start = text.find(before);
    const std::size_t end = start == std::string::npos ? start : text.find(after, start + before.size());
    if (end == std::string::npos) {
        return std::nullopt;
    }
    return text.substr(start + before.size(), end - start - before.size());
}

}  // namespace

std::string with_right_checksum(Input input) {
    std::string file(reinterpret_cast<const char*>(input.data()), input.size());
    try {
        (void)base::parse_safetensors(input, "fuzz");
    } catch (const CorruptFile& error) {
        const std::string what = error.what();
        const auto computed = between(what, "damaged: checksum ", " found, ");
        const auto stated = between(what, " found, ", " expected");
        const std::size_t place = computed && stated ? file.find(*stated) : std::string::npos;
        if (place != std::string::npos) {
            file.replace(place, stated->size(), *computed);
        }
    }
    return file;
}

}  // namespace stackae::fuzz
