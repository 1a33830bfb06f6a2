#include <cstdlib>
#include <filesystem>
#include <fmt/format.h>

#include "stackae/output_files.hpp"

#include "base/atomic_file.hpp"
#include "base/commit_record.hpp"
#include "base/file_io.hpp"
#include "base/hash.hpp"
#include "fuzz/targets.hpp"
#include "support/temporary_folder.hpp"

namespace stackae::fuzz {
namespace {

namespace fs = std::filesystem;

constexpr const char* id = "0123456789abcdef";
constexpr const char* old_text = "old";
constexpr const char* new_text = "new";

/// A folder for what a record may change, and one beside it for what none may, since no record lies there.
struct Place {
    test::TemporaryFolder made{"/dev/shm"};
    std::string folder = made / "here";
    std::string beside = made / "beside";
};

const Place& place() {
    static const Place made;
    return made;
}

std::string checksum(const std::string& path) {
    base::InputFile file(path);
    return base::file_checksum(file);
}

/// The files that a record may speak of: two that are replaced, with what replaces them.
void lay_out(const std::string& folder) {
    fs::remove_all(folder);
    fs::create_directory(folder);
    for (const char* name : {"a", "b"}) {
        test::write_text(folder + "/" + name, old_text);
    }
    for (const int i : {0, 1}) {
        test::write_text(fmt::format("{}/.stackae-commit-{}-{}", folder, id, i), new_text);
    }
    test::write_text(folder + "/.stackae-tmp-01234567", new_text);
}

/// With the checksum that it should have, so that mutations get further.
std::string mended(std::string text) {
    const std::size_t last = text.rfind('\0');
    if (last != std::string::npos) {
        base::Hash hash;
        hash.add(std::string_view(text).substr(0, last + 1));
        text.replace(last + 1, std::string::npos, hash.hex());
    }
    return text;
}

bool is_one_of_ours(const std::string& path) {
    if (!fs::exists(path)) {
        return true;  // by a record that says that its run had made it
    }
    const std::string found = test::read_text(path);
    return found == old_text || found == new_text;
}

/// Whatever a record says, no file gets another content than what waits for it, none is changed in a folder
/// without that record, and the record is done with.
void run_record(Input input) {
    const Place& at = place();
    lay_out(at.folder);
    lay_out(at.beside);
    test::write_text(base::record_path(at.folder),
                     mended({reinterpret_cast<const char*>(input.data()), input.size()}));
    (void)recover_outputs(at.folder);
    bool good = !fs::exists(base::record_path(at.folder));
    for (const std::string name : {"/a", "/b"}) {
        good = good && is_one_of_ours(at.folder + name) && test::read_text(at.beside + name) == old_text;
    }
    constexpr std::ptrdiff_t laid_out = 5;
    if (!good || std::distance(fs::directory_iterator(at.beside), {}) != laid_out) {
        std::abort();
    }
}

/// Of one file, of two, of one that replaces nothing, and of a file in another folder.
std::vector<std::string> record_seeds() {
    const Place& at = place();
    lay_out(at.folder);
    const auto member = [&](const std::string& folder, int number, const std::string& name) {
        const std::string temporary = fmt::format(".stackae-commit-{}-{}", id, number);
        return base::CommitRecord::Member{folder,
                                          temporary,
                                          name,
                                          std::string(new_text).size(),
                                          checksum(at.folder + "/" + temporary),
                                          base::file_content(at.folder + "/" + name)};
    };
    base::CommitRecord::Member named = member(at.folder, 0, "a");
    named.temporary = ".stackae-tmp-01234567";
    std::vector<std::string> seeds;
    for (const auto& members : {std::vector{member(at.folder, 0, "a")},
                                {member(at.folder, 0, "a"), member(at.folder, 1, "b")},
                                {member(at.folder, 0, "c"), named},
                                {member(at.folder, 0, "a"), member(at.beside, 1, "b")}}) {
        seeds.push_back(base::CommitRecord{id, members}.text(at.folder));
    }
    return seeds;
}

}  // namespace

std::vector<Target> commit_records() {
    return {{"record", run_record, record_seeds}};
}

}  // namespace stackae::fuzz
