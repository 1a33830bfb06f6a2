#include "stackae/model.hpp"

#include <algorithm>
#include <fstream>

#include "stackae/error.hpp"
#include "stackae/image_dataset.hpp"

#include "base/safetensors.hpp"
#include "layers/sample.hpp"
#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

namespace stackae {
namespace {

constexpr const char* deep =
    "conv2d:6:kernel=3, pool2d:2, conv2d:8:kernel=3, pool2d:grid=2, power_norm, pca:5:eigen_power=-0.25, "
    "l2_norm, nystroem:7";

Model model_of(const std::string& text, std::vector<NamedOutput> outputs) {
    Model model;
    model.preprocessing.height = 12;
    model.preprocessing.width = 11;
    model.layers = test::filled_stack(text, model.input_shape());
    model.outputs = std::move(outputs);
    model.reconstruction.depth = model.outputs.front().depth;
    model.record.config = preset("conv");
    model.record.config.stack = parse_stack(text);
    model.record.data = "0123456789abcdef";
    model.record.pictures = 9;
    model.record.class_names = {"a", "b\xc3\xa4"};
    model.record.history = {{"layer 1, conv2d", 1, 0.5, {}, 0.75, {}, {}},
                            {"layer 6, pca", 1, {}, 0.25, {}, 0.0, 1e-3}};
    model.record.accuracies = {{2, 0.5, 0.625, 10, 20, 5}};
    return model;
}

Model deep_model() {
    Model model = model_of(deep, {{"embedding", 7}, {"wide", 8}});
    model.reconstruction.depth = 6;
    model.reconstruction.head = test::filled_stack("ridge_decoder:12:width=11", {1, 1, 5}, 50);
    return model;
}

Tensor encoded(const Model& model, const std::string& output, const Tensor& pictures) {
    return Encoder(model, {.output = output, .threads = 2}).encode(pictures);
}

bool same(const Tensor& a, const Tensor& b) {
    return a.shape() == b.shape() && std::equal(a.values().begin(), a.values().end(), b.values().begin());
}

}  // namespace

TEST_CASE("A model is the same after it was written and read") {
    const test::TemporaryFolder folder;
    const Model model = deep_model();
    save(model, folder / "model");
    const Model read = load_model(folder / "model");
    CHECK(read.identity() == model.identity());
    CHECK(to_text(read.layers) == to_text(model.layers));
    CHECK(read.outputs == model.outputs);
    CHECK(read.parameters() == model.parameters());
    CHECK(to_text(read.record.config) == to_text(model.record.config));
    CHECK(read.record.class_names == model.record.class_names);
    CHECK(read.record.history.size() == 2);
    CHECK(read.record.history[1].stage == "layer 6, pca");
    CHECK(read.record.history[0].train_loss == 0.5);
    CHECK_FALSE(read.record.history[0].validation_loss);
    CHECK(read.record.accuracies[0].best() == 0.625);
    const Tensor pictures = test::random_rows(5, 132, 4);
    CHECK(same(encoded(read, "wide", pictures), encoded(model, "wide", pictures)));
    CHECK(same(Encoder(read).reconstruct(pictures), Encoder(model).reconstruct(pictures)));
    save(read, folder / "again");
    std::ifstream one(folder / "model", std::ios::binary);
    std::ifstream two(folder / "again", std::ios::binary);
    CHECK(std::equal(std::istreambuf_iterator<char>(one), {}, std::istreambuf_iterator<char>(two), {}));
}

TEST_CASE("An output is found by its name or its number of layers, the first where none is named") {
    const Model model = deep_model();
    CHECK(model.depth_of() == 7);
    CHECK(model.depth_of("wide") == 8);
    CHECK(model.depth_of("2") == 2);
    CHECK(model.code_size("2") == 5 * 4 * 6);
    CHECK(model.code_size() == 5);
    for (const char* wrong : {"0", "9", "narrow", "2x", "-1"}) {
        CHECK_THROWS_WITH(model.depth_of(wrong),
                          test::contains("found, embedding, wide, or 1 to 8 layers expected"));
    }
}

TEST_CASE("The layer that a code cannot be taken back through is known") {
    Model model = deep_model();
    REQUIRE(model.uninvertible_layer(7) == 0);
    Stack norm = bind(parse_stack("contrast_norm"), model.input_shape());
    norm.push_back(model.layers.layers().front());
    model.layers = norm;
    model.reconstruction = {2, {}};
    CHECK(model.uninvertible_layer(2) == 1);
    CHECK(model.uninvertible_layer(1) == 1);
    CHECK(model.uninvertible_layer(0) == 0);
}

TEST_CASE("Each depth's code is what the layers above it see") {
    const Model model = deep_model();
    const Tensor pictures = test::random_rows(3, 132, 9);
    const Tensor below = encoded(model, "5", pictures);
    Model above = model;
    above.layers = Stack(model.layers.layers(5, model.layers.size()));
    above.preprocessing.height = 1;
    above.preprocessing.width = static_cast<int>(below.columns());
    above.outputs = {{"wide", 3}};
    CHECK(same(encoded(above, "", below), encoded(model, "wide", pictures)));
}

TEST_CASE("Pictures are rebuilt by the head where there is one, else by the layers' own decoders") {
    const Model model = deep_model();
    const Tensor pictures = test::random_rows(3, 132, 2);
    Encoder six(model, {.output = "6", .threads = 1});
    const Tensor rebuilt = Encoder(model).reconstruct(pictures);
    CHECK(same(rebuilt, six.decode(six.encode(pictures))));
    Model plain = model;
    plain.reconstruction.head = {};
    CHECK_FALSE(same(Encoder(plain).reconstruct(pictures), rebuilt));
    Encoder two(model, {.output = "2", .threads = 1});
    CHECK(same(two.decode(two.encode(pictures)),
               Encoder(plain, {.output = "2", .threads = 1}).decode(two.encode(pictures))));
    CHECK(two.decode(two.encode(pictures)).columns() == 132);
}

TEST_CASE("A model that does not fit together cannot be written, and leaves the old file") {
    const test::TemporaryFolder folder;
    save(deep_model(), folder / "model");
    const auto refused = [&](const auto& spoil, const char* expected) {
        Model model = deep_model();
        spoil(model);
        CHECK_THROWS_WITH(save(model, folder / "model"), test::contains(expected));
        CHECK_NOTHROW(load_model(folder / "model"));
    };
    refused([](Model& m) { m.layers = {}; }, "layers: 0 found, 1 to 64 expected");
    refused([](Model& m) { m.preprocessing.height = 13; }, "layer 1, conv2d: an input of 12 x 11 x 1 found");
    refused([](Model& m) { m.outputs.clear(); }, "outputs: none found");
    refused([](Model& m) { m.outputs[1].depth = 9; }, "outputs: 9 layers found, 1 to 8 expected");
    refused([](Model& m) { m.outputs[1].name = "3"; }, "a name that begins with a small letter");
    refused([](Model& m) { m.reconstruction.depth = 5; }, "reconstruction: layer 1, ridge_decoder");
    refused(
        [](Model& m) {
            m.reconstruction.head = test::filled_stack("ridge_decoder:11:width=12", {1, 1, 5});
        },
        "reconstruction: an output of 11 x 12 x 1 found, 12 x 11 x 1 expected");
    refused([](Model& m) { m.record.accuracies[0].depth = 9; }, "accuracies: 9 layers found");
}

TEST_CASE("Pictures are told from others by their names and labels, wherever they lie") {
    const test::TemporaryFolder folder;
    const auto identity = [&](const std::string& where, const std::vector<std::string>& names) {
        std::string list;
        for (const std::string& name : names) {
            list += where + name + "\n";
        }
        test::write_text(folder / "list.txt", list);
        return data_identity(ImageDataset::open(folder / "list.txt"));
    };
    const std::string here = identity("here/", {"1.png\tcat", "2.png\tdog"});
    CHECK(here.size() == 16);
    CHECK(identity("there/", {"1.png\tcat", "2.png\tdog"}) == here);
    CHECK(identity("here/", {"2.png\tdog", "1.png\tcat"}) != here);
    CHECK(identity("here/", {"1.png\tcat", "2.png\tcat"}) != here);
    CHECK(identity("here/", {"1.png\tcat", "3.png\tdog"}) != here);
    CHECK(identity("here/", {"1.png\tcat"}) != here);
}

TEST_CASE("Memory for encoding covers pictures, codes and weights, and grows with pictures and threads") {
    const Model model = deep_model();
    const auto bytes = [&](const char* output, int threads, std::int64_t n) {
        return encoding_bytes(model, output, threads, n);
    };
    const std::int64_t a_row = 4 * (12 * 11 + model.code_size("embedding"));
    CHECK(bytes("embedding", 1, 1000) >= 1000 * a_row);
    CHECK(bytes("embedding", 1, 2000) - bytes("embedding", 1, 1000) >= 1000 * a_row);
    CHECK(bytes("embedding", 2, 1000) > bytes("embedding", 1, 1000));
    CHECK(bytes("embedding", 2, 1) == bytes("embedding", 1, 1));
    CHECK(bytes("wide", 1, 1000) > bytes("embedding", 1, 1000));
    const Model plain = model_of("dense:400", {{"embedding", 1}});
    CHECK(encoding_bytes(plain, "", 1, 1) >= 4 * 12 * 11 * 400);
    CHECK_THROWS_AS(encoding_bytes(plain, "2", 1, 1), InvalidArgument);
}

TEST_CASE("A file whose description is not a model's is refused by the place that is wrong") {
    const test::TemporaryFolder folder;
    save(deep_model(), folder / "model");
    const auto refused = [&](const std::string& from, const std::string& to, const char* expected) {
        CAPTURE(from, to);
        base::Safetensors file = base::read_safetensors(folder / "model");
        std::string& text = file.metadata.at("model");
        const std::size_t at = text.find(from);
        REQUIRE(at != std::string::npos);
        text.replace(at, from.size(), to);
        base::write_safetensors(file, folder / "spoilt");
        CHECK_THROWS_WITH(load_model(folder / "spoilt"), test::contains(expected));
        CHECK_THROWS_AS(load_model(folder / "spoilt"), CorruptFile);
    };
    refused("\"type\":\"conv2d\"", "\"type\":\"conv9d\"", "layers.1: \"conv9d\" found, one of conv2d");
    refused("\"units\":6", "\"units\":7", "layers.1.");
    refused("\"kernel\":3", "\"kernel\":0", "layers.1: kernel: 0 found, 1 to 256 expected");
    refused("\"kernel\":3", "\"colonel\":3", "layers.1: kernel: missing");
    refused("\"input\":[12,11,1]", "\"input\":[12,11,-1]", "layers.1: input");
    refused("\"input\":[12,11,1]", "\"input\":[12,1]", "layers.1: input: 3 extents");
    refused("\"input\":[12,11,1]", "\"input\":[67108864,67108864,67108864]", "layers.1: input");
    refused("\"n_landmarks\":7", "\"n_landmarks\":1000000", "layers.8.");
    refused("\"background\":0.0", "\"background\":2.0",
            "preprocessing: background: 2.0 found, a number from 0 and up to 1 expected");
    refused("\"depth\":8", "\"depth\":80", "outputs: 80 layers found");
    refused("\"class_names\":2", "\"class_names\":3", "class_names");
    refused("preset = ", "present = ", "record: config: line 1: \"present\" found");
    refused("\"outputs\":[", "\"output\":[", "outputs: missing");
}

}  // namespace stackae
