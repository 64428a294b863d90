#include "train/config/options.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "core/error.h"
#include "train/config/config_fields.h"

namespace weft::train {
namespace {

class NoModel : public EntryOf<Entry, ModelOptions> {
 public:
  std::string name() const override { return "only"; }
  std::string about() const override { return "the only model of its kind"; }
  const Fields& fields() const override {
    static const Fields none;
    return none;
  }
};

bool has_field(const Entry& entry, const std::string& name) {
  return std::any_of(entry.fields().begin(), entry.fields().end(),
                     [&](const Field& field) { return field.name == name; });
}

}  // namespace

std::int64_t ModelOptions::row_blocks(const std::string& name) const {
  if (name.ends_with("c_attn.weight") || name.ends_with("qkv.weight")) return 3;
  return name.ends_with("c_kv.weight") ? 2 : 1;
}

Registry::Registry(std::string choice, std::vector<const Entry*> entries)
    : choice_(std::move(choice)), entries_(std::move(entries)) {}

std::vector<std::string> Registry::names() const {
  std::vector<std::string> names;
  for (const Entry* entry : entries_) names.push_back(entry->name());
  return names;
}

const Entry& Registry::find(std::string_view name) const {
  for (const Entry* entry : entries_)
    if (entry->name() == name) return *entry;
  const std::string near = nearest(name, names());
  fail<ConfigError>("config", "{} must be one of {}, got {}{}", choice_, fmt::join(names(), ", "),
                    name.empty() ? "nothing" : name,
                    near.empty() ? "" : "; did you mean " + near + "?");
}

std::vector<const Entry*> Registry::with_field(const std::string& field) const {
  std::vector<const Entry*> found;
  for (const Entry* entry : entries_)
    if (has_field(*entry, field)) found.push_back(entry);
  return found;
}

const Registry& no_models() {
  static const NoModel only;
  static const Registry registry("model", {&only});
  return registry;
}

Chosen::Chosen(const Registry& registry)
    : registry_(&registry), entry_(registry.entries().front()), options_(entry_->make()) {}

Chosen::Chosen(const Chosen& other)
    : registry_(other.registry_),
      entry_(other.entry_),
      options_(other.entry_->copy(*other.options_)),
      begin_with_(other.begin_with_) {}

Chosen& Chosen::operator=(const Chosen& other) {
  if (this == &other) return *this;
  registry_ = other.registry_;
  entry_ = other.entry_;
  options_ = entry_->copy(*other.options_);
  begin_with_ = other.begin_with_;
  return *this;
}

Chosen& Chosen::operator=(std::string_view name) {
  const Entry& wanted = registry_->find(name);
  if (&wanted == entry_) return *this;
  entry_ = &wanted;
  make_options();
  return *this;
}

void Chosen::begin_with(std::vector<std::pair<std::string, Value>> values) {
  begin_with_ = std::move(values);
  make_options();
}

void Chosen::make_options() {
  options_ = entry_->make();
  for (const auto& [name, value] : begin_with_)
    for (const Field& field : entry_->fields())
      if (field.name == name) set_value(field, field.of(*options_), value, "config");
}

void Chosen::refuse_type() const {
  fail<ConfigError>("config", "{} {} has no such choices", registry_->choice(), name());
}

}  // namespace weft::train
