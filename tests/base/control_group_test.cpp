#include "base/control_group.hpp"

#include <algorithm>
#include <filesystem>
#include <string>

#include "base/memory.hpp"
#include "base/threads.hpp"
#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

namespace stackae::base {
namespace {

/// A file system of a few files.
class FakeRoot {
public:
    FakeRoot& file(const std::string& path, const std::string& text) {
        const std::filesystem::path whole = this->path() / path;
        std::filesystem::create_directories(whole.parent_path());
        test::write_text(whole.string(), text);
        return *this;
    }
    [[nodiscard]] std::filesystem::path path() const { return folder_.path(); }

private:
    test::TemporaryFolder folder_;
};

constexpr const char* v2_mount =
    "31 23 0:28 / /sys/fs/cgroup rw,relatime shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";
constexpr const char* v1_mounts =
    "29 23 0:26 / /sys rw - sysfs sysfs rw\n"
    "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct\n"
    "33 31 0:30 / /sys/fs/cgroup/cpuset rw,relatime - cgroup cgroup rw,cpuset\n"
    "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n";

}  // namespace

TEST_CASE("Where there are no control groups, nothing is limited") {
    FakeRoot root;
    CHECK_FALSE(group_limits(root.path()).cores);
    CHECK_FALSE(group_limits(root.path()).memory);
    root.file("proc/self/mountinfo", v2_mount).file("proc/self/cgroup", "0::/user.slice\n");
    root.file("sys/fs/cgroup/user.slice/cpu.max", "max 100000\n");
    root.file("sys/fs/cgroup/user.slice/memory.max", "max\n");
    CHECK_FALSE(group_limits(root.path()).cores);
    CHECK_FALSE(group_limits(root.path()).memory);
}

TEST_CASE("A group's quota and memory hold, and those of the groups above it where they are less") {
    FakeRoot root;
    root.file("proc/self/mountinfo", v2_mount).file("proc/self/cgroup", "0::/a/b c/d\n");
    root.file("sys/fs/cgroup/a/b c/d/cpu.max", "150000 100000\n");
    root.file("sys/fs/cgroup/a/b c/d/memory.max", "8000000000\n");
    CHECK(group_limits(root.path()).cores == 1.5);
    CHECK(group_limits(root.path()).memory == 8'000'000'000);
    root.file("sys/fs/cgroup/a/cpu.max", "50000 100000\n").file("sys/fs/cgroup/a/memory.max", "1048576\n");
    root.file("sys/fs/cgroup/a/b c/cpu.max", "400000 100000\n");
    CHECK(group_limits(root.path()).cores == 0.5);
    CHECK(group_limits(root.path()).memory == 1 << 20);
    root.file("sys/fs/cgroup/x/cpu.max", "1000 100000\n");  // somebody else's
    CHECK(group_limits(root.path()).cores == 0.5);
}

TEST_CASE("Control groups of version 1 are read as well, each controller where it is mounted") {
    FakeRoot root;
    root.file("proc/self/mountinfo", v1_mounts);
    root.file("proc/self/cgroup",
              "9:name=systemd:/s\n4:memory:/m/n\n3:cpuset:/q\n1:cpu,cpuacct:/c/d\n0::/\n");
    root.file("sys/fs/cgroup/cpu,cpuacct/c/d/cpu.cfs_quota_us", "-1\n");
    root.file("sys/fs/cgroup/cpu,cpuacct/c/d/cpu.cfs_period_us", "100000\n");
    root.file("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");  // none
    CHECK_FALSE(group_limits(root.path()).cores);
    root.file("sys/fs/cgroup/cpu,cpuacct/c/cpu.cfs_quota_us", "25000\n");
    root.file("sys/fs/cgroup/cpu,cpuacct/c/cpu.cfs_period_us", "50000\n");
    root.file("sys/fs/cgroup/memory/m/n/memory.limit_in_bytes", "536870912\n");
    root.file("sys/fs/cgroup/cpuset/q/cpu.cfs_quota_us", "1\n");  // not of that controller
    root.file("sys/fs/cgroup/cpuset/q/cpu.cfs_period_us", "50000\n");
    CHECK(group_limits(root.path()).cores == 0.5);
    CHECK(group_limits(root.path()).memory == 512 << 20);
}

TEST_CASE("A container that sees its own group as the top is limited by it") {
    FakeRoot root;
    SECTION("the mount shows a part of the groups") {
        root.file("proc/self/mountinfo", "31 23 0:28 /box/7 /sys/fs/my\\040groups ro - cgroup2 cgroup2 rw\n");
        root.file("proc/self/cgroup", "0::/box/7/inner\n");
        root.file("sys/fs/my groups/inner/cpu.max", "300000 100000\n");
        root.file("sys/fs/my groups/cpu.max", "200000 100000\n");
    }
    SECTION("the process lies outside of its namespace") {
        root.file("proc/self/mountinfo", v2_mount).file("proc/self/cgroup", "0::/../../elsewhere\n");
        root.file("sys/fs/cgroup/cpu.max", "200000 100000\n");
    }
    CHECK(group_limits(root.path()).cores == 2.0);
}

TEST_CASE("What cannot be understood in a group's files limits nothing") {
    FakeRoot root;
    root.file("proc/self/mountinfo", std::string("nonsense\n31 23 -\n") + v2_mount);
    root.file("proc/self/cgroup", "nonsense\n:\n0::/a\n");
    const std::string cpu =
        GENERATE("", "max", "50000", "fifty 100000", "50000 0", "-5 100000", "1 2 3", "5e4 1e5");
    const std::string memory = GENERATE("", "-1", "0", "many", "12 34", "99999999999999999999999");
    root.file("sys/fs/cgroup/a/cpu.max", cpu).file("sys/fs/cgroup/a/memory.max", memory);
    CHECK_FALSE(group_limits(root.path()).cores);
    CHECK_FALSE(group_limits(root.path()).memory);
}

TEST_CASE("A quota is rounded up to whole cores, never above those there are") {
    FakeRoot root;
    root.file("proc/self/mountinfo", v2_mount).file("proc/self/cgroup", "0::/\n");
    const auto cores_with = [&](const std::string& quota) {
        root.file("sys/fs/cgroup/cpu.max", quota + " 100000\n");
        return resolve_threads(0, root.path());
    };
    const int all = cores_with("max");
    CHECK(cores_with("1000") == 1);
    CHECK(cores_with("50000") == 1);
    CHECK(cores_with("100000") == 1);
    CHECK(cores_with("150000") == std::min(2, all));
    CHECK(cores_with("100000000000") == all);
}

TEST_CASE("Threads that are asked for are there, as far as the quota pays for them") {
    FakeRoot root;
    root.file("proc/self/mountinfo", v2_mount).file("proc/self/cgroup", "0::/\n");
    const auto threads_with = [&](int asked, const std::string& quota) {
        root.file("sys/fs/cgroup/cpu.max", quota + " 100000\n");
        return resolve_threads(asked, root.path());
    };
    CHECK(threads_with(1, "max") == 1);
    CHECK(threads_with(64, "max") == 64);
    CHECK(threads_with(2, "50000") == 1);
    CHECK(threads_with(4, "150000") == 2);
    CHECK(threads_with(4, "800000") == 4);
}

TEST_CASE("The memory allowed is the machine's, or the group's where that is less") {
    FakeRoot root;
    root.file("proc/self/mountinfo", v2_mount).file("proc/self/cgroup", "0::/\n");
    root.file("proc/meminfo", "MemTotal:        1048576 kB\nMemFree:          524288 kB\n");
    CHECK(allowed_memory(root.path()) == std::int64_t{1} << 30);
    root.file("sys/fs/cgroup/memory.max", "268435456\n");
    CHECK(allowed_memory(root.path()) == 256 << 20);
    root.file("sys/fs/cgroup/memory.max", "9223372036854771712\n");
    CHECK(allowed_memory(root.path()) == std::int64_t{1} << 30);
}

TEST_CASE("0 bytes of memory mean half of what is allowed") {
    CHECK(resolve_memory(12345) == 12345);
    CHECK(resolve_memory(0) == allowed_memory() / 2);
}

}  // namespace stackae::base
