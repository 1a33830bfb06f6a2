#include "cli/output.hpp"

#include <csignal>

#include "cli/input_monitor.hpp"
#include "support/catch.hpp"
#include "support/file_faults.hpp"
#include "support/processes.hpp"
#include "support/temporary_folder.hpp"

namespace stackae::cli {
namespace {

using namespace test;

/// An output and what became of the pictures that it is made of.
void write_with_manifest(const TemporaryFolder& folder, const std::string& run) {
    Console console;
    console.set_quiet(true);
    ResultWriter results(folder / "output");
    InputMonitor monitor(console, results.files(), folder / "manifest");
    monitor.manifest().used({run, std::nullopt});
    monitor.manifest().finish();
    results.write(run);
    results.finish();
}

}  // namespace

TEST_CASE("A command that reads beside what a killed run left half replaced completes it first") {
    for (const std::string reads : {"output", "manifest", "another.npy", "."}) {
        const TemporaryFolder folder;
        const auto has_new = [&](const char* name) {
            return read_text(folder / name).find("new") != std::string::npos;
        };
        long call = 0;
        do {
            write_with_manifest(folder, "old");
            REQUIRE(exit_codes(1, [&](int /*index*/) {
                        const FileFaults faults({.call = call});
                        write_with_manifest(folder, "new");
                    })[0] == -SIGKILL);
            ++call;
        } while (!has_new("output") || has_new("manifest"));
        Console console;
        console.set_quiet(true);
        recover_outputs(console, {folder / reads});
        CHECK(has_new("output"));
        CHECK(has_new("manifest"));
        CHECK(folder.entries() == 2);
    }
}

}  // namespace stackae::cli
