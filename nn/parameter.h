// Parameter and Buffer: a module's tensors, registered where they are declared.
#pragma once

#include <memory>

#include "nn/init.h"
#include "nn/module.h"

namespace weft::nn {

/// A trained tensor. Where it is absent (`present` false) it is undefined, unregistered, and may be
/// handed to ops as "none".
class Parameter {
 public:
  Parameter(Module& owner, std::string_view name, const Shape& shape,
            const init::Initializer& initializer, bool present = true);
  /// The same weight under a second name: it is stored, counted and trained once.
  Parameter(Module& owner, std::string_view name, const Parameter& tied_to);
  Parameter(const Parameter&) = delete;
  Parameter& operator=(const Parameter&) = delete;

  const Tensor& get() const { return *slot_; }  ///< the tensor
  operator const Tensor&() const { return *slot_; }
  const Tensor* operator->() const { return slot_.get(); }
  bool defined() const { return slot_->defined(); }  ///< holds a tensor
  /// Same shape, or undefined before. Throws ShapeError. An optimizer that holds the tensor before
  /// refuses to step (GradMeta::replaced).
  void set(const Tensor& value);
  /// Whether both are names of one weight.
  bool is_tied_to(const Parameter& other) const { return slot_ == other.slot_; }
  const void* identity() const { return slot_.get(); }  ///< the same for tied weights

 private:
  std::shared_ptr<Tensor> slot_;
};

/// A constant tensor, or an undefined one, which is not registered. Persistent ones are saved with
/// the parameters.
class Buffer {
 public:
  Buffer(Module& owner, std::string_view name, Tensor value, bool persistent = false);
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;

  const Tensor& get() const { return value_; }  ///< the tensor
  operator const Tensor&() const { return value_; }
  bool defined() const { return value_.defined(); }  ///< holds a tensor
  /// Who holds the tensor before, learns that it is no longer the module's (GradMeta::replaced).
  void set(Tensor value);
  bool persistent() const { return persistent_; }  ///< whether it is saved

 private:
  Tensor value_;
  bool persistent_;
};

}  // namespace weft::nn
