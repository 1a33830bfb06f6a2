#include "data/image/samples.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <type_traits>

#include "data/image/picture.hpp"

namespace stackae::data {
namespace {

/// Largest whole number of so many bits.
double largest(unsigned bits) {
    return bits == 64 ? 18446744073709551615.0 : static_cast<double>((std::uint64_t{1} << bits) - 1);
}

template <class T>
T load(const std::byte* from) {
    T value;
    std::memcpy(&value, from, sizeof value);
    return value;
}

std::uint32_t load24(const std::byte* from) {
    const auto a = std::to_integer<std::uint32_t>(from[0]);
    const auto b = std::to_integer<std::uint32_t>(from[1]);
    const auto c = std::to_integer<std::uint32_t>(from[2]);
    return std::endian::native == std::endian::little ? a | b << 8U | c << 16U : a << 16U | b << 8U | c;
}

/// value(i) is the i-th; scale is for floats alone.
template <class Value>
void store(std::size_t count, int depth, double scale, void* to, const Value& value) {
    with_depth(depth, [&]<class T>(T /*zero*/) {
        for (std::size_t i = 0; i < count; ++i) {
            if constexpr (std::is_integral_v<T>) {
                static_cast<T*>(to)[i] = static_cast<T>(value(i));
            } else {
                static_cast<T*>(to)[i] = static_cast<T>(static_cast<double>(value(i)) * scale);
            }
        }
    });
}

void unpack_floats(unsigned bits, const std::byte* from, std::size_t count, float* to) {
    if (bits == 16) {
        // OpenCV reads its source only.
        const cv::Mat halves(1, static_cast<int>(count), CV_16FC1, const_cast<std::byte*>(from));
        cv::Mat floats(1, static_cast<int>(count), CV_32FC1, to);
        halves.convertTo(floats, CV_32F);
    } else if (bits == 32) {
        std::memcpy(to, from, count * sizeof(float));
    } else {
        for (std::size_t i = 0; i < count; ++i) {
            to[i] = static_cast<float>(load<double>(from + i * sizeof(double)));
        }
    }
}

void unpack_signed(unsigned bits, const std::byte* from, std::size_t count, float* to) {
    const auto as = [&]<class T>(T /*zero*/) {
        for (std::size_t i = 0; i < count; ++i) {
            to[i] = static_cast<float>(load<T>(from + i * sizeof(T)));
        }
    };
    bits == 8 ? as(std::int8_t{}) : bits == 16 ? as(std::int16_t{}) : as(std::int32_t{});
}

}  // namespace

bool SampleFormat::is_known() const {
    if (kind == SampleKind::signed_whole) {
        return bits == 8 || bits == 16 || bits == 32;
    }
    return kind == SampleKind::whole ? (bits >= 1 && bits <= 32) || bits == 64
                                     : bits == 16 || bits == 32 || bits == 64;
}

int SampleFormat::depth() const {
    return kind != SampleKind::whole || bits > 16 ? CV_32F : bits > 8 ? CV_16U : CV_8U;
}

double SampleFormat::white() const {
    return depth() == CV_32F ? 1.0 : largest(bits);
}

void unpack(const SampleFormat& format, const std::byte* from, std::size_t count, void* to) {
    if (format.kind == SampleKind::floating) {
        unpack_floats(format.bits, from, count, static_cast<float*>(to));
        return;
    }
    if (format.kind == SampleKind::signed_whole) {
        unpack_signed(format.bits, from, count, static_cast<float*>(to));
        return;
    }
    const int depth = format.depth();
    const double scale = 1.0 / largest(format.bits);
    switch (format.bits) {
        case 8:
        case 16:
            std::memcpy(to, from, count * format.bits / 8);
            return;
        case 24:
            store(count, depth, scale, to, [&](std::size_t i) { return load24(from + 3 * i); });
            return;
        case 32:
            store(count, depth, scale, to, [&](std::size_t i) { return load<std::uint32_t>(from + 4 * i); });
            return;
        case 64:
            store(count, depth, scale, to, [&](std::size_t i) { return load<std::uint64_t>(from + 8 * i); });
            return;
        default:
            break;
    }
    std::uint64_t held = 0;
    unsigned have = 0;
    const std::uint64_t mask = (std::uint64_t{1} << format.bits) - 1;
    store(count, depth, scale, to, [&](std::size_t /*i*/) {
        for (; have < format.bits; have += 8) {
            held = held << 8U | std::to_integer<std::uint64_t>(*from++);
        }
        have -= format.bits;
        return held >> have & mask;
    });
}

}  // namespace stackae::data
