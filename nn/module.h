// Module: a tree of named parameters, buffers and child modules.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/tensor.h"

namespace weft::nn {

class Module;
class Parameter;
class Buffer;

/// Tensors by dotted path, in order of declaration: the form of a state dict.
using NamedTensors = std::vector<std::pair<std::string, Tensor>>;

/// Names that a lenient load_state_dict passed over.
struct LoadReport {
  std::vector<std::string> missing;     ///< in the module, not in the dictionary
  std::vector<std::string> unexpected;  ///< in the dictionary, not in the module
};

/// Base of every layer and model. Members register themselves where they are declared, on one line:
///
///   class Linear : public Module {
///     Parameter weight{*this, "weight", {out, in}, init::normal(0.02)};
///   };
///   Child<Linear> c_fc{*this, "c_fc", n_embd, 4 * n_embd};
///
/// Names are unique within a module and hold no dot; the path `transformer.h.0.attn` joins them. A
/// module stays where it was made (its members point at it), so it is neither copied nor moved.
class Module {
 public:
  explicit Module(std::string_view kind) : kind_(kind) {}
  virtual ~Module() = default;
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;

  /// `Linear`, `Block`, `Gpt`: what this is, for tables and messages.
  const std::string& kind() const { return kind_; }
  /// A few words on sizes and options, for tables: `128 -> 512, no bias`.
  virtual std::string details() const { return {}; }

  /// Parameters by dotted path, in order of declaration; a tied weight once, under its first name.
  NamedTensors named_parameters() const;
  std::vector<Tensor> parameters() const;  ///< all, by path
  /// Constants that belong to the module: tables, masks. Those not persistent are not part of the
  /// state dict.
  NamedTensors named_buffers() const;
  /// This module (path "") and all below it, parents first.
  std::vector<std::pair<std::string, const Module*>> named_modules() const;
  /// Elements of all parameters; a tied weight counts once.
  std::int64_t num_parameters() const;

  /// Switches dropout and the like on or off, here and below. Modules are made in training mode.
  void train(bool training = true);
  void eval() { train(false); }                   ///< evaluation mode, of all children too
  bool is_training() const { return training_; }  ///< training mode is the first
  /// Converts all parameters and buffers (f64 for gradient checks). Their gradients are dropped,
  /// and what was made of the tensors before (an optimizer, an average) refuses to go on: make it
  /// after this. Throws DTypeError for integers.
  void to(DType dtype);
  /// The dtype of the first parameter; f32 without one.
  DType dtype() const;
  void zero_grad() const;  ///< of all parameters

  /// Parameters and persistent buffers as they are now: handles on the same storage, cut off from
  /// autograd.
  NamedTensors state_dict() const;
  /// Copies values in, converting dtypes. A tied weight may come under either of its names, or both
  /// with equal values. Nothing is changed unless everything fits. Throws: ConfigError that lists
  /// every missing, unexpected and mis-shaped name; not strict: only the mis-shaped ones.
  LoadReport load_state_dict(const NamedTensors& state, bool strict = true);
  /// Puts another tensor in a parameter's place (any of a tied weight's names): how a model is
  /// called as a function of its parameters. Throws ConfigError for an unknown name, ShapeError for
  /// another shape.
  void set_parameter(std::string_view path, const Tensor& value);

  /// Called by the constructors of members; use those. Throw ConfigError for a name that is empty,
  /// taken or dotted.
  void register_parameter(std::string_view name, Parameter& parameter);
  void register_buffer(std::string_view name, Buffer& buffer);  ///< under that name
  void register_child(std::string_view name, Module& child);    ///< under that name

 private:
  struct Entry {
    std::string name;
    Parameter* parameter = nullptr;
    Buffer* buffer = nullptr;
    Module* child = nullptr;
  };
  void add(Entry entry);
  using Visit = std::function<void(const std::string& path, const Entry& entry)>;
  /// Visits every parameter and buffer, in order of declaration.
  void walk(const std::string& prefix, const Visit& visit) const;

  std::string kind_;
  std::vector<Entry> entries_;
  bool training_ = true;
};

/// Dropout is off while one lives, then as the module's own switch was before.
class EvalMode {
 public:
  explicit EvalMode(Module& module) : module_(module), training_(module.is_training()) {
    module.eval();
  }
  ~EvalMode() { module_.train(training_); }
  EvalMode(const EvalMode&) = delete;
  EvalMode& operator=(const EvalMode&) = delete;

 private:
  Module& module_;
  bool training_;
};

}  // namespace weft::nn

#include "nn/child.h"
#include "nn/parameter.h"
