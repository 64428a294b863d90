// What the system lets this process have. Not for users.
#pragma once

#include <cstdint>
#include <string>

namespace weft {

/// The smallest limit of the process's cgroup and those above it, version 1 or 2, in bytes; the
/// largest integer where there is none. `root` stands before /proc and /sys (for tests).
std::int64_t cgroup_memory_limit(const std::string& root = "");
/// Processors that the quotas of the process's cgroup and of those above it allow together,
/// rounded, at least 1: the smallest counts, of version 1 and 2. The largest integer where there is
/// none.
std::int64_t cgroup_processors(const std::string& root = "");
/// Processors that this process may use: its affinity mask, cut by cgroup_processors().
int usable_processors(const std::string& root = "");
/// Memory and swap that are free or could be made so at once; the largest integer where the system
/// does not say.
std::int64_t free_memory(const std::string& root = "");

/// What a run may take: the least of the machine's memory, what of it is free, the limits of its
/// cgroups and of `ulimit -v`, and which of these it is.
struct AvailableMemory {
  double mib = 0;
  std::string what;
};
/// `root` stands before /proc and /sys (for tests).
AvailableMemory available_memory(const std::string& root = "");

/// The most memory this process has held at once, in MiB. Unlike getrusage() it does not count who
/// started the process.
double process_peak_mib();

}  // namespace weft
