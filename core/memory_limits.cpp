#include "core/memory_limits.h"

#include <sys/resource.h>

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <thread>
#include <vector>

namespace weft {
namespace {

constexpr std::int64_t kNoLimit = std::numeric_limits<std::int64_t>::max();

/// The number in a control file; the largest integer when there is none ("max", or no such file).
std::int64_t read_limit(const std::string& path) {
  std::ifstream file(path);
  std::int64_t value = 0;
  return file >> value && value > 0 ? value : kNoLimit;
}

/// Processors of a quota and its period, in microseconds; "max" and -1 are none.
std::int64_t processors_of(std::istream& quota_file, std::istream& period_file) {
  double quota = 0, period = 0;
  if (!(quota_file >> quota && period_file >> period && quota > 0 && period > 0)) return kNoLimit;
  return static_cast<std::int64_t>(std::clamp(std::round(quota / period), 1.0, 1e6));
}

/// Where a hierarchy may be mounted: version 2 alone or beside version 1, and version 1 under its
/// controllers' names, together ("cpu,cpuacct") or each.
std::vector<std::string> mounts_of(const std::string& root, const std::string& controllers,
                                   const std::string& wanted) {
  const std::string base = root + "/sys/fs/cgroup";
  if (controllers.empty()) return {base, base + "/unified"};
  if (controllers == wanted) return {base + "/" + wanted};
  return {base + "/" + wanted, base + "/" + controllers};
}

/// The smallest of what `limit_in(folder, whether version 2)` says of the process's cgroup for one
/// controller and of those above it. Inside a container the cgroup that /proc names may not be
/// there: its limits are then those at the mount.
template <class F>
std::int64_t smallest_limit(const std::string& root, const std::string& controller,
                            const F& limit_in) {
  std::int64_t smallest = kNoLimit;
  const auto look = [&](const std::string& controllers, std::string path) {
    for (const std::string& mount : mounts_of(root, controllers, controller)) {
      for (std::string at = path; at.size() > 1 && at.front() == '/';
           at.erase(at.find_last_of('/')))
        smallest = std::min(smallest, limit_in(mount + at, controllers.empty()));
      smallest = std::min(smallest, limit_in(mount, controllers.empty()));
    }
  };
  look("", "");
  look(controller, "");
  std::ifstream groups(root + "/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {  // hierarchy:controllers:path
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first == std::string::npos ? first : first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    if (controllers.empty() ||
        ("," + controllers + ",").find("," + controller + ",") != std::string::npos)
      look(controllers, line.substr(second + 1));
  }
  return smallest;
}

}  // namespace

std::int64_t cgroup_memory_limit(const std::string& root) {
  return smallest_limit(root, "memory", [](const std::string& folder, bool v2) {
    if (!v2) return read_limit(folder + "/memory.limit_in_bytes");
    return std::min(
        read_limit(folder + "/memory.max"),
        read_limit(folder +
                   "/memory.high"));  // above `high` a process is slowed until it stands still
  });
}

std::int64_t cgroup_processors(const std::string& root) {
  return smallest_limit(root, "cpu", [](const std::string& folder, bool v2) {
    std::ifstream quota(folder + (v2 ? "/cpu.max" : "/cpu.cfs_quota_us"));
    if (v2) return processors_of(quota, quota);
    std::ifstream period(folder + "/cpu.cfs_period_us");
    return processors_of(quota, period);
  });
}

int usable_processors(const std::string& root) {
  auto processors = static_cast<std::int64_t>(std::thread::hardware_concurrency());
#ifdef __linux__
  cpu_set_t set;
  if (::sched_getaffinity(0, sizeof set, &set) == 0) processors = CPU_COUNT(&set);
#endif
  return static_cast<int>(std::max<std::int64_t>(1, std::min(processors, cgroup_processors(root))));
}

std::int64_t free_memory(const std::string& root) {
  std::ifstream file(root + "/proc/meminfo");
  std::int64_t available = -1, swap = 0, value = 0;
  for (std::string name, unit;
       file >> name >> value && std::getline(file, unit);) {  // "MemAvailable:   123 kB"
    if (name == "MemAvailable:") available = value;
    if (name == "SwapFree:") swap = value;
  }
  return available < 0 ? kNoLimit : (available + swap) * 1024;
}

double process_peak_mib() {
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("VmHWM:")) return std::stod(line.substr(6)) / 1024;
  struct rusage usage {};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

AvailableMemory available_memory(const std::string& root) {
  const auto mib = [](std::int64_t bytes) { return static_cast<double>(bytes) / 0x1p20; };
  AvailableMemory there{.mib = mib(memory_limit()),
                        .what = "are there"};  // the machine's memory, or what ulimit -v leaves
  if (const double free = mib(free_memory(root)); free < there.mib)
    there = {.mib = free, .what = "are free"};
  if (const double group = mib(cgroup_memory_limit(root)); group <= there.mib)
    there = {.mib = group, .what = "are the limit of its cgroup"};
  return there;
}

}  // namespace weft
