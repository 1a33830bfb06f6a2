#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <utility>

#include "stackae/interactions_file.hpp"

#include "data/make.hpp"
#include "fuzz/targets.hpp"
#include "support/temporary_folder.hpp"

namespace stackae::fuzz {
namespace {

const test::TemporaryFolder& folder() {
    static const test::TemporaryFolder made("/dev/shm");
    return made;
}

void require(bool holds) {
    if (!holds) {
        std::abort();
    }
}

/// What every reader of a table relies on.
void check(const Interactions& made, const TableReport& report, ValueMode value) {
    require(std::ssize(made.users) == made.user_count() && made.offsets.front() == 0);
    require(made.offsets.back() == made.entry_count() && made.entry_count() > 0);
    require(std::ssize(made.values) == made.entry_count());
    require(std::is_sorted(made.offsets.begin(), made.offsets.end()));
    for (std::int64_t user = 0; user < made.user_count(); ++user) {
        const auto items = made.items_of(user);
        require(std::adjacent_find(items.begin(), items.end(), std::greater_equal<>{}) == items.end());
        require(items.empty() || (items.front() >= 0 && items.back() < made.item_count()));
    }
    require(std::all_of(made.values.begin(), made.values.end(), [&](float r) {
        return r > 0.0F && std::isfinite(r) && (value != ValueMode::binary || r == 1.0F);
    }));
    for (auto ids : {made.users, made.items}) {
        std::sort(ids.begin(), ids.end());
        require(std::adjacent_find(ids.begin(), ids.end()) == ids.end());
        require(ids.empty() || !ids.front().empty());
    }
    require(report.users == made.user_count() && report.items == made.item_count());
    require(report.entries == made.entry_count() && report.repeats >= 0);
    for (const LeftOut& row : report.left_out) {
        require(row.count > 0 && row.first_line > 0);
    }
}

void run(Input input, TableFormat format, ValueMode value) {
    const std::string path = folder() / "shop.csv";
    test::write_text(path, {reinterpret_cast<const char*>(input.data()), input.size()});
    TableReport report;
    const Interactions made = read_interactions(path, {.format = format, .value = value}, report);
    check(made, report, value);
}

std::vector<std::string> seeds() {
    test::write_gzip(folder() / "packed", "visitor,area\n1,a\n1,b\n2,a\n");
    return {"user,item,rating,time\na,x,1,5\nb,\"y \"\"z\"\"\",2,6\na,x,-1,7\n,x,1,8\n",
            "1::10::5::978\n1::11::3::979\n2::10::4::980\n",
            "\xEF\xBB\xBFkunde;ware\r\n1;brot\r\n007;milch\r\n",
            "customer,milk,bread,tea,nuts\n1,0,1,0,2\n2,1,,x,0\n3,0,0,0,1\n",
            "milk,bread\nr1,1,0\nr2,1,1\n",
            "milk,bread\ntea\nmilk,\"whole grain\",tea\n",
            "30 31 32\n33 34\n30\n",
            "0 5 3 5\n1 3\n2 \n3 9 8\n",
            test::read_text(folder() / "packed")};
}

}  // namespace

std::vector<Target> tables() {
    const auto target = [](const char* name, TableFormat format, ValueMode value) {
        return Target{name, [=](Input input) { run(input, format, value); }, seeds};
    };
    return {target("table", TableFormat::automatic, ValueMode::raw),
            target("table-triples", TableFormat::triples, ValueMode::log),
            target("table-matrix", TableFormat::matrix, ValueMode::raw),
            target("table-baskets", TableFormat::baskets, ValueMode::binary),
            target("table-lists", TableFormat::lists, ValueMode::raw)};
}

}  // namespace stackae::fuzz
