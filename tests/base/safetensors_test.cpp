#include "base/safetensors.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <functional>
#include <unistd.h>

#include "stackae/error.hpp"
#include "stackae/resources.hpp"

#include "support/catch.hpp"
#include "support/resident.hpp"
#include "support/temporary_folder.hpp"
#include "support/tensor.hpp"

using stackae::CorruptFile;
using stackae::InvalidArgument;
using stackae::IoError;
using stackae::Tensor;
using stackae::base::read_safetensors;
using stackae::base::Safetensors;
using stackae::base::write_safetensors;
using stackae::test::read_text;
using stackae::test::TemporaryFolder;
using stackae::test::tensor;
using stackae::test::write_text;
using namespace std::string_literals;

namespace {

/// Two tensors whose order is not that of their names.
Safetensors small() {
    Safetensors content;
    content.metadata["made_by"] = "a test";
    content.tensors.emplace_back("b", tensor({1}, {0.5F}));
    content.tensors.emplace_back("a", tensor({2, 1}, {1.0F, -2.0F}));
    return content;
}

/// small() by the format's public description. The checksum is XXH3, 64 bits, of: 1; 7 "made_by"; 6 "a test";
/// 1 "a"; 2 (2, 1); 1.0, -2.0; 1 "b"; 1 (1); 0.5.
const std::string small_file = "\xB8\0\0\0\0\0\0\0"s +
                               R"({"__metadata__":{"checksum":"256af03e1d7fa593","made_by":"a test"},)"
                               R"("b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
                               R"("a":{"dtype":"F32","shape":[2,1],"data_offsets":[4,12]}})"
                               "        "
                               "\0\0\0\x3F\0\0\x80\x3F\0\0\0\xC0"s;

std::string file_of(const std::string& header, const std::string& data) {
    const std::uint64_t length = header.size();
    std::string file(sizeof(length), '\0');
    std::memcpy(file.data(), &length, sizeof(length));
    return file + header + data;
}

bool same(const Safetensors& a, const Safetensors& b) {
    const auto equal = [](const auto& x, const auto& y) {
        return x.first == y.first && x.second.shape() == y.second.shape() &&
               std::equal(x.second.values().begin(), x.second.values().end(), y.second.values().begin());
    };
    return a.metadata == b.metadata && a.blocks == b.blocks &&
           std::equal(a.tensors.begin(), a.tensors.end(), b.tensors.begin(), b.tensors.end(), equal);
}

std::string message_of(const std::function<void()>& action) {
    try {
        action();
    } catch (const CorruptFile& error) {
        return error.what();
    }
    return "nothing was thrown";
}

}  // namespace

TEST_CASE("A safetensors file is what the format's description says, byte by byte") {
    const TemporaryFolder folder;
    const std::string path = folder / "small.safetensors";
    write_safetensors(small(), path);
    CHECK(read_text(path) == small_file);
    CHECK((small_file.size() - 12) % 64 == 0);  // where the data begins
    CHECK(folder.entries() == 1);
}

TEST_CASE("A safetensors file written by hand is read") {
    const TemporaryFolder folder;
    const std::string path = folder / "small.safetensors";
    write_text(path, small_file);
    const Safetensors content = read_safetensors(path);
    CHECK(same(content, small()));
}

TEST_CASE("A file that another program wrote again in its own order is still read") {
    const TemporaryFolder folder;
    const std::string path = folder / "again.safetensors";
    write_text(path, file_of(R"({"a":{"shape":[2,1],"dtype":"F32","data_offsets":[0,8]},)"
                             R"("b":{"shape":[1],"dtype":"F32","data_offsets":[8,12]}, "__metadata__":)"
                             R"({"made_by":"a test","checksum":"256af03e1d7fa593"}})",
                             "\0\0\x80\x3F\0\0\0\xC0\0\0\0\x3F"s));
    const Safetensors content = read_safetensors(path);
    CHECK(content.metadata == small().metadata);
    CHECK(content.at("a", {2, -1}).data()[1] == -2.0F);
    CHECK(content.at("b", {1}).data()[0] == 0.5F);
}

TEST_CASE("Tensors of several megabytes, empty ones and odd metadata come back the same") {
    const TemporaryFolder folder;
    const std::string path = folder / "large.safetensors";
    Safetensors content;
    content.metadata["Größe \"quoted\"\n"] = R"({"nested":"json \\ as text"})";
    content.tensors.emplace_back("none", Tensor({0, 7}));
    content.tensors.emplace_back("large", Tensor({1000, 1001}));
    content.tensors.emplace_back("none as well", Tensor({3, 0}));
    Tensor& large = content.tensors[1].second;
    for (std::int64_t i = 0; i < large.size(); ++i) {
        large.data()[i] = static_cast<float>(i) * 0.25F;
    }
    write_safetensors(content, path);
    const Safetensors back = read_safetensors(path);
    CHECK(back.metadata == content.metadata);
    for (const auto& [name, wanted] : content.tensors) {
        const Tensor& found = back.at(name, wanted.shape());
        CHECK(std::equal(found.values().begin(), found.values().end(), wanted.values().begin(),
                         wanted.values().end()));
    }
}

TEST_CASE("Texts in a tensor of bytes come back the same, beside tensors of numbers") {
    const TemporaryFolder folder;
    const std::vector<std::string> texts{"Zoë", "", "a\nb", "caf\xE9"};
    Safetensors content = small();
    content.blocks.emplace_back("texts", stackae::base::pack_texts(texts));
    content.blocks.emplace_back("none", "");
    write_safetensors(content, folder / "a");
    const Safetensors back = read_safetensors(folder / "a");
    CHECK(same(back, content));
    CHECK(read_text(folder / "a").find(R"("texts":{"dtype":"U8","shape":[18])") != std::string::npos);
    CHECK(back.texts("texts", 4) == std::vector<std::string>{"Zoë", "", "a\nb", "caf\\xe9"});
    CHECK(back.texts("none", 0).empty());
    CHECK(message_of([&] { (void)back.texts("texts", 5); }) ==
          (folder / "a") + ": tensor \"texts\": 4 texts found, 5 expected, each ended by a zero byte");
    CHECK(message_of([&] { (void)back.texts("a", 1); }) ==
          (folder / "a") + ": no tensor \"a\" of bytes in it");
    CHECK_THROWS_AS(stackae::base::pack_texts({"a\0b"s}), InvalidArgument);
}

TEST_CASE("A header beyond its bound costs no memory to refuse, whatever is in it") {
    const TemporaryFolder folder;
    const std::string path = folder / "large";
    std::string header = R"({"a":[)";
    while (header.size() <= stackae::base::max_safetensors_header) {
        header += "[],";
    }
    // The first refusal brings pages of libraries into memory, those for exceptions among them.
    write_text(path, "x");
    CHECK_THROWS_AS(read_safetensors(path), CorruptFile);
    write_text(path, file_of(header, ""));
    const std::int64_t before = stackae::test::resident_bytes();
    CHECK(message_of([&] { (void)read_safetensors(path); }) ==
          path + ": not a safetensors file of stackae: a header of more than 16777216 bytes stated");
    CHECK(stackae::test::resident_bytes() - before < 1 << 20);
    write_text(path, file_of(header.substr(0, std::size_t{8} << 20U), ""));
    CHECK(message_of([&] { (void)read_safetensors(path); }) ==
          path + ": header: more than 1048576 values found");
    Safetensors content = small();
    content.metadata["long"] = std::string(stackae::base::max_safetensors_header, 'x');
    CHECK_THROWS_AS(write_safetensors(content, path), InvalidArgument);
}

TEST_CASE("A safetensors file is read from a pipe, and a pipe that ends early is refused") {
    const auto piped = [&](const std::string& content) {
        std::array<int, 2> ends{};
        REQUIRE(::pipe(ends.data()) == 0);
        REQUIRE(::write(ends[1], content.data(), content.size()) == std::ssize(content));
        ::close(ends[1]);
        Safetensors read;
        const std::string message =
            message_of([&] { read = read_safetensors("/proc/self/fd/" + std::to_string(ends[0])); });
        ::close(ends[0]);
        return std::pair(message, same(read, small()));
    };
    CHECK(piped(small_file) == std::pair<std::string, bool>("nothing was thrown", true));
    CHECK(piped(small_file.substr(0, small_file.size() - 1)).first.find(": cut short: ") !=
          std::string::npos);
    CHECK(piped(small_file + "x").first.find(": bytes found after the last tensor") != std::string::npos);
    CHECK(piped("x").first.find(": not a safetensors file: 1 bytes found") != std::string::npos);
}

TEST_CASE("Metadata from file names that are not UTF-8 can be saved and read") {
    const TemporaryFolder folder;
    Safetensors content = small();
    content.metadata["made_by"] = "caf\xE9.png";
    write_safetensors(content, folder / "latin1");
    CHECK(read_safetensors(folder / "latin1").text("made_by") == "caf\\xe9.png");
}

TEST_CASE("A safetensors file cut short anywhere is refused") {
    const TemporaryFolder folder;
    const std::string path = folder / "cut.safetensors";
    for (std::size_t length = 0; length < small_file.size(); ++length) {
        write_text(path, small_file.substr(0, length));
        INFO("length " << length);
        CHECK_THROWS_AS(read_safetensors(path), CorruptFile);
    }
    write_text(path, small_file + '\0');
    CHECK(message_of([&] { (void)read_safetensors(path); }) ==
          path + ": 13 bytes of data found, 12 expected: cut short or added to");
}

TEST_CASE("No flipped byte of a safetensors file gives wrong values") {
    const TemporaryFolder folder;
    const std::string path = folder / "flipped.safetensors";
    int refused = 0;
    int tried = 0;
    for (std::size_t i = 0; i < small_file.size(); ++i) {
        for (const unsigned flip : {0x01U, 0x02U, 0x04U, 0x08U, 0x10U, 0x20U, 0x40U, 0x80U, 0xFFU}) {
            std::string damaged = small_file;
            damaged[i] = static_cast<char>(static_cast<unsigned char>(damaged[i]) ^ flip);
            write_text(path, damaged);
            ++tried;
            try {
                const Safetensors content = read_safetensors(path);
                INFO("byte " << i << " flipped by " << flip);
                CHECK(same(content, small()));
            } catch (const CorruptFile&) {
                ++refused;
            }
        }
    }
    CHECK(refused == tried);
}

TEST_CASE("Each kind of damage to a safetensors header is told by name") {
    const TemporaryFolder folder;
    const std::string path = folder / "bad";
    const auto entry = [](const std::string& dtype, const std::string& shape, const std::string& offsets) {
        return R"({"a":{"dtype":)" + dtype + R"(,"shape":)" + shape + R"(,"data_offsets":)" + offsets + "}}";
    };
    const std::string f32 = R"("F32")";
    const std::string four(4, '\0');
    struct Case {
        std::string file;
        std::string message;
    };
    const Case cases[] = {
        {"", ": not a safetensors file: 0 bytes found, at least 8 expected"},
        {"\x89PNG\r\n\x1A\n and more",
         ": not a safetensors file, or cut short: a header longer than the 9 bytes that follow stated"},
        {file_of("", ""), ": not a safetensors file: its header does not begin with {"},
        {file_of(" {}", ""), ": not a safetensors file: its header does not begin with {"},
        {file_of("{\"a\":", ""), ": header: not valid JSON: "},
        {file_of("{}\0"s, ""), ": header: a zero byte found in JSON text"},
        {file_of("{\"a\":" + std::string(100'000, '['), ""), ": header: nested deeper than 3 levels"},
        {file_of(R"({"__metadata__":{"x":"1","x":"2"}})", ""), ": header: key \"x\" is there twice"},
        {file_of(R"({"a":1,"a":2})", ""), ": header: key \"a\" is there twice"},
        {file_of(R"({"\u00e9":1e999})", ""), ": header: not valid JSON: "},
        {file_of(R"({"__metadata__":[]})", ""), ": metadata: an object of strings expected"},
        {file_of(R"({"__metadata__":{"n":1}})", ""), ": metadata \"n\": a string expected"},
        {file_of(R"({"a":1})", ""), ": tensor \"a\": no dtype in the header"},
        {file_of(R"({"a":{"dtype":"F32","shape":[1]}})", four),
         ": tensor \"a\": no data_offsets in the header"},
        {file_of(entry(R"("F64")", "[1]", "[0,8]"), four + four),
         ": tensor \"a\": dtype \"F64\" found, \"F32\" or \"U8\" expected"},
        {file_of(entry(R"("U8")", "[2,2]", "[0,4]"), four),
         ": tensor \"a\": shape of 1 to 1 extents expected"},
        {file_of(entry(R"("U8")", "[1]", "[0,4]"), four),
         ": tensor \"a\": data_offsets [0, 4] found, 1 bytes expected for shape [1]"},
        {file_of(entry(f32, "[]", "[0,4]"), four), ": tensor \"a\": shape of 1 to 8 extents expected"},
        {file_of(entry(f32, "[1,1,1,1,1,1,1,1,1]", "[0,4]"), four),
         ": tensor \"a\": shape of 1 to 8 extents expected"},
        {file_of(entry(f32, "[-1]", "[0,4]"), four),
         ": tensor \"a\", shape: -1 found, a whole number expected"},
        {file_of(entry(f32, "[1.0]", "[0,4]"), four),
         ": tensor \"a\", shape: 1.0 found, a whole number expected"},
        {file_of(entry(f32, "[18446744073709551615]", "[0,4]"), four),
         ": tensor \"a\", shape: 18446744073709551615 found, a whole number expected"},
        {file_of(entry(f32, "[4611686018427387904,4]", "[0,0]"), ""),
         ": tensor \"a\": shape [4611686018427387904, 4] is too large"},
        {file_of(entry(f32, "[0,4611686018427387904,4]", "[0,0]"), ""),
         ": tensor \"a\": shape [0, 4611686018427387904, 4] is too large"},
        {file_of(entry(f32, "[1]", "[0]"), four), ": tensor \"a\": data_offsets of two numbers expected"},
        {file_of(entry(f32, "[1]", "[0,8]"), four + four),
         ": tensor \"a\": data_offsets [0, 8] found, 4 bytes expected for shape [1]"},
        {file_of(entry(f32, "[1]", "[4,0]"), four),
         ": tensor \"a\": data_offsets [4, 0] found, 4 bytes expected for shape [1]"},
        {file_of(entry(f32, "[1]", "[4,8]"), four + four),
         ": tensor \"a\": begins at byte 4 of the data, 0 expected"},
        {file_of(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
                 R"("b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})",
                 four),
         ": tensor \"b\": begins at byte 0 of the data, 4 expected"},
        {file_of(entry(f32, "[2]", "[0,8]"), four),
         ": 4 bytes of data found, 8 expected: cut short or added to"},
        {file_of(entry(f32, "[1]", "[0,4]"), four), ": no \"checksum\" in its metadata"},
    };
    for (const Case& c : cases) {
        write_text(path, c.file);
        const std::string message = message_of([&] { (void)read_safetensors(path); });
        INFO(message);
        CHECK(message.rfind(path + c.message, 0) == 0);
    }
}

TEST_CASE("Changed weights are noticed by the checksum") {
    const TemporaryFolder folder;
    std::string damaged = small_file;
    damaged.back() = '\x40';  // -2 becomes 2
    write_text(folder / "bad", damaged);
    const std::string message = message_of([&] { (void)read_safetensors(folder / "bad"); });
    CHECK(message.find(": damaged: checksum ") != std::string::npos);
    CHECK(message.find(", 256af03e1d7fa593 expected") != std::string::npos);
}

TEST_CASE("A missing tensor, another shape and a missing key are told with the file") {
    const TemporaryFolder folder;
    const std::string path = folder / "small";
    write_text(path, small_file);
    const Safetensors content = read_safetensors(path);
    CHECK(message_of([&] { (void)content.at("c"); }) == path + ": no tensor \"c\" in it");
    CHECK(message_of([&] {
              (void)content.at("a", {2, 3});
          }) == path + ": tensor \"a\": shape [2, 1] found, [2, 3] expected");
    CHECK(message_of([&] { (void)content.text("kind"); }) == path + ": no \"kind\" in its metadata");
}

TEST_CASE("A file of another kind or of a newer version is told apart") {
    Safetensors content;
    content.path = "x.gallery";
    content.metadata["format"] = "pt";
    CHECK(message_of([&] { content.check_kind("model", 1); }) ==
          "x.gallery: is not a file of stackae: format \"pt\" found");
    content.set_kind("gallery", 2);
    CHECK_NOTHROW(content.check_kind("gallery", 2));
    CHECK(message_of([&] { content.check_kind("model", 2); }) ==
          "x.gallery: is a stackae gallery, not a model");
    CHECK(message_of([&] { content.check_kind("gallery", 1); }) ==
          std::string(
              "x.gallery: was written by a newer stackae: version 2 of the gallery file found, stackae ") +
              stackae::version() + " reads up to 1; update stackae to open it");
    for (const char* version : {"", "0", "-1", "1.5", "99999999999999999999"}) {
        content.metadata["version"] = version;
        CHECK(message_of([&] { content.check_kind("gallery", 2); }).find("a whole number from 1 expected") !=
              std::string::npos);
    }
}

TEST_CASE("What safetensors cannot hold is refused before anything is written") {
    const TemporaryFolder folder;
    const std::string path = folder / "refused";
    Safetensors content = small();
    content.tensors.emplace_back("a", Tensor({1}));
    CHECK_THROWS_AS(write_safetensors(content, path), InvalidArgument);
    content.tensors.back().first = "__metadata__";
    CHECK_THROWS_AS(write_safetensors(content, path), InvalidArgument);
    content.tensors.back() = {"scalar", Tensor()};
    CHECK_THROWS_AS(write_safetensors(content, path), InvalidArgument);
    content.tensors.back() = {"\xFF", Tensor({1})};
    CHECK_THROWS_AS(write_safetensors(content, path), InvalidArgument);
    content.tensors.pop_back();
    content.metadata["checksum"] = "1";
    CHECK_THROWS_AS(write_safetensors(content, path), InvalidArgument);
    CHECK(folder.entries() == 0);
}

TEST_CASE("A full disk and a missing folder are errors that leave nothing behind") {
    const TemporaryFolder folder;
    CHECK_THROWS_AS(write_safetensors(small(), folder / "missing/small"), IoError);
    CHECK(folder.entries() == 0);
    if (std::filesystem::exists("/dev/full")) {
        CHECK_THROWS_AS(write_safetensors(small(), "/dev/full"), IoError);
    }
}

TEST_CASE("A missing file and a folder are errors of the system") {
    const TemporaryFolder folder;
    CHECK_THROWS_AS(read_safetensors(folder / "missing"), IoError);
    CHECK_THROWS_AS(read_safetensors(folder.path()), IoError);
}
