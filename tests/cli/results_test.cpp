#include "cli/results.hpp"

#include <csignal>
#include <filesystem>

#include "stackae/error.hpp"

#include "cli/inputs.hpp"
#include "support/catch.hpp"
#include "support/file_faults.hpp"
#include "support/processes.hpp"
#include "support/temporary_folder.hpp"

namespace stackae::cli {
namespace {

using namespace test;
namespace fs = std::filesystem;

/// An output and what became of the pictures that it is made of.
void write_with_manifest(const TemporaryFolder& folder, const std::string& run) {
    Console console;
    console.set_quiet(true);
    Results results(folder / "output");
    Account account(console, results.files(), folder / "manifest");
    account.used({run, std::nullopt});
    account.finish();
    results.write(run);
    results.finish();
}

}  // namespace

TEST_CASE("a command that reads beside what a killed run left half replaced completes it first") {
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

TEST_CASE("a manifest waits for its output, and appears alone where no picture could be used") {
    const TemporaryFolder folder;
    Console console;
    console.set_quiet(true);
    {
        Results results(folder / "output");
        Account account(console, results.files(), folder / "manifest");
        account.used({"a.png", std::nullopt});
        account.finish();
        CHECK(folder.entries() <= 2);  // temporaries, where the file system needs names for them
        CHECK_FALSE(fs::exists(folder / "manifest"));
    }
    CHECK(folder.entries() == 0);
    Results results(folder / "output");
    Account account(console, results.files(), folder / "manifest");
    account.left_out({"a.png", std::nullopt}, "corrupt", "no picture");
    CHECK_THROWS_AS(account.finish(), IoError);
    CHECK(read_text(folder / "manifest") == "path,row,label,status,reason\na.png,,,corrupt,no picture\n");
    CHECK_FALSE(fs::exists(folder / "output"));
}

}  // namespace stackae::cli
