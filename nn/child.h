// Child, OptionalChild and ModuleList: modules inside modules.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "nn/module.h"
#include "nn/trace.h"

namespace weft::nn {

/// What both kinds of child do: calls and members pass through, `c_fc(x)`, `c_fc->weight`.
template <class M>
class ChildAccess {
 public:
  ChildAccess(const ChildAccess&) = delete;
  ChildAccess& operator=(const ChildAccess&) = delete;

  M& operator*() { return *module_; }
  const M& operator*() const { return *module_; }
  M* operator->() { return module_.get(); }
  const M* operator->() const { return module_.get(); }
  template <class... Args>
  decltype(auto) operator()(Args&&... args) const {
    return call_module(std::as_const(*module_), std::forward<Args>(args)...);
  }

 protected:
  ChildAccess() = default;
  /// Owns the module, and registers it as a child of `parent`.
  void take(Module& parent, std::string_view name, std::unique_ptr<M> module) {
    module_ = std::move(module);
    parent.register_child(name, *module_);
  }

  std::unique_ptr<M> module_;
};

/// A module built from `args` and registered under `name`.
template <class M>
class Child : public ChildAccess<M> {
 public:
  template <class... Args>
  Child(Module& parent, std::string_view name, Args&&... args) {
    this->take(parent, name, std::make_unique<M>(std::forward<Args>(args)...));
  }
  /// For modules chosen at run time: `Child<Norm> ln_1{*this, "ln_1", make_norm(n_embd, options)}`.
  Child(Module& parent, std::string_view name, std::unique_ptr<M> module) {
    this->take(parent, name, std::move(module));
  }
};

/// A child that a configuration may do without: `OptionalChild<Embedding> wpe{learned, *this,
/// "wpe", block_size, n_embd}`.
template <class M>
class OptionalChild : public ChildAccess<M> {
 public:
  template <class... Args>
  OptionalChild(bool present, Module& parent, std::string_view name, Args&&... args) {
    if (present) this->take(parent, name, std::make_unique<M>(std::forward<Args>(args)...));
  }
  OptionalChild(bool present, Module& parent, std::string_view name, std::unique_ptr<M> module) {
    if (present) this->take(parent, name, std::move(module));
  }

  explicit operator bool() const { return this->module_ != nullptr; }
};

/// Modules of one type, named `0`, `1`, ... under the list's name.
template <class M>
class ModuleList : public Module {
 public:
  ModuleList(Module& parent, std::string_view name) : Module("ModuleList") {
    parent.register_child(name, *this);
  }

  template <class... Args>
  /// Makes one more module of these arguments, and registers it under its number.
  M& emplace(Args&&... args) {
    items_.push_back(std::make_unique<M>(std::forward<Args>(args)...));
    register_child(std::to_string(items_.size() - 1), *items_.back());
    return *items_.back();
  }
  /// The forward of one of them.
  template <class... Args>
  decltype(auto) call(std::size_t i, Args&&... args) const {
    return call_module(std::as_const(*items_[i]), std::forward<Args>(args)...);
  }
  std::size_t size() const { return items_.size(); }  ///< number of modules
  M& operator[](std::size_t i) { return *items_[i]; }
  const M& operator[](std::size_t i) const { return *items_[i]; }

 private:
  std::vector<std::unique_ptr<M>> items_;
};

}  // namespace weft::nn
