#include "nn/module.h"

#include <algorithm>
#include <unordered_set>

#include "autograd/grad_meta.h"

namespace weft::nn {
namespace {

std::string join(const std::string& prefix, const std::string& name) {
  return prefix.empty() ? name : prefix + "." + name;
}

/// Says on the tensors themselves which one a module holds from now on.
void replace(const Tensor& before, const Tensor& after) {
  const auto mark = [](const Tensor& tensor, bool replaced) {
    if (!tensor.defined() || (!tensor.grad_meta() && !replaced)) return;
    if (!tensor.grad_meta()) tensor.set_grad_meta(std::make_shared<GradMeta>());
    tensor.grad_meta()->replaced = replaced;
  };
  mark(before, true);
  mark(after, false);
}

}  // namespace

void Module::add(Entry entry) {
  if (entry.name.empty()) fail<ConfigError>(kind_, "a member's name is empty");
  if (entry.name.find('.') != std::string::npos)
    fail<ConfigError>(kind_, "the name `{}` holds a dot; dots join the names of modules into paths",
                      entry.name);
  for (const Entry& other : entries_)
    if (other.name == entry.name) fail<ConfigError>(kind_, "the name `{}` is taken", entry.name);
  entries_.push_back(std::move(entry));
}

void Module::register_parameter(std::string_view name, Parameter& parameter) {
  add({std::string(name), &parameter, nullptr, nullptr});
}
void Module::register_buffer(std::string_view name, Buffer& buffer) {
  add({std::string(name), nullptr, &buffer, nullptr});
}
void Module::register_child(std::string_view name, Module& child) {
  add({std::string(name), nullptr, nullptr, &child});
}

void Module::walk(const std::string& prefix, const Visit& visit) const {
  for (const Entry& entry : entries_) {
    const std::string path = join(prefix, entry.name);
    if (entry.child)
      entry.child->walk(path, visit);
    else
      visit(path, entry);
  }
}

NamedTensors Module::named_parameters() const {
  NamedTensors all;
  std::unordered_set<const void*> seen;
  walk("", [&](const std::string& path, const Entry& entry) {
    if (entry.parameter && seen.insert(entry.parameter->identity()).second)
      all.emplace_back(path, entry.parameter->get());
  });
  return all;
}

std::vector<Tensor> Module::parameters() const {
  std::vector<Tensor> all;
  for (auto& [path, tensor] : named_parameters()) all.push_back(std::move(tensor));
  return all;
}

NamedTensors Module::named_buffers() const {
  NamedTensors all;
  walk("", [&](const std::string& path, const Entry& entry) {
    if (entry.buffer) all.emplace_back(path, entry.buffer->get());
  });
  return all;
}

std::vector<std::pair<std::string, const Module*>> Module::named_modules() const {
  std::vector<std::pair<std::string, const Module*>> all;
  const auto visit = [&](const auto& self, const std::string& path, const Module& module) -> void {
    all.emplace_back(path, &module);
    for (const Entry& entry : module.entries_)
      if (entry.child) self(self, join(path, entry.name), *entry.child);
  };
  visit(visit, "", *this);
  return all;
}

std::int64_t Module::num_parameters() const {
  std::int64_t count = 0;
  for (const auto& [path, tensor] : named_parameters()) count += tensor.numel();
  return count;
}

void Module::train(bool training) {
  training_ = training;
  for (const Entry& entry : entries_)
    if (entry.child) entry.child->train(training);
}

void Module::to(DType dtype) {
  if (!is_float(dtype)) fail<DTypeError>(kind_, "a module can be f32 or f64, not {}", name(dtype));
  walk("", [&](const std::string&, const Entry& entry) {
    if (entry.buffer) {
      if (entry.buffer->get().defined() && is_float(entry.buffer->get().dtype()) &&
          entry.buffer->get().dtype() != dtype)
        entry.buffer->set(raw::cast(entry.buffer->get(), dtype));
    } else if (const Tensor before = entry.parameter->get();
               before.dtype() != dtype) {  // a tied weight is met twice, and cast once
      const Tensor after = raw::cast(before.detach(), dtype);
      entry.parameter->set(after.set_requires_grad(before.requires_grad()));
    }
  });
}

DType Module::dtype() const {
  const NamedTensors all = named_parameters();
  return all.empty() ? DType::f32 : all.front().second.dtype();
}

void Module::zero_grad() const {
  for (const auto& [path, tensor] : named_parameters()) tensor.zero_grad();
}

void Module::set_parameter(std::string_view path, const Tensor& value) {
  Parameter* found = nullptr;
  walk("", [&](const std::string& candidate, const Entry& entry) {
    if (entry.parameter && candidate == path) found = entry.parameter;
  });
  if (!found) fail<ConfigError>(kind_, "no parameter `{}`", path);
  found->set(value);
}

Parameter::Parameter(Module& owner, std::string_view name, const Shape& shape,
                     const init::Initializer& initializer, bool present)
    : slot_(std::make_shared<Tensor>()) {
  if (!present) return;
  owner.register_parameter(name, *this);
  *slot_ = Tensor::empty(shape);
  initializer(*slot_);
  slot_->set_requires_grad();
}

Parameter::Parameter(Module& owner, std::string_view name, const Parameter& tied_to)
    : slot_(tied_to.slot_) {
  owner.register_parameter(name, *this);
}

void Parameter::set(const Tensor& value) {
  if (slot_->defined() && value.shape() != slot_->shape())
    fail<ShapeError>("parameter", "a tensor {} cannot replace one {}", value.shape().str(),
                     slot_->shape().str());
  replace(*slot_, value);
  *slot_ = value;
}

Buffer::Buffer(Module& owner, std::string_view name, Tensor value, bool persistent)
    : value_(std::move(value)), persistent_(persistent) {
  if (value_.defined()) owner.register_buffer(name, *this);
}

void Buffer::set(Tensor value) {
  replace(value_, value);
  value_ = std::move(value);
}

}  // namespace weft::nn
