// Quotas of processors, of both versions of cgroups, on copies of what the system's files say.
#include <doctest/doctest.h>

#include <filesystem>
#include <limits>

#include "core/io/file.h"
#include "core/memory_limits.h"
#include "tests/train/tiny_runs.h"

using namespace weft;

namespace {

constexpr std::int64_t kNone = std::numeric_limits<std::int64_t>::max();

/// A root folder with the files that are written into it.
struct FakeRoot {
  test::TempFolder folder;
  std::string path = (folder / "root").string();

  FakeRoot(std::initializer_list<std::pair<std::string, std::string>> files) {
    for (const auto& [name, text] : files) {
      std::filesystem::create_directories(std::filesystem::path(path + name).parent_path());
      write_file(path + name, text);
    }
  }
  std::int64_t processors() const { return cgroup_processors(path); }
};

const std::string kGroup = "/proc/self/cgroup", kTop = "/sys/fs/cgroup";

}  // namespace

TEST_CASE("quotas of version 2: its own cgroup's and those above it, the smallest counts") {
  CHECK(FakeRoot({}).processors() == kNone);
  CHECK(FakeRoot({{kGroup, "0::/\n"}, {kTop + "/cpu.max", "max 100000\n"}}).processors() == kNone);
  CHECK(FakeRoot({{kTop + "/cpu.max", "300000 100000\n"}}).processors() ==
        3);  // a container, whose cgroup is the mount
  CHECK(FakeRoot({{kGroup, "0::/user/job\n"}, {kTop + "/user/job/cpu.max", "400000 100000\n"}})
            .processors() == 4);
  CHECK(FakeRoot({{kGroup, "0::/user/job\n"},
                  {kTop + "/user/job/cpu.max", "400000 100000\n"},
                  {kTop + "/user/cpu.max", "200000 100000\n"}})
            .processors() == 2);
  CHECK(FakeRoot({{kGroup, "0::/user/job\n"},
                  {kTop + "/user/job/cpu.max", "100000 100000\n"},
                  {kTop + "/user/cpu.max", "800000 100000\n"}})
            .processors() == 1);
  CHECK(FakeRoot({{kGroup, "0::/user/job\n"}, {kTop + "/user/other/cpu.max", "100000 100000\n"}})
            .processors() == kNone);
}

TEST_CASE("quotas of version 1: two files, mounted together with another controller or not") {
  for (const char* const mount : {"/cpu", "/cpu,cpuacct"}) {
    CAPTURE(mount);
    const auto at = [&](const std::string& group) { return kTop + mount + group; };
    CHECK(FakeRoot({{kGroup, "4:cpu,cpuacct:/box\n"},
                    {at("/box/cpu.cfs_quota_us"), "250000\n"},
                    {at("/box/cpu.cfs_period_us"), "50000\n"}})
              .processors() == 5);
    CHECK(FakeRoot({{kGroup, "4:cpu,cpuacct:/box\n"},
                    {at("/box/cpu.cfs_quota_us"), "-1\n"},
                    {at("/box/cpu.cfs_period_us"), "100000\n"}})
              .processors() == kNone);
    CHECK(FakeRoot({{kGroup, "4:cpu,cpuacct:/box/in\n1:name=systemd:/x\n"},
                    {at("/box/in/cpu.cfs_quota_us"), "-1\n"},
                    {at("/box/in/cpu.cfs_period_us"), "100000\n"},
                    {at("/box/cpu.cfs_quota_us"), "200000\n"},
                    {at("/box/cpu.cfs_period_us"), "100000\n"}})
              .processors() == 2);
    // In a container /proc names the host's cgroup, which is not there: the mount is the
    // container's own.
    CHECK(FakeRoot({{kGroup, "4:cpu,cpuacct:/docker/0123\n"},
                    {at("/cpu.cfs_quota_us"), "100000\n"},
                    {at("/cpu.cfs_period_us"), "100000\n"}})
              .processors() == 1);
  }
  CHECK(FakeRoot({{kGroup, "3:cpuset:/box\n"},
                  {kTop + "/cpuset/box/cpu.cfs_quota_us", "100000\n"},
                  {kTop + "/cpuset/box/cpu.cfs_period_us", "100000\n"}})
            .processors() == kNone);
}

TEST_CASE("version 2 beside version 1, and files that make no sense") {
  CHECK(FakeRoot({{kGroup, "4:cpu:/a\n0::/b\n"},
                  {kTop + "/cpu/a/cpu.cfs_quota_us", "400000\n"},
                  {kTop + "/cpu/a/cpu.cfs_period_us", "100000\n"},
                  {kTop + "/unified/b/cpu.max", "300000 100000\n"}})
            .processors() == 3);
  CHECK(FakeRoot({{kTop + "/cpu.max", "50000 100000\n"}}).processors() ==
        1);  // half a processor is one
  CHECK(FakeRoot({{kTop + "/cpu.max", "260000 100000\n"}}).processors() == 3);  // the nearest
  for (const char* const odd : {"", "rubbish", "100000", "100000 0", "-5 100000", "0 100000"})
    CHECK_MESSAGE(FakeRoot({{kTop + "/cpu.max", odd}}).processors() == kNone, odd);
  CHECK(FakeRoot({{kGroup, "rubbish\n0::/../odd\n::\n"}}).processors() == kNone);
}

TEST_CASE("no more processors are used than the quota and the affinity allow") {
  const int all = usable_processors(FakeRoot({}).path);
  CHECK(all >= 1);
  CHECK(usable_processors(FakeRoot({{kTop + "/cpu.max", "100000 100000\n"}}).path) == 1);
  CHECK(usable_processors(FakeRoot({{kTop + "/cpu.max", "99900000 100000\n"}}).path) == all);
}
