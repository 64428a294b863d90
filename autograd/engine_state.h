// Thread-local switches shared by recording and the engine. Not for users.
#pragma once

#include <vector>

#include "autograd/grad_meta.h"

namespace weft::detail {

bool anomaly_enabled();
/// Throws GraphError where a tensor that `op` saved has another version than then.
void check_saved(const char* op, const std::vector<SavedVersion>& saved);

class GradModeGuard {
 public:
  explicit GradModeGuard(bool enabled);
  ~GradModeGuard();
  GradModeGuard(const GradModeGuard&) = delete;
  GradModeGuard& operator=(const GradModeGuard&) = delete;

 private:
  bool before_;
};

/// Names the node whose rule is running, for SavedOutput.
class RunningNode {
 public:
  explicit RunningNode(Node* node);
  ~RunningNode();
  RunningNode(const RunningNode&) = delete;
  RunningNode& operator=(const RunningNode&) = delete;

 private:
  Node* before_;
};

}  // namespace weft::detail
