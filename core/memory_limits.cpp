#include "core/memory_limits.h"

#include <algorithm>
#include <fstream>
#include <limits>

namespace weft {
namespace {

constexpr std::int64_t kNoLimit = std::numeric_limits<std::int64_t>::max();

/// The number in a control file; the largest integer when there is none ("max", or no such file).
std::int64_t read_limit(const std::string& path) {
  std::ifstream file(path);
  std::int64_t value = 0;
  return file >> value && value > 0 ? value : kNoLimit;
}

}  // namespace

std::int64_t cgroup_memory_limit(const std::string& root) {
  const std::string v2_folder = root + "/sys/fs/cgroup", v1_folder = root + "/sys/fs/cgroup/memory";
  std::int64_t limit = std::min(read_limit(v2_folder + "/memory.max"), read_limit(v1_folder + "/memory.limit_in_bytes"));
  std::ifstream groups(root + "/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {  // hierarchy:controllers:path
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first == std::string::npos ? first : first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const bool v2 = controllers.empty();
    if (!v2 && ("," + controllers + ",").find(",memory,") == std::string::npos) continue;
    for (std::string path = line.substr(second + 1); path.size() > 1 && path.front() == '/'; path.erase(path.find_last_of('/')))
      limit = std::min(limit, v2 ? read_limit(v2_folder + path + "/memory.max") : read_limit(v1_folder + path + "/memory.limit_in_bytes"));
  }
  return limit;
}

std::int64_t available_memory(const std::string& root) {
  std::ifstream file(root + "/proc/meminfo");
  std::int64_t available = -1, swap = 0, value = 0;
  for (std::string name, unit; file >> name >> value && std::getline(file, unit);) {  // "MemAvailable:   123 kB"
    if (name == "MemAvailable:") available = value;
    if (name == "SwapFree:") swap = value;
  }
  return available < 0 ? kNoLimit : (available + swap) * 1024;
}

}  // namespace weft
