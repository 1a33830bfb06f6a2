#include "data/table.hpp"

#include <algorithm>
#include <cmath>
#include <sys/stat.h>
#include <thread>

#include "stackae/text.hpp"

#include "data/table/builder.hpp"
#include "data/table/record_reader.hpp"

namespace stackae {

using namespace test;

namespace {

const TableOptions raw{.value = ValueMode::raw};

/// Counts by reason: `no_user 2@3`, the first on line 3.
std::string left_out(const TableRead& read) {
    std::string text;
    for (const LeftOut& row : read.report.left_out) {
        text +=
            fmt::format("{}{} {}@{}", text.empty() ? "" : ", ", name(row.reason), row.count, row.first_line);
    }
    return text;
}

/// Bytes of a text that are handed on as many at a time as wanted.
class TextStream : public data::ByteStream {
public:
    explicit TextStream(std::string text) : text_(std::move(text)) {}
    std::size_t read(std::span<std::byte> bytes) override {
        const std::size_t count = std::min(bytes.size(), text_.size() - at_);
        std::copy_n(std::as_bytes(std::span(text_)).begin() + static_cast<std::ptrdiff_t>(at_), count,
                    bytes.begin());
        at_ += count;
        return count;
    }

private:
    std::string text_;
    std::size_t at_ = 0;
};

}  // namespace

TEST_CASE("Triples are read at every separator, with a header and without") {
    const std::string separator = GENERATE(",", "\t", ";", "::");
    const std::string header = GENERATE("", "user@item@rating@time\n");
    const std::string rows = "7@tea@2@100\n007@milk@1@101\n7@bread@5@99\n";
    std::string content = header + rows;
    for (std::size_t at = 0; (at = content.find('@', at)) != std::string::npos;) {
        content.replace(at, 1, separator);
    }
    CHECK(table_text(content, raw) == "7: tea=2 bread=5 | 007: milk");
    CHECK(table_text(content) == "7: tea bread | 007: milk");
}

TEST_CASE("Columns of triples are told by name, by number or by place") {
    const std::string wide =
        "invoice,StockCode,Description,Quantity,CustomerID,Country\n"
        "1,x,big tea,6,anna,UK\n1,y,milk,-2,anna,UK\n2,x,big tea,1,bert,FR\n";
    const TableRead read = read_table(wide, raw);
    CHECK(read.text() == "anna: x=6 | bert: x");
    CHECK(left_out(read) == "not_positive 1@3");
    CHECK(read.report.sniffed ==
          "triples, fields apart by comma, a header: user \"CustomerID\", item \"StockCode\", values "
          "\"Quantity\"");
    TableOptions named = raw;
    named.item_column = "Description";
    named.rating_column = "-";
    CHECK(table_text(wide, named) == "anna: big tea milk | bert: big tea");
    TableOptions numbered = raw;
    numbered.user_column = "2";
    numbered.item_column = "1";
    CHECK(table_text("5,a,3\n6,b,2\n5,b,4\n", numbered) == "a: 5=3 | b: 5=4 6=2");
    CHECK(table_text(",user,item\n0,a,x\n1,b,y\n2,b,x\n") == "a: x | b: x y");
    CHECK(table_text("kunde,ware,tag,menge\n1,a,mo,3\n",
                     {.format = TableFormat::triples, .rating_column = "menge", .value = ValueMode::raw}) ==
          "1: a=3");
    CHECK(
        sniffed("u,i,date,score\n1,a,2020-01-01,3\n") ==
        "triples, fields apart by comma, a header: user \"u\", item \"i\", values \"score\", time \"date\"");
}

TEST_CASE("A matrix has a row a customer and its items in the header") {
    const TableRead read =
        read_table("customer,milk,\"bread, white\",tea,nuts\n9,1,0,2,0\n8,0,0,,0\n7,,1,0,0\n", raw);
    CHECK(read.text() == "9: milk tea=2 | 8: | 7: bread, white");
    CHECK(read.made.items == std::vector<std::string>{"milk", "bread, white", "tea", "nuts"});
    CHECK(read.report.sniffed == "matrix, fields apart by comma, a header: user \"customer\", 4 items");
    CHECK(read.report.rows == 3);
    CHECK(read.report.left_out.empty());
    // Without customers' ids, they are named by their lines.
    CHECK(table_text("milk;bread;tea;nuts;oil\n1;0;0;0;0\n\n0;1;1;0;0\n") == "2: milk | 4: bread tea");
    // As R writes it, without a name over the names of rows; truth values as pandas writes them.
    CHECK(table_text("milk,bread\nr1,1,0\nr2,1,1\n") == "r1: milk | r2: milk bread");
    CHECK(table_text(",a,b,c,d\nx,True,False,False,True\ny,FALSE,TRUE,false,\n") == "x: a d | y: b");
}

TEST_CASE("What a matrix cannot hold is counted a cell") {
    const TableRead read =
        read_table("id,a,b,,a,c\n1,1,x,1,1,-1\n2,1,1\n,1,1,0,0,0\n3,nan,1e99,0,0,1\n", raw);
    CHECK(read.text() == "1: a=2 | 3: c");
    CHECK(read.report.repeats == 1);
    CHECK(left_out(read) ==
          "no_user 1@4, no_item 1@2, not_positive 1@2, unreadable_number 3@2, other_width 1@3");
}

TEST_CASE("Baskets are lines of items, and users are named by their lines") {
    CHECK(table_text("milk,bread\ntea\nmilk, whole grain ,bread,milk\n") ==
          "1: milk bread | 2: tea | 3: milk bread whole grain");
    CHECK(table_text("milk bread tea\n\nmilk  tea \nbread\n") ==
          "1: milk bread tea | 3: milk tea | 4: bread");
    CHECK(sniffed("30 31 32\n33\n33 34\n") == "baskets, items apart by blank, a user a line");
    const TableRead padded = read_table("a,b,c,,\nd,,,,\na,b,c,d,e\n");
    CHECK(padded.text() == "1: a b c | 2: d | 3: a b c d e");
    CHECK(padded.report.sniffed == "baskets, items apart by comma, a user a line");
    const TableRead named =
        read_table("user,item\n,\n\" a \", \"b,\"\"c\"\n", {.format = TableFormat::baskets});
    CHECK(named.text() == "1: user item | 3:  a  b,\"c");
    CHECK(left_out(named) == "no_item 1@2");
    CHECK(table_text("whole milk\ntea\n", {.format = TableFormat::baskets,
                                           .separator = TableSeparator::comma}) == "1: whole milk | 2: tea");
}

TEST_CASE("Lists begin with their user, as LightGCN's do") {
    const TableRead read = read_table("0 5 3 5\n1 3\n2 \n3 9 8\n1 4 3\n", {.format = TableFormat::lists});
    CHECK(read.text() == "0: 5 3 | 1: 3 4 | 2: | 3: 9 8");
    CHECK(read.report.repeats == 2);
    CHECK(read.report.rows == 5);
    CHECK(read.report.sniffed == "lists, fields apart by blank: the user, then the items");
    CHECK(sniffed("0 0 1 2 3\n1 4 5\n2 0 6\n").starts_with("lists"));
    CHECK(sniffed("0 0 1 2\n1 4 5 6\n2 0 6 7\n").starts_with("lists"));
    CHECK(sniffed("1,milk,bread\n2,tea\n3,milk\n") ==
          "lists, fields apart by comma: the user, then the items");
    std::string rising;
    for (int i = 0; i < 30; ++i) {
        rising += fmt::format("{} 1 2{}\n", 3 * i + i % 2, i % 3 == 0 ? " 4" : "");
    }
    CHECK(sniffed(rising).starts_with("lists"));
}

TEST_CASE("Repeats are merged and counted, values by the mode") {
    const std::string table = "user,item,n\na,x,2\nb,x,1\na,y,0.5\na,x,3\nb,x,1\n";
    const TableRead read = read_table(table, raw);
    CHECK(read.text() == "a: x=5 y=0.5 | b: x=2");
    CHECK(read.report.repeats == 2);
    CHECK(read.report.rows == 5);
    CHECK(read.report.entries == 3);
    CHECK(read.report.users == 2);
    CHECK(read.report.items == 2);
    CHECK(table_text(table) == "a: x y | b: x");
    const TableRead logs = read_table(table, {.value = ValueMode::log});
    CHECK(logs.made.values[0] == Approx(std::log(6.0)));
    CHECK(logs.made.values[2] == Approx(std::log(3.0)));
    CHECK(read_table("u,i,r\na,x,3e38\na,x,3e38\nb,x,1e-60\n", raw).made.values ==
          std::vector<float>{std::numeric_limits<float>::max(), std::numeric_limits<float>::denorm_min()});
}

TEST_CASE("Rows that cannot be used are counted by their reason") {
    const TableRead read = read_table(
        "user,item,rating\na,x,1\n,x,1\n  ,x,1\nb,,1\nb\nb,x,0\nb,x,-1\nb,x,\nb,x,1,5\n"
        "b,x,four\nb,x,inf\n\"b\"c,x,1\nb,\"x\",+2\nb,y, 3 \n",
        raw);
    CHECK(read.text() == "a: x | b: x=2 y=3");
    CHECK(left_out(read) ==
          "no_user 2@3, no_item 2@5, not_positive 2@7, unreadable_number 3@9, other_width "
          "1@10, misplaced_quote 1@13");
    CHECK(read.report.rows == 14);
    CHECK(left_out_text(read.report)
              .starts_with("2 rows without a user (line 3 first), 2 rows without an item "
                           "(line 5 first), 2 rows with a value not above 0 (line 7"));
    CHECK(
        refusal("user,item,n\na,x,0\nb,,1\n") ==
        "nothing is left of 2 rows: 1 row without an item (line 3), 1 row with a value not above 0 (line 2) "
        "(triples, fields apart by comma, a header: user \"user\", item \"item\", values \"n\")");
    CHECK(refusal("id,a,b,c,d\n1,0,0,0,0\n").starts_with("nothing is left of 1 row: no user took anything"));
    CHECK(refusal("user,item\n") == "a header and no row below it found");
}

TEST_CASE("Ids are kept byte for byte") {
    const TableRead read = read_table("user,item\n7, x\n007,x \n\" 7\",\"x\"\"\n\ny\"\n7,caf\xE9\n");
    CHECK(read.made.users == std::vector<std::string>{"7", "007", " 7"});
    CHECK(read.made.items == std::vector<std::string>{" x", "x ", "x\"\n\ny", "caf\xE9"});
}

TEST_CASE("A table may end its lines in any way and begin with a byte order mark") {
    const std::string end = GENERATE("\n", "\r\n", "\r");
    const std::string mark = GENERATE("", "\xEF\xBB\xBF");
    const std::string last = GENERATE("", "\n", "\r\n\r\n");
    const TableRead read = read_table(mark + "user,item" + end + "a,x" + end + end + "b,\"y" + end + "z\"" +
                                      end + ",x" + end + "b,x" + last);
    CHECK(read.made.users == std::vector<std::string>{"a", "b"});
    CHECK(read.made.items == std::vector<std::string>{"x", "y" + end + "z"});
    CHECK(left_out(read) == "no_user 1@6");
    CHECK(read.report.sniffed.find("\"user\"") != std::string::npos);
}

TEST_CASE("One user and one item are a table") {
    CHECK(table_text("user,item\na,x\n") == "a: x");
    CHECK(table_text("a,x", {.format = TableFormat::triples, .header = false}) == "a: x");
    CHECK(table_text("x\n", {.format = TableFormat::baskets}) == "1: x");
    CHECK(table_text("x\n1\n1\n", {.format = TableFormat::matrix}) == "2: x | 3: x");
    CHECK(table_text("5 6\n", {.format = TableFormat::lists}) == "5: 6");
}

TEST_CASE("What is no table of text is refused") {
    CHECK(refusal("") == "an empty table found, rows expected");
    CHECK(refusal("\r\n\n\n") == "an empty table found, rows expected");
    CHECK(refusal("\xEF\xBB\xBF") == "an empty table found, rows expected");
    CHECK(refusal("\xFF\xFEu\0s\0") == "UTF-16 found, UTF-8 expected");
    CHECK(refusal(std::string("user,item\na,x\nb,\0\n", 18)) ==
          "line 3: a byte 0 found, a table of text expected");
    std::string late = "user,item\n";
    for (int i = 0; i < 100'000; ++i) {
        late += "a,x\n";
    }
    CHECK(refusal(late + std::string("a,\0\n", 4)) ==
          "line 100002: a byte 0 found, a table of text expected");
    CHECK(refusal(late + "b,\"x\na,x\n") ==
          "line 100002: a quote that opens a field is not closed up to the table's end");
    const TemporaryFolder folder;
    CHECK_THROWS_AS(read_table_file(folder / "none.csv"), IoError);
    CHECK_THROWS_AS(read_table_file(folder.path()), IoError);
}

TEST_CASE("A gzipped table is known by its content, and a damaged one refused") {
    const TemporaryFolder folder;
    const std::string path = folder / "shop.csv";
    std::string content = "user,item\n";
    for (int i = 0; i < 20'000; ++i) {
        content += fmt::format("{},{}\n", i % 977, (i * i) % 10'007);
    }
    write_gzip(path, content);
    const TableRead read = read_table_file(path);
    CHECK(read.made == read_table(content).made);
    CHECK(read.report.users == 977);
    const std::string packed = read_text(path);
    const auto refused = [&](const std::string& bytes) {
        write_text(path, bytes);
        CHECK_THROWS_AS(read_table_file(path), CorruptFile);
        CHECK_THROWS_WITH(read_table_file(path), contains(path + ": gzip data is cut short or damaged"));
    };
    refused(packed.substr(0, packed.size() / 2));
    refused(packed.substr(0, packed.size() - 1));
    refused(packed.substr(0, 10));
    std::string spoilt = packed;
    spoilt[packed.size() / 2] = static_cast<char>(spoilt[packed.size() / 2] ^ 0x10);
    refused(spoilt);
    write_gzip(path, "b,x\nb,y\n");
    const std::string second = read_text(path);
    write_text(path, packed + second + std::string(512, '\0'));
    CHECK(read_table_file(path).report.users == 978);
    write_text(path, packed + "more");  // as gzip does, it is passed over
    CHECK(read_table_file(path).made == read.made);
    refused(packed + second.substr(0, 12));
}

TEST_CASE("A table may come through a pipe, gzipped too") {
    const TemporaryFolder folder;
    write_gzip(folder / "packed", "user,item\na,x\n");
    const std::string content = GENERATE_REF(std::string("user,item\na,x\n"), read_text(folder / "packed"));
    const std::string path = folder / "pipe";
    REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
    std::jthread writer([&] { write_text(path, content); });
    CHECK(read_table_file(path).text() == "a: x");
}

TEST_CASE("Long lines are read to a limit, whatever pieces they come in") {
    std::string row = "4";
    for (int i = 0; i < 200'000; ++i) {
        row += fmt::format(" {}", i);
    }
    const TableRead read = read_table(row + "\n5 1\n", {.format = TableFormat::lists});
    CHECK(read.report.entries == 200'001);
    TextStream stream("abc,d\r\n\"e\r\nf\",g\nhijklmnopqrstuvwxyz\n");
    data::RecordReader reader(stream, "shop.csv", 8);
    const data::Dialect dialect(TableSeparator::comma);
    std::string_view record;
    REQUIRE(reader.next(record, dialect));
    CHECK(record == "abc,d");
    REQUIRE(reader.next(record, dialect));
    CHECK(record == "\"e\r\nf\",g");
    CHECK(reader.line() == 2);
    CHECK_THROWS_WITH(reader.next(record, dialect), contains("shop.csv: line 4: more than 8 bytes"));
}

TEST_CASE("Entries in any order make the same rows as sorted ones") {
    const ValueMode mode = GENERATE(ValueMode::binary, ValueMode::raw);
    constexpr int users = 1'500;
    constexpr int items = 700;
    data::InteractionsBuilder mixed("mixed", mode);
    data::InteractionsBuilder sorted("sorted", mode);
    for (int i = 0; i < users; ++i) {
        mixed.user(fmt::format("{}", i));
        sorted.user(fmt::format("{}", i));
    }
    for (int i = 0; i < items; ++i) {
        mixed.item(fmt::format("{}", i));
        sorted.item(fmt::format("{}", i));
    }
    // Above what is held before runs are merged, with every entry twice.
    for (int round = 0; round < 2; ++round) {
        for (int i = 0; i < users * items; ++i) {
            const int at = static_cast<int>((std::int64_t{i} * 7'919) % (users * items));
            mixed.add(at % users, at / users, 1.0 + at % 3);
        }
    }
    for (int user = 0; user < users; ++user) {
        for (int item = 0; item < items; ++item) {
            sorted.add(user, item, 2.0 * (1.0 + (item * users + user) % 3));
        }
    }
    const bool equal = mixed.finish() == sorted.finish();
    CHECK(equal);
    CHECK(mixed.repeats() == users * items);
    CHECK(sorted.repeats() == 0);
}

TEST_CASE("More users than can be numbered are refused") {
    data::InteractionsBuilder builder("shop.csv", ValueMode::binary, 2);
    CHECK(builder.user("a") == 0);
    CHECK(builder.user("b") == 1);
    CHECK(builder.user("a") == 0);
    CHECK_THROWS_WITH(builder.user("c"), contains("shop.csv: more than 2 users found"));
    CHECK(builder.item("c") == 0);
}

TEST_CASE("Each line that is left out is told of, in order, as the report counts them") {
    const TemporaryFolder folder;
    write_text(folder / "shop.csv", "user,item,n\na,x,1\n,x,1\n\nb,,1\n\"b\nc\",x,0\n,y,2\n");
    std::vector<std::pair<std::int64_t, LeftOutReason>> told;
    TableReport report;
    const Interactions made =
        read_interactions(folder / "shop.csv", {}, report,
                          [&](std::int64_t line, LeftOutReason reason) { told.emplace_back(line, reason); });
    CHECK(made.user_count() == 1);
    CHECK(told == std::vector<std::pair<std::int64_t, LeftOutReason>>{{3, LeftOutReason::no_user},
                                                                      {5, LeftOutReason::no_item},
                                                                      {6, LeftOutReason::not_positive},
                                                                      {8, LeftOutReason::no_user}});
    REQUIRE(report.left_out.size() == 3);
    CHECK(report.left_out[0].count == 2);
    CHECK(report.left_out[0].first_line == 3);
}

}  // namespace stackae
