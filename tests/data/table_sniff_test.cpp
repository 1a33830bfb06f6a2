#include <algorithm>

#include "data/table.hpp"
#include "data/table/names.hpp"

namespace stackae {

using namespace test;

TEST_CASE("A header of two to four names over rows of its width makes triples") {
    CHECK(sniffed("kunde,ware\n1,brot\n2,milch\n") ==
          "triples, fields apart by comma, a header: user \"kunde\", item \"ware\", no values");
    CHECK(table_text("kunde,ware\nanna,brot\nbert,milch\n") == "anna: brot | bert: milch");
    CHECK(sniffed("1\t2\n3\t4\n") ==
          "triples, fields apart by tab, no header: user column 1, item column 2, "
          "no values");
    // The first line recurs below it, as no header does.
    CHECK(table_text("anna,brot\nanna,milch\nbert,brot\n") == "anna: brot milch | bert: brot");
    CHECK(table_text("anna,brot\nbert,milch\n", {.header = false}) == "anna: brot | bert: milch");
    CHECK(table_text("1,2\n3,4\n", {.header = true}) == "3: 4");
    // A row whose number is missing is none.
    CHECK(table_text("anna,brot,n/a\nbert,milch,2\n") == "bert: milch");
    CHECK(sniffed("anna,brot,NA\nbert,milch,2\n").find("no header") != std::string::npos);
}

TEST_CASE("Columns are called by their numbers, with a header too") {
    const std::string wide = "a,b,c,d,e,f\n1,anna,x,brot,y,z\n2,bert,x,milch,y,z\n";
    CHECK(table_text(wide, {.user_column = "2", .item_column = "4"}) == "anna: brot | bert: milch");
    CHECK(refusal(wide, {.user_column = "2", .item_column = "7"}).find("--item-column") != std::string::npos);
    const std::string matrix = "a,b,c,d,k\n3,1,0,2,x\n4,0,0,1,y\n";
    CHECK(table_text(matrix, {.format = TableFormat::matrix, .user_column = "5"}) == "x: a b d | y: a d");
    CHECK(refusal(matrix, {.format = TableFormat::matrix, .user_column = "6"}) ==
          "--user-column: 5 columns found, none of them called \"6\"");
}

TEST_CASE("A line is divided as those of a table are") {
    CHECK(split_csv("a,\"b,\"\"c\"\"\", d") == std::vector<std::string>{"a", "b,\"c\"", " d"});
    CHECK(split_csv("") == std::vector<std::string>{""});
    CHECK_THROWS_WITH(split_csv("a,\"b\"c"), contains("behind a closing quote"));
    CHECK_THROWS_WITH(split_csv("a,\"b"), contains("one that closes it expected"));
}

TEST_CASE("No message and no report tells a customer's id") {
    // What may be a header may be a customer too.
    const std::string unsure = sniffed("anna,brot\nbert,milch\n");
    CHECK(unsure ==
          "triples, fields apart by comma, line 1 taken for a header (--header no if it is none): "
          "user column 1, item column 2, no values");
    for (const std::string table :
         {"secret,a\nsecret,\nsecret,\n", "secret,x,y\nsecret,z,w\n", "user,item,n\nsecret,a,secret\n",
          "secret a b\nsecreta c d\n", "user,item\n\"secret,a\n", "secret,a,1\nsecreta,b\n,,\n",
          "secret,a,b,c,d\nsecret,b,c,d,a\n", "user,item\nsecret,\n", "secret,secret2,n/a\nb,a,3\nc,a,2\n",
          "secret,secret2,three\nb,a,3\nc,a,2\n", "secret,secret2,-,17\nb,a,3,18\n"}) {
        CAPTURE(table);
        TableReport report;
        std::string told = refusal(table);
        if (told.empty()) {
            const TableRead read = read_table(table);
            told = read.report.sniffed + left_out_text(read.report);
        }
        CHECK(told.find("secret") == std::string::npos);
    }
}

TEST_CASE("A matrix's column of customers can be named, or that there is none") {
    const std::string counts = "a,b,c,d,e\n3,1,0,2,0\n4,0,0,1,1\n";
    CHECK(refusal(counts).find("--user-column") != std::string::npos);
    CHECK(table_text(counts, {.user_column = "-"}) == "2: a b d | 3: a d e");
    CHECK(table_text(counts, {.user_column = "a"}) == "3: b d | 4: d e");
    CHECK(table_text("a,b,c,d,k\n3,1,0,2,x\n4,0,0,1,y\n",
                     {.format = TableFormat::matrix, .user_column = "k"}) == "x: a b d | y: a d");
    CHECK(refusal(counts, {.format = TableFormat::matrix, .user_column = "z"}) ==
          "--user-column: 5 columns found, none of them called \"z\"");
    CHECK(refusal("k,k,c,d,e\n3,1,0,2,0\n4,0,0,1,1\n", {.user_column = "k"})
              .starts_with("--user-column: columns 1 and 2 are called \"k\""));
    std::string many = "nr1,b,c,d,e\n";
    for (int i = 0; i < 25; ++i) {
        many += fmt::format("{},1,0,0,{}\n", 100 + i, i % 2);
    }
    CHECK(read_table(many).report.items == 4);
}

TEST_CASE("A table that can be read in several ways is refused with the option that settles it") {
    const auto names = [](const std::string& content, std::initializer_list<const char*> options) {
        const std::string text = refusal(content);
        CAPTURE(content, text);
        CHECK(std::all_of(options.begin(), options.end(),
                          [&](const char* option) { return text.find(option) != std::string::npos; }));
    };
    names("a b c\nd e\nf g h i\n", {"--format baskets", "--format lists"});
    names("7 1 2\n9 3\n12 1\n", {"--format baskets", "--format lists"});
    names("1 31 2.5 1260\n1 29 3.0 1261\n2 31 1 1262\n", {"--format triples"});
    names("milk,bread,tea\n1,0,1\n0,1,1\n", {"--format matrix", "--format triples"});
    names("a,b\n", {"--format triples"});
    names("tea\nmilk\n", {"--separator", "--format"});
    names("a,b,c,d,e\nx,y,z,u,v\n", {"--user-column", "--item-column", "--format"});
    names("a,b,c,d,e\n1,y,z,u,v\n", {"--user-column"});
    names("milk,bread,tea\nmilk,oil,nuts\n", {"--rating-column", "--format baskets"});
    names("item,user\nx,a\ny,b\n", {"--user-column"});
    names("id,customer,product\n1,a,x\n2,b,y\n", {"--user-column"});
    names("1,10,3\n2,20,4\n3,30\n9,1,2\n", {"--format triples"});
    names("user,item\na,x\n", {});
    CHECK(refusal("user,item\na,x\n").empty());
    // Later rows are of another width than those that were looked at.
    std::string late;
    for (int i = 0; i < 3000; ++i) {
        late += i < 1000 ? "a,b\n" : "a,b,c\n";
    }
    names(late, {"--format triples", "--format baskets"});
    TableOptions triples;
    triples.format = TableFormat::triples;
    CHECK(read_table(late, triples).report.left_out[0].count == 2000);
}

TEST_CASE("Names of columns that are not there, or there twice, are told") {
    CHECK(refusal("user,item\na,x\n", {.user_column = "kunde"}) ==
          "--user-column: no column \"kunde\" found, \"user\", \"item\" expected");
    CHECK(refusal("a,1\nb,2\n", {.item_column = "kunde"}) ==
          "--item-column: no column \"kunde\" found, a number from 1 to 2 expected");
    CHECK(refusal("user,item,item\na,x,1\n", {.item_column = "item"})
              .starts_with("--item-column: several columns are called \"item\""));
    CHECK(refusal("user,item\na,x\n", {.user_column = "item", .item_column = "item"}).find("two expected") !=
          std::string::npos);
}

TEST_CASE("Columns are known by what they are mostly called") {
    using data::ColumnRole;
    for (const char* name : {"user", "User ID", "user_id", "CustomerID", "customer no", "visitor", "uid"}) {
        CHECK(data::role_of(name) == ColumnRole::user);
    }
    for (const char* name :
         {"item", "ItemId", "movieId", "product_id", "StockCode", "Product Name", "asin"}) {
        CHECK(data::role_of(name) == ColumnRole::item);
    }
    for (const char* name : {"Rating", "Quantity", "qty"}) {
        CHECK(data::role_of(name) == ColumnRole::rating);
    }
    for (const char* name : {"timestamp", "InvoiceDate", "event_time"}) {
        CHECK(data::role_of(name) == ColumnRole::timestamp);
    }
    for (const char* name : {"milk", "game", "book", "", "id"}) {
        CHECK(data::role_of(name) == ColumnRole::unknown);
    }
}

}  // namespace stackae
