#include "data/image/pnm_header.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/format.h>
#include <optional>

#include "stackae/text.hpp"

namespace stackae::data {
namespace {

constexpr std::uint64_t largest_max_value = 65'535;

bool is_space(int c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/// Gray, gray and alpha, RGB, RGBA: what the tuple types of PAM mean that netpbm's documentation names.
std::optional<std::uint64_t> channels_of(std::string_view tuple_type) {
    struct Type {
        std::string_view name;
        std::uint64_t channels;
    };
    static constexpr std::array<Type, 6> types{{{"BLACKANDWHITE", 1},
                                                {"GRAYSCALE", 1},
                                                {"RGB", 3},
                                                {"BLACKANDWHITE_ALPHA", 2},
                                                {"GRAYSCALE_ALPHA", 2},
                                                {"RGB_ALPHA", 4}}};
    for (const Type& type : types) {
        if (type.name == tuple_type) {
            return type.channels;
        }
    }
    return std::nullopt;
}

void read_pam(PnmText& text, PnmHeader& header) {
    std::string tuple_type;
    header.channels = 0;
    header.max_value = 0;
    for (;;) {
        const std::string line = text.line();
        PnmText words(std::as_bytes(std::span(line)), 0);
        const std::string key = words.word();
        if (key == "ENDHDR") {
            break;
        }
        if (key == "WIDTH") {
            header.width = words.number();
        } else if (key == "HEIGHT") {
            header.height = words.number();
        } else if (key == "DEPTH") {
            header.channels = words.number();
        } else if (key == "MAXVAL") {
            header.max_value = words.number();
        } else if (key == "TUPLTYPE") {
            tuple_type = words.word();
        } else if (!key.empty()) {
            corrupt(fmt::format(
                "PAM header: '{}' found; WIDTH, HEIGHT, DEPTH, MAXVAL, TUPLTYPE or ENDHDR expected",
                printable(key)));
        }
    }
    const std::optional<std::uint64_t> expected = channels_of(tuple_type);
    if (expected && *expected != header.channels) {
        corrupt(fmt::format("PAM of TUPLTYPE {} with DEPTH {} found, {} expected", tuple_type,
                            header.channels, *expected));
    }
    if (tuple_type.starts_with("CMYK")) {
        unsupported("PAM of TUPLTYPE CMYK found; gray or RGB expected");
    }
}

/// The third number of a PFM tells its byte order by its sign; its size is a unit that is of no use here.
void read_float_scale(PnmText& text, PnmHeader& header) {
    const std::string word = text.word();
    char* end = nullptr;
    const double scale = std::strtod(word.c_str(), &end);
    if (word.empty() || *end != '\0' || !std::isfinite(scale) || scale == 0.0) {
        corrupt(fmt::format("PFM header: '{}' found, a scale other than 0 expected", printable(word)));
    }
    header.big_endian = scale > 0.0;
}

}  // namespace

int PnmText::next() {
    if (at_ >= file_.size()) {
        return -1;
    }
    auto c = std::to_integer<int>(file_[at_++]);
    while (c == '#') {
        while (c != '\n' && c != '\r' && at_ < file_.size()) {
            c = std::to_integer<int>(file_[at_++]);
        }
        c = '\n';
    }
    return c;
}

std::string PnmText::word() {
    constexpr std::size_t longest = 40;
    std::string word;
    for (int c = next(); c >= 0; c = next()) {
        if (!is_space(c)) {
            word += static_cast<char>(c);
        } else if (!word.empty()) {
            break;
        }
        if (word.size() > longest) {
            corrupt("PNM with a word of more than 40 letters; a number expected");
        }
    }
    return word;
}

std::uint64_t PnmText::number() {
    const std::string text = word();
    if (text.empty()) {
        corrupt(fmt::format("cut short: PNM that ends after {} bytes, where a number is expected", at_));
    }
    std::uint64_t value = 0;
    for (const char digit : text) {
        if (digit < '0' || digit > '9' || text.size() > 9) {
            corrupt(fmt::format("PNM with '{}' before byte {}, where a whole number is expected",
                                printable(text), at_));
        }
        value = 10 * value + static_cast<std::uint64_t>(digit - '0');
    }
    return value;
}

std::string PnmText::line() {
    constexpr std::size_t longest = 1000;
    std::string line;
    for (int c = next(); c != '\n'; c = next()) {
        if (c < 0 || line.size() > longest) {
            corrupt("cut short: PAM header without an end (ENDHDR)");
        }
        line += static_cast<char>(c);
    }
    return line;
}

std::uint64_t PnmHeader::row_bytes() const {
    switch (data) {
        case PnmData::bits:
            return (width + 7) / 8;
        case PnmData::binary:
            return width * channels * (max_value > 255 ? 2 : 1);
        case PnmData::floats:
            return width * channels * 4;
        default:
            return 0;
    }
}

PnmHeader read_pnm_header(ByteSpan file, std::uint64_t at) {
    PnmText text(file, at);
    PnmHeader header;
    const char kind = text.word()[1];
    if (kind == '7') {
        read_pam(text, header);
    } else {
        header.width = text.number();
        header.height = text.number();
        header.channels = kind == '3' || kind == '6' || kind == 'F' ? 3 : 1;
        if (kind == 'F' || kind == 'f') {
            header.data = PnmData::floats;
            read_float_scale(text, header);
        } else if (kind == '1' || kind == '4') {
            header.data = kind == '1' ? PnmData::bits_text : PnmData::bits;
        } else {
            header.data = kind == '2' || kind == '3' ? PnmData::text : PnmData::binary;
            header.max_value = text.number();
        }
    }
    if (header.max_value == 0 || header.max_value > largest_max_value) {
        corrupt(fmt::format("PNM of largest value {} found, 1 to {} expected", header.max_value,
                            largest_max_value));
    }
    if (header.channels == 0 || header.channels > 4) {
        unsupported(fmt::format("PAM of DEPTH {} found, 1 to 4 expected", header.channels));
    }
    header.data_at = text.at();
    return header;
}

}  // namespace stackae::data
