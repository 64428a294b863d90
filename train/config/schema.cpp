#include "train/config/schema.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace weft::train {
namespace {

const Chosen& chosen_by(const RunConfig& config, const Field& field) {
  return field.name == config.model.registry().choice() ? config.model : config.optimizer;
}

/// There is nothing to choose.
bool has_one_entry(const RunConfig& config, const Field& field) {
  return field.names_entry && chosen_by(config, field).registry().entries().size() == 1;
}

/// One field that stands for those of the same name that several entries have.
Field merged(const Registry& registry, const std::string& name) {
  std::vector<std::pair<std::string, std::vector<std::string>>> helps;
  const Field* first = nullptr;
  for (const Entry* entry : registry.with_field(name)) {
    const auto field = std::find_if(entry->fields().begin(), entry->fields().end(),
                                    [&](const Field& one) { return one.name == name; });
    if (first == nullptr) first = &*field;
    const auto same = std::find_if(helps.begin(), helps.end(),
                                   [&](const auto& one) { return one.first == field->help; });
    if (same != helps.end())
      same->second.push_back(entry->name());
    else
      helps.push_back({field->help, {entry->name()}});
  }
  Field one = *first;
  if (helps.size() == 1) return one;
  one.help.clear();
  for (const auto& [help, entries] : helps)
    one.help +=
        fmt::format("{}{}: {}", one.help.empty() ? "" : "; ", fmt::join(entries, ", "), help);
  return one;
}

}  // namespace

void Schema::begin(RunConfig&, const RunConfig&) const {}

std::vector<const Field*> Schema::fields(const RunConfig& config) const {
  std::vector<const Field*> all;
  for (const Field& field : own_fields()) {
    if (!has_one_entry(config, field)) all.push_back(&field);
    if (!field.names_entry) continue;
    for (const Field& of_entry : chosen_by(config, field).entry().fields())
      all.push_back(&of_entry);
  }
  return all;
}

const Field* Schema::find_field(const RunConfig& config, const std::string& name) const {
  for (const Field* field : fields(config))
    if (field->name == name) return field;
  return nullptr;
}

const Fields& Schema::fields() const {
  std::call_once(once_, [this] {
    const std::unique_ptr<RunConfig> config = make();
    for (const Field& field : own_fields()) {
      if (!has_one_entry(*config, field)) all_.push_back(field);
      if (!field.names_entry) continue;
      const Registry& registry = chosen_by(*config, field).registry();
      std::vector<std::string> seen;
      for (const Entry* entry : registry.entries())
        for (const Field& of_entry : entry->fields()) {
          if (std::find(seen.begin(), seen.end(), of_entry.name) != seen.end()) continue;
          seen.push_back(of_entry.name);
          all_.push_back(merged(registry, of_entry.name));
        }
    }
  });
  return all_;
}

std::string Schema::meaningless(const RunConfig& config, const std::string& name) const {
  if (const Field* const field = find_field(config, name))
    return field->idle ? field->idle(config) : "";
  for (const Chosen* chosen : {&config.model, &config.optimizer})
    if (!chosen->registry().with_field(name).empty())
      return chosen->registry().choice() + " " + chosen->name();
  return "";
}

}  // namespace weft::train
