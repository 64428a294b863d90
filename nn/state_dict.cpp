// Module::state_dict and load_state_dict.
#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "nn/module.h"

namespace weft::nn {
namespace {

/// `a, b, c and 7 more`: a hostile or foreign file may hold very many names.
std::string list(const std::vector<std::string>& names) {
  constexpr std::size_t kShown = 8;
  const auto shown = static_cast<std::ptrdiff_t>(std::min(names.size(), kShown));
  std::string text = fmt::format("{}", fmt::join(names.begin(), names.begin() + shown, ", "));
  if (names.size() > kShown) text += fmt::format(" and {} more", names.size() - kShown);
  return text;
}

bool equal_values(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && a.to_vector<double>() == b.to_vector<double>();
}

}  // namespace

NamedTensors Module::state_dict() const {
  NamedTensors state;
  for (auto& [path, tensor] : named_parameters()) state.emplace_back(path, tensor.detach());
  walk("", [&](const std::string& path, const Entry& entry) {
    if (entry.buffer && entry.buffer->persistent()) state.emplace_back(path, entry.buffer->get());
  });
  return state;
}

LoadReport Module::load_state_dict(const NamedTensors& state, bool strict) {
  std::unordered_map<std::string, const Tensor*> given;
  for (const auto& [path, tensor] : state) given.emplace(path, &tensor);

  struct Copy {
    std::string path;
    Tensor target;
    const Tensor* source = nullptr;
  };
  std::vector<Copy> copies;                           // in order of declaration
  std::unordered_map<const void*, std::size_t> slot;  // a weight's identity -> its copy
  std::vector<std::string> problems;
  walk("", [&](const std::string& path, const Entry& entry) {
    if (entry.buffer && !entry.buffer->persistent()) return;
    const Tensor target = entry.parameter ? entry.parameter->get().detach() : entry.buffer->get();
    const void* const identity =
        entry.parameter ? entry.parameter->identity() : static_cast<const void*>(entry.buffer);
    const auto [position, is_new] = slot.emplace(identity, copies.size());
    if (is_new) copies.push_back({path, target, nullptr});
    const auto found = given.find(path);
    if (found == given.end()) return;
    const Tensor* const source = found->second;
    given.erase(found);
    Copy& copy = copies[position->second];
    if (!source->defined())
      problems.push_back(fmt::format("{} is undefined", path));
    else if (source->shape() != target.shape())
      problems.push_back(fmt::format("{} has shape {}, expected {}", path, source->shape().str(),
                                     target.shape().str()));
    else if (copy.source && !equal_values(*copy.source, *source))
      problems.push_back(fmt::format("{} and {} are one weight here, and differ", copy.path, path));
    else
      copy.source = source;
  });

  LoadReport report;
  for (const Copy& copy : copies)
    if (!copy.source) report.missing.push_back(copy.path);
  for (const auto& [path, tensor] : state)
    if (given.count(path)) report.unexpected.push_back(path);
  std::erase_if(report.missing, [&](const std::string& path) {
    return std::any_of(problems.begin(), problems.end(), [&](const std::string& problem) {
      return problem.rfind(path + " ", 0) == 0;
    });
  });

  std::vector<std::string> parts;
  if (!problems.empty()) parts.push_back(list(problems));
  if (strict && !report.missing.empty()) parts.push_back("missing: " + list(report.missing));
  if (strict && !report.unexpected.empty())
    parts.push_back("unexpected: " + list(report.unexpected));
  if (!parts.empty())
    fail<ConfigError>("load_state_dict", "the weights do not fit this {}: {}", kind_,
                      fmt::format("{}", fmt::join(parts, "; ")));

  for (const Copy& copy : copies)
    if (copy.source) copy.target.copy_from(*copy.source);
  return report;
}

}  // namespace weft::nn
