#include "stackae/convolution.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fmt/format.h>
#include <string_view>
#include <vector>

#include "stackae/error.hpp"
#include "stackae/train_options.hpp"

#include "base/enum_names.hpp"

namespace stackae {

constexpr auto poolings =
    base::names_of<Pooling>("pooling", {{Pooling::average, "average"}, {Pooling::maximum, "maximum"}});

template <>
const char* name(Pooling value) {
    return poolings.name(value);
}

template <>
Pooling parse(std::string_view text) {
    return poolings.parse(text);
}

namespace {

constexpr std::int64_t max_side = 1 << 16;
constexpr std::int64_t max_patch = 1 << 20;
/// Of a map, or of a code of one picture: 256 MiB.
constexpr std::int64_t max_values = std::int64_t{1} << 26;

void whole(const char* what, std::int64_t value, std::int64_t least, std::int64_t most) {
    if (value < least || value > most) {
        throw InvalidArgument(
            fmt::format("convolution: {}: {} found, {} to {} expected", what, value, least, most));
    }
}

template <class Number>
Number number_of(std::string_view text, std::string_view whole_text) {
    Number value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) {
        throw InvalidArgument(
            fmt::format("convolution: \"{}\" found in \"{}\", a number expected", text, whole_text));
    }
    return value;
}

std::vector<std::string_view> parts_of(std::string_view text, char separator) {
    std::vector<std::string_view> parts;
    for (std::size_t begin = 0; begin <= text.size();) {
        const std::size_t end = std::min(text.find(separator, begin), text.size());
        parts.push_back(text.substr(begin, end - begin));
        begin = end + 1;
    }
    return parts;
}

void read_setting(std::string_view part, std::string_view text, ConvolutionOptions& options) {
    const std::size_t equals = part.find('=');
    const std::string_view key = part.substr(0, equals);
    const std::string_view value = equals == std::string_view::npos ? "" : part.substr(equals + 1);
    if (key == "max" && value.empty()) {
        options.maximum = true;
    } else if (key == "root" && value.empty()) {
        options.root = true;
    } else if (key == "signs" && value.empty()) {
        options.two_sided = true;
    } else if (key == "context") {
        options.context = number_of<std::int64_t>(value, text);
    } else if (key == "pool") {
        const std::size_t slash = value.find('/');
        options.pool_size = number_of<std::int64_t>(value.substr(0, slash), text);
        options.pool_stride = slash == std::string_view::npos
                                  ? options.pool_size
                                  : number_of<std::int64_t>(value.substr(slash + 1), text);
        whole("pool", options.pool_size, 1, max_side);
        options.grid = 0;
    } else if (key == "grid") {
        options.grid = number_of<std::int64_t>(value, text);
        options.pool_size = 0;
        options.pool_stride = 0;
    } else if (key == "share") {
        options.share = number_of<double>(value, text);
    } else if (key == "whiten") {
        options.whitened = number_of<std::int64_t>(value, text);
    } else if (key == "eps") {
        options.whitening = number_of<double>(value, text);
    } else {
        throw InvalidArgument(
            fmt::format("convolution: \"{}\" found in \"{}\", one of pool=N, pool=N/STEP, "
                        "grid=N, max, root, signs, context=N, share=P, whiten=N, eps=X expected",
                        part, text));
    }
}

}  // namespace

void validate(const ConvolutionShape& shape) {
    whole("channels", shape.channels, 1, max_patch);
    whole("height", shape.height, 1, max_side);
    whole("width", shape.width, 1, max_side);
    whole("kernel", shape.kernel, 1, std::min({shape.height, shape.width, std::int64_t{256}}));
    whole("values of a patch", shape.patch_size(), 1, max_patch);
    whole("values of a map", shape.input_size(), 1, max_values);
    whole("whitened", shape.whitened, 1, shape.patch_size());
    whole("units", shape.units, 1, 1'000'000);
    const std::int64_t positions = std::min(shape.positions_down(), shape.positions_across());
    if (shape.pool_size > 0) {
        whole("pool_size", shape.pool_size, 1, positions);
        whole("pool_stride", shape.pool_stride, 1, shape.pool_size);
    } else {
        whole("pool_size", shape.pool_size, 0, positions);
        whole("grid", shape.grid, 1, positions);
    }
    if (shape.unit_length && shape.two_sided) {
        throw InvalidArgument("convolution: unit_length: true found, false expected with two_sided");
    }
    if (shape.unit_length && shape.root) {
        throw InvalidArgument("convolution: root: true found, false expected with unit_length");
    }
    whole("values of a picture's code", shape.output_size(), 1, max_values);
    if (!(shape.contrast_epsilon > 0.0F && std::isfinite(shape.contrast_epsilon))) {
        throw InvalidArgument(fmt::format(
            "convolution: contrast_epsilon: {} found, a number above 0 expected", shape.contrast_epsilon));
    }
}

std::string to_text(const ConvolutionOptions& options) {
    std::string text = fmt::format("{}@{}", options.units, options.kernel);
    if (options.grid > 0) {
        text += fmt::format(":grid={}", options.grid);
    } else if (options.pool_stride != options.pool_size) {
        text += fmt::format(":pool={}/{}", options.pool_size, options.pool_stride);
    } else {
        text += fmt::format(":pool={}", options.pool_size);
    }
    text += options.maximum ? ":max" : "";
    text += options.root ? ":root" : "";
    text += options.two_sided ? ":signs" : "";
    if (options.context > 0) {
        text += fmt::format(":context={}", options.context);
    } else {
        text += fmt::format(":share={}", options.share);
    }
    if (options.whitened > 0) {
        text += fmt::format(":whiten={}", options.whitened);
    }
    return text + fmt::format(":eps={}", options.whitening);
}

ConvolutionOptions parse_convolution(std::string_view text) {
    ConvolutionOptions options;
    const auto parts = parts_of(text, ':');
    const std::size_t sign = parts.front().find('@');
    if (sign == std::string_view::npos) {
        throw InvalidArgument(
            fmt::format("convolution: \"{}\" found, UNITS@KERNEL such as 256@5 expected", text));
    }
    options.units = number_of<std::int64_t>(parts.front().substr(0, sign), text);
    options.kernel = number_of<std::int64_t>(parts.front().substr(sign + 1), text);
    for (std::size_t i = 1; i < parts.size(); ++i) {
        read_setting(parts[i], text, options);
    }
    whole("units", options.units, 1, 1'000'000);
    whole("kernel", options.kernel, 1, 256);
    whole("grid", options.grid, options.pool_size == 0 ? 1 : 0, max_side);
    whole("pool", options.pool_size, options.grid > 0 ? 0 : 1, max_side);
    whole("pool's step", options.pool_stride, options.grid > 0 ? 0 : 1, options.pool_size);
    whole("context", options.context, 0, max_side);
    if (options.context > 0 && options.root) {
        throw InvalidArgument(
            fmt::format("convolution: root found in \"{}\", not expected with context", text));
    }
    whole("whiten", options.whitened, 0, max_patch);
    if (!(options.share > 0.0 && options.share < 1.0)) {
        throw InvalidArgument(fmt::format(
            "convolution: share: {} found, a number above 0 and below 1 expected", options.share));
    }
    if (!(options.whitening >= 0.0 && options.whitening <= 1e6)) {
        throw InvalidArgument(
            fmt::format("convolution: eps: {} found, a number from 0 to 1e6 expected", options.whitening));
    }
    return options;
}

}  // namespace stackae
