#include "stackae/table_encoder.hpp"

#include <string>
#include <vector>

#include "stackae/error.hpp"
#include "stackae/recommend.hpp"

#include "model/sample_model.hpp"
#include "support/catch.hpp"
#include "support/interactions.hpp"

namespace stackae {
namespace {

using namespace test;

Model table_model(const std::string& stack) {
    Model model = sample_model(stack, {1, 20, 1});
    model.table = two_tastes(300);
    return model;
}

std::vector<float> values(const Tensor& tensor, std::int64_t row) {
    return {tensor.row(row).begin(), tensor.row(row).end()};
}

TEST_CASE("A user's code is that of its row, whoever is beside it") {
    const Model model = table_model("dense:4:activation=tanh, dense:3");
    TableEncoder encoder(model, {.threads = 1});
    REQUIRE(encoder.code_size() == 3);
    const Tensor all = encoder.users(model.table, 0, 300);
    const Tensor expected = Encoder(model).encode(dense_rows(model.table, 0, 300));
    CHECK(values(all, 123) == values(expected, 123));
    CHECK(values(encoder.users(model.table, 123, 1), 0) == values(all, 123));
    TableEncoder lower(model, {.output = "1", .l2_normalize = true});
    const Tensor code = lower.users(model.table, 5, 1);
    CHECK(code.columns() == 4);
    double norm = 0.0;
    for (const float value : code.values()) {
        norm += double{value} * double{value};
    }
    CHECK(norm == Approx(1.0));
}

TEST_CASE("Items' features are the rows of the decoder: what is decoded is made of them") {
    const Model model = table_model("dense:6:activation=linear");
    TableEncoder encoder(model);
    const Tensor features = encoder.items(0, 20);
    REQUIRE(features.columns() == 6);
    CHECK(encoder.item_bytes() == 20 * 6 * 4);
    CHECK(encoder.user_bytes() == 0);
    Tensor codes({2, 6});
    for (std::int64_t k = 0; k < 6; ++k) {
        codes.row(1)[static_cast<std::size_t>(k)] = 0.1F * static_cast<float>(k) - 0.2F;
    }
    Encoder whole(model);
    const Tensor decoded = whole.decode(codes);
    for (std::int64_t item = 0; item < 20; ++item) {
        double sum = decoded.row(0)[static_cast<std::size_t>(item)];
        for (std::int64_t k = 0; k < 6; ++k) {
            sum += double{codes.row(1)[static_cast<std::size_t>(k)]} *
                   double{features.row(item)[static_cast<std::size_t>(k)]};
        }
        CHECK(double{decoded.row(1)[static_cast<std::size_t>(item)]} == Approx(sum).margin(1e-5));
    }
    CHECK(values(encoder.items(7, 2), 1) == values(features, 8));
}

TEST_CASE("Where the code is the row as it is rebuilt, items' features are their weights") {
    const Model model = table_model("edlae");
    TableEncoder encoder(model);
    CHECK(encoder.item_bytes() == 0);
    const Tensor features = encoder.items(3, 1);
    REQUIRE(features.columns() == 20);
    const std::vector<std::int32_t> one{3};
    const Tensor rebuilt = Recommender(model).scores(row_of_items(model.table, one), 0, 1);
    CHECK(values(features, 0) == values(rebuilt, 0));
}

TEST_CASE("Where items are the rows, it is users whose features are rows of the decoder") {
    Model model = sample_model("dense:6:activation=linear", {1, 300, 1});
    model.table = two_tastes(300);
    model.record.config.rows = TableRow::item;
    TableEncoder encoder(model);
    CHECK(encoder.user_bytes() == 300 * 6 * 4);
    CHECK(encoder.item_bytes() == 0);
    CHECK(encoder.users(model.table, 0, 300).columns() == 6);
}

TEST_CASE("Features of what is not there are refused") {
    CHECK_THROWS_WITH(TableEncoder(sample_model("dense:3", {2, 2, 1})),
                      contains("a model of pictures found, one of a table expected"));
    const Model model = table_model("dense:3");
    TableEncoder encoder(model);
    CHECK_THROWS_WITH(encoder.users(two_tastes(10, 18), 0, 1), contains("rows of 18 items found, 20"));
    CHECK_THROWS_AS(encoder.items(19, 2), InvalidArgument);
    CHECK_THROWS_AS(encoder.items(-1, 1), InvalidArgument);
}

TEST_CASE("Somebody's items have the values that the table has for them") {
    Interactions learnt = table({{0, 1}, {1}, {}}, 3);
    learnt.values = {1.0F, 2.0F, 4.0F};
    const std::vector<std::int32_t> items{2, 1, 1, 0};
    const Interactions row = row_of_items(learnt, items);
    CHECK(row.columns == std::vector<std::int32_t>{0, 1, 2});
    CHECK(row.values == std::vector<float>{1.0F, 3.0F, 7.0F / 3.0F});
}

}  // namespace
}  // namespace stackae
