#include <algorithm>
#include <boost/program_options.hpp>
#include <chrono>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <numeric>

#include "bench.hpp"
#include "machine.hpp"
#include "support/temporary_folder.hpp"

namespace stackae::bench {

double seconds_of(const std::function<void()>& body) {
    const auto start = std::chrono::steady_clock::now();
    body();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    const std::size_t n = values.size();
    return n % 2 == 1 ? values[n / 2] : 0.5 * (values[n / 2 - 1] + values[n / 2]);
}

Rounds::Rounds(int repeats, const std::vector<std::function<double()>>& things) : times_(things.size()) {
    for (int round = -1; round < repeats; ++round) {
        for (std::size_t i = 0; i < things.size(); ++i) {
            const double seconds = things[i]();
            if (round >= 0) {
                times_[i].push_back(seconds);
            }
        }
    }
}

double Rounds::faster(std::size_t thing, std::size_t other) const {
    std::vector<double> ratios;
    std::transform(times_[other].begin(), times_[other].end(), times_[thing].begin(),
                   std::back_inserter(ratios), std::divides<>{});
    return median(ratios);
}

namespace {

namespace options = boost::program_options;

std::vector<Rows> all_rows() {
    std::vector<Rows> all;
    for (auto rows : {training_rows(), extraction_rows(), search_rows(), process_rows()}) {
        std::move(rows.begin(), rows.end(), std::back_inserter(all));
    }
    return all;
}

bool wanted(const Rows& rows, const std::vector<std::string>& named) {
    return named.empty() || std::any_of(rows.names.begin(), rows.names.end(), [&](const std::string& name) {
               // `gemm` names gemm.784x1000 and its like.
               return std::any_of(named.begin(), named.end(), [&](const std::string& word) {
                   return word == name || word.starts_with(name + ".");
               });
           });
}

nlohmann::json to_json(const Row& row, const OtherWork::Taken& taken) {
    nlohmann::json json = {{"value", row.value}, {"unit", row.unit}};
    const auto add = [&](const char* key, const std::optional<double>& number) {
        if (number) {
            json[key] = *number;
        }
    };
    add("limit", row.limit);
    add("over_limit", row.over_limit);
    add("peak_mib", row.peak_mib);
    if (row.peer) {
        json["peer"] = {{"name", row.peer->name},         {"waiting", row.peer->policy},
                        {"value", row.peer->value},       {"over", row.peer->faster},
                        {"products", row.peer->products}, {"products_of_limit", row.peer->products_of_limit}};
    }
    json["other_work"] = taken.others;
    json["stolen"] = taken.stolen;
    return json;
}

void print(const Row& row, const OtherWork::Taken& taken) {
    std::string line = fmt::format("{:<24} {:>10.2f} {:<11}", row.name, row.value, row.unit);
    line += row.limit
                ? fmt::format(" limit {:>9.2f}, {:>4.2f} of it", *row.limit, row.over_limit.value_or(0.0))
                : std::string(26, ' ');
    if (row.peer) {
        line +=
            fmt::format("  {:.2f} x {} (threads wait {}; its products {:.1f} GFLOP/s, {:.2f} of oneDNN's)",
                        row.peer->faster, row.peer->name, row.peer->policy, row.peer->products,
                        row.peer->products_of_limit);
    }
    if (row.peak_mib) {
        line += fmt::format("  {:.0f} MiB", *row.peak_mib);
    }
    fmt::print("{}  {}\n", line, row.what);
    if (row.peer && !row.peer->at_its_best()) {
        fmt::print(
            "  ! {} multiplies matrices at less than half of oneDNN's rate here: this row flatters stackae\n",
            row.peer->name);
    }
    if (taken.disturbs()) {
        fmt::print("  ! the machine was busy: other work took {:.2f} of a core meanwhile, its host {:.2f}\n",
                   taken.others, taken.stolen);
    }
    std::fflush(stdout);
}

int run_bench(int count, char** arguments) {
    Setup setup;
    std::vector<std::string> named;
    std::string python;
    std::string faiss;
    std::string libraries;
    options::options_description known("bench [ROW]... [options]");
    auto add = known.add_options();
    add("help", "this text and the names of the rows");
    add("row", options::value(&named), "what to measure; all if not given");
    add("json", "one JSON object");
    add("data", options::value(&setup.data)->default_value("../shared/data"), "folder of MNIST's IDX files");
    add("program", options::value(&setup.program)->default_value("build/release/stackae"), "stackae");
    add("reader", options::value(&setup.reader)->default_value("build/release/read_picture"), "bare OpenCV");
    add("python", options::value(&python), "script of the peers in Python");
    add("faiss", options::value(&faiss), "program of the peer FAISS");
    add("peer-libraries", options::value(&libraries),
        "folder of the libraries that peers take before the system's");
    add("threads", options::value(&setup.threads)->default_value(2), "of both sides");
    add("repeats", options::value(&setup.repeats)->default_value(5), "rounds, of which medians are taken");
    options::positional_options_description positional;
    positional.add("row", -1);
    options::variables_map given;
    options::store(options::command_line_parser(count, arguments).options(known).positional(positional).run(),
                   given);
    options::notify(given);
    const std::vector<Rows> all = all_rows();
    if (given.count("help") > 0) {
        std::cout << known << "rows:\n";
        for (const Rows& rows : all) {
            fmt::print("  {}\n", fmt::join(rows.names, ", "));
        }
        return 0;
    }
    for (const std::string& name : named) {
        if (std::none_of(all.begin(), all.end(), [&](const Rows& rows) { return wanted(rows, {name}); })) {
            fmt::print(stderr, "bench: no row '{}'; see --help\n", name);
            return 2;
        }
    }
    Runner runner;
    setup.runner = &runner;
    const test::TemporaryFolder folder;
    setup.folder = folder.path();
    std::unique_ptr<TunedPeer> python_peer;
    std::unique_ptr<TunedPeer> faiss_peer;
    if (!python.empty()) {
        python_peer = std::make_unique<TunedPeer>(
            std::vector<std::string>{"/usr/bin/python3", python, setup.data}, libraries);
        setup.python = python_peer.get();
    }
    if (!faiss.empty()) {
        faiss_peer = std::make_unique<TunedPeer>(std::vector<std::string>{faiss}, libraries);
        setup.faiss = faiss_peer.get();
    }
    nlohmann::json json = nlohmann::json::object();
    for (const Rows& rows : all) {
        if (!wanted(rows, named)) {
            continue;
        }
        const OtherWork other_work;
        const std::vector<Row> measured = rows.measure(setup);
        const OtherWork::Taken taken = other_work.taken();
        for (const Row& row : measured) {
            if (given.count("json") > 0) {
                json[row.name] = to_json(row, taken);
            } else {
                print(row, taken);
            }
        }
    }
    if (given.count("json") > 0) {
        fmt::print("{}\n", json.dump(2));
    }
    return 0;
}

}  // namespace
}  // namespace stackae::bench

int main(int count, char** arguments) {
    try {
        if (count == 2 && std::string(arguments[1]) == stackae::bench::Runner::serve_option) {
            stackae::bench::Runner::serve();
            return 0;
        }
        return stackae::bench::run_bench(count, arguments);
    } catch (const std::exception& error) {
        fmt::print(stderr, "bench: {}\n", error.what());
        return 1;
    }
}
