#include "data/make.hpp"

namespace stackae {
namespace {

using namespace test;

std::vector<double> read_pnm(const std::string& file, const Preprocessing& preprocessing) {
    const TemporaryFolder folder;
    write_text(folder / "a.pnm", file);
    return values_of(folder / "a.pnm", preprocessing);
}

SkippedPicture refused(const std::string& file) {
    const TemporaryFolder folder;
    write_text(folder / "a.pnm", file);
    return skipped_at(folder / "a.pnm");
}

std::string pam(int width, int height, int depth, int most, const std::string& type,
                const std::string& data) {
    return "P7\n# made by hand\nWIDTH " + std::to_string(width) + "\nHEIGHT " + std::to_string(height) +
           "\nDEPTH " + std::to_string(depth) + "\nMAXVAL " + std::to_string(most) + "\n" +
           (type.empty() ? "" : "TUPLTYPE " + type + "\n") + "ENDHDR\n" + data;
}

std::string be16(std::uint64_t value) {
    return number(value, 2, true);
}

const Preprocessing gray_pair = preprocessing_of(1, 1, 2);
const Preprocessing colour_pair = preprocessing_of(3, 1, 2);

}  // namespace

TEST_CASE("Every kind of PNM gives the same picture") {
    const std::vector<double> expected{0, 51, 255, 255, 51, 0};
    CHECK(farthest(read_pnm("P3 2 1 5 0 1 5\n5 1 0", colour_pair), expected) < 1e-3);
    CHECK(farthest(read_pnm(std::string("P6 2 1 5\n\0\1\5\5\1\0", 15), colour_pair), expected) < 1e-3);
    CHECK(farthest(
              read_pnm("P6 2 1 1000\n" + be16(0) + be16(200) + be16(1000) + be16(1000) + be16(200) + be16(0),
                       colour_pair),
              expected) < 1e-3);
    CHECK(farthest(read_pnm(pam(2, 1, 3, 5, "RGB", std::string("\0\1\5\5\1\0", 6)), colour_pair), expected) <
          1e-3);
    const std::vector<float> floats{0.0F, 0.2F, 1.0F, 1.0F, 0.2F, 0.0F};
    CHECK(farthest(read_pnm("PF\n2 1\n-1.0\n" + bytes_of(floats), colour_pair), expected) < 1e-3);
    CHECK(farthest(read_pnm("P2 2 1 5 0 1", gray_pair), {0, 51}) < 1e-3);
    CHECK(farthest(read_pnm(std::string("P5 2 1 5\n\0\1", 11), gray_pair), {0, 51}) < 1e-3);
    CHECK(farthest(read_pnm("P1 2 1 01", gray_pair), {255, 0}) < 1e-3);
    CHECK(farthest(read_pnm("P4 2 1\n\x40", gray_pair), {255, 0}) < 1e-3);
}

TEST_CASE("PAM is red, green, blue, and alpha where it says so") {
    const std::string rgb("\xc8\x64\x32\1\2\3", 6);
    const std::vector<double> expected{200, 100, 50, 1, 2, 3};
    CHECK(farthest(read_pnm(pam(2, 1, 3, 255, "RGB", rgb), colour_pair), expected) < 1e-3);
    CHECK(farthest(read_pnm(pam(2, 1, 3, 255, "", rgb), colour_pair), expected) < 1e-3);
    CHECK(farthest(read_pnm(pam(2, 1, 3, 255, "of my own", rgb), colour_pair), expected) < 1e-3);
    std::string deep;
    for (const char c : rgb) {
        deep += std::string(2, c);
    }
    CHECK(farthest(read_pnm(pam(2, 1, 3, 65535, "RGB", deep), colour_pair), expected) < 1e-3);
    const std::string rgba("\xc8\x64\x32\xff\xc8\x64\x32\x33", 8);
    for (const char* type : {"RGB_ALPHA", ""}) {
        CHECK(farthest(read_pnm(pam(2, 1, 4, 255, type, rgba), colour_pair), {200, 100, 50, 40, 20, 10}) <
              1e-3);
    }
    for (const char* type : {"GRAYSCALE_ALPHA", ""}) {
        CHECK(farthest(read_pnm(pam(2, 1, 2, 255, type, "\xc8\xff\xc8\x33"), gray_pair), {200, 40}) < 1e-3);
    }
}

TEST_CASE("A PAM of two values is black and white") {
    for (const char* type : {"BLACKANDWHITE", "GRAYSCALE", ""}) {
        CHECK(farthest(read_pnm(pam(2, 1, 1, 1, type, std::string("\0\1", 2)), gray_pair), {0, 255}) < 1e-3);
    }
    CHECK(farthest(read_pnm(pam(2, 1, 2, 1, "BLACKANDWHITE_ALPHA", std::string("\1\1\1\0", 4)), gray_pair),
                   {255, 0}) < 1e-3);
}

TEST_CASE("A PNM of any largest value goes from 0 to 1") {
    for (const int most : {1, 2, 3, 7, 100, 254, 255, 256, 1000, 4095, 65534, 65535}) {
        const std::uint64_t middle = static_cast<std::uint64_t>(most) / 2;
        const std::string values = most > 255
                                       ? be16(middle) + be16(static_cast<std::uint64_t>(most))
                                       : std::string{static_cast<char>(middle), static_cast<char>(most)};
        const std::vector<double> expected{255.0 * static_cast<double>(middle) / most, 255};
        INFO(most);
        CHECK(farthest(read_pnm("P5 2 1 " + std::to_string(most) + "\n" + values, gray_pair), expected) <
              1e-4);
        CHECK(farthest(read_pnm("P2 2 1 " + std::to_string(most) + " " + std::to_string(middle) + " " +
                                    std::to_string(most),
                                gray_pair),
                       expected) < 1e-4);
    }
}

TEST_CASE("Comments may stand wherever PNM allows them") {
    CHECK(farthest(read_pnm("P5#one\n#two\n2# three\n#\n1\n#four\r\n255\n\1\2", gray_pair), {1, 2}) < 1e-3);
    CHECK(farthest(read_pnm("P5 2 1 255# behind the last number\n\1\2", gray_pair), {1, 2}) < 1e-3);
    CHECK(farthest(read_pnm("P5 2 1 255\n#\2", gray_pair), {35, 2}) < 1e-3);  // there it is a value
    CHECK(farthest(read_pnm("P2\n2 1\n255\n1 # one\n 2", gray_pair), {1, 2}) < 1e-3);
    CHECK(farthest(read_pnm("P1\n# letters 1 0 1\n2 1\n0 # 1\n1", gray_pair), {255, 0}) < 1e-3);
    CHECK(farthest(
              read_pnm(
                  "P7\r\nHEIGHT 1\r\n\r\nWIDTH 2\r\nMAXVAL 255\r\nDEPTH 1\r\n# TUPLTYPE RGB\r\nENDHDR\n\1\2",
                  gray_pair),
              {1, 2}) < 1e-3);
}

TEST_CASE("PFM comes from the bottom, in either byte order") {
    const std::vector<float> floats{0.25F, 0.5F, 0.75F, 1.0F};
    const Preprocessing square = preprocessing_of(1, 2, 2);
    const std::vector<double> expected{191.25, 255, 63.75, 127.5};
    CHECK(farthest(read_pnm("Pf\n2 2\n-1\n" + bytes_of(floats), square), expected) < 1e-3);
    std::string swapped;
    const std::string bytes = bytes_of(floats);
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        swapped += bytes[i / 4 * 4 + 3 - i % 4];
    }
    CHECK(farthest(read_pnm("Pf\n2 2\n2.5\n" + swapped, square), expected) < 1e-3);
    CHECK(refused("Pf\n2 2\n0\n" + bytes).status == PictureStatus::corrupt);
    CHECK(refused("Pf\n2 2\nnan\n" + bytes).status == PictureStatus::corrupt);
    CHECK(refused("Pf\n2 2\n-1\n" + bytes.substr(1)).status == PictureStatus::corrupt);
    CHECK(refused("Pf 1 1 -1\n" + bytes_of(std::vector<float>{1.5F})).status == PictureStatus::unsupported);
}

TEST_CASE("A PNM of values above its largest, of too few, or of garbage is refused") {
    const auto reason = [](const std::string& file) {
        const SkippedPicture skipped = refused(file);
        INFO(file);
        CHECK(skipped.status == PictureStatus::corrupt);
        return skipped.reason;
    };
    CHECK_THAT(reason(std::string("P5 2 1 5\n\1\6", 11)), contains("PNM value 6 found, at most 5 expected"));
    CHECK_THAT(reason("P2 2 1 5 1 6"), contains("PNM value 6 found, at most 5 expected"));
    CHECK_THAT(reason("P5 2 1 1000\n" + be16(1001) + be16(0)), contains("PNM value 1001 found"));
    CHECK_THAT(reason(pam(2, 1, 1, 1, "BLACKANDWHITE", "\1\2")), contains("PNM value 2 found"));
    CHECK_THAT(reason("P5 2 1 255\n\1"), contains("cut short"));
    CHECK_THAT(reason("P2 2 1 255\n123"), contains("cut short"));
    CHECK_THAT(reason("P1 2 1 1"), contains("cut short"));
    CHECK_THAT(reason("P2 2 1 255\n1 x2"), contains("'x2'"));
    CHECK_THAT(reason("P2 2 1 255\n1 -2"), contains("'-2'"));
    CHECK_THAT(reason("P1 2 1 12"), contains("other than 0 or 1"));
    CHECK_THAT(reason("P5 2 one 255\n\1\2"), contains("'one'"));
    CHECK_THAT(reason("P5 2"), contains("cut short"));
    CHECK_THAT(reason("P5 2 1 0\n\1\2"), contains("largest value 0 found"));
    CHECK_THAT(reason("P5 2 1 65536\n\1\2\1\2"), contains("largest value 65536 found"));
    CHECK_THAT(reason("P5 0 1 255\n"), contains("0 × 1"));
    CHECK_THAT(reason("P7\nWIDTH 2\nHEIGHT 1\n"), contains("ENDHDR"));
    CHECK_THAT(reason("P7\nWIDTH 2\nDEEP 3\nENDHDR\n"), contains("'DEEP'"));
    CHECK_THAT(reason(pam(2, 1, 3, 255, "GRAYSCALE", "datada")),
               contains("TUPLTYPE GRAYSCALE with DEPTH 3 found"));
    CHECK(refused(pam(2, 1, 5, 255, "", "datadatada")).status == PictureStatus::unsupported);
    CHECK(refused(pam(2, 1, 4, 255, "CMYK", "datadata")).status == PictureStatus::unsupported);
    CHECK(refused("P5 99999 99999 255\n").status == PictureStatus::too_large);
    CHECK(refused("P2 9999 9999 255\n1 2 3").status == PictureStatus::corrupt);
}

}  // namespace stackae
