// The engine: recording ops, and walking back through what was recorded.
#pragma once

#include <initializer_list>
#include <span>
#include <vector>

#include "autograd/grad_meta.h"
#include "core/tensor.h"

namespace weft {

// ---- for those who write ops
// ----------------------------------------------------------------------------------------

/// Whether recording is on in this thread and this input wants its gradient.
bool wants_grad(const Tensor& t);

/// What a backward rule reads, by address; null ones and undefined ones are passed over. Where one
/// of them has been changed in place since (Tensor::version()), backward is a GraphError instead of
/// a wrong gradient. An op names here every tensor that its rule captured and that others can
/// reach; its own output it keeps as a SavedOutput.
using Saved = std::initializer_list<const Tensor*>;

/// Ends an op: records it if an input wants a gradient, and returns `output`. `rule` must be made
/// of ops, so that it can be differentiated in turn; it may return a gradient of the broadcast
/// shape, the engine sums it to the input's. In anomaly mode a NaN or infinity in `output` throws
/// NumericError naming `op`.
Tensor record(const char* op, Tensor output, std::vector<Tensor> inputs, BackwardRule rule,
              Saved saved = {});

/// The same for a fused op, whose rule calls kernels. `definition` computes the op from its
/// captured inputs with primitive ops; it is used instead of the rule when gradients of gradients
/// are asked for (without one, that is a GraphError). `defined_by`: what the definition reads
/// besides the inputs.
Tensor record_fused(const char* op, Tensor output, std::vector<Tensor> inputs, BackwardRule rule,
                    std::function<Tensor()> definition, Saved saved = {}, Saved defined_by = {});

/// Ops with several outputs. With a definition the rule may call kernels, without one it must be
/// made of ops.
std::vector<Tensor> record_multi(const char* op, std::vector<Tensor> outputs,
                                 std::vector<Tensor> inputs, MultiBackwardRule rule,
                                 Definition definition = nullptr);

/// An op's own output, kept for its backward rule without a reference cycle.
class SavedOutput {
 public:
  explicit SavedOutput(const Tensor& output, int index = 0)
      : value_(output.detach()), version_(output.version()), index_(index) {}
  /// The output, attached to the graph again when the rule itself is being recorded. Only inside
  /// the op's own rule. Throws GraphError where the output was changed in place since.
  Tensor get() const;

 private:
  Tensor value_;
  std::uint64_t version_;
  int index_;
};

/// What a rule that calls kernels reads again of an op's operand, without a gradient: the operand
/// itself, or in bfloat16 (core/precision.h) a rounded copy, of half the size, that later changes
/// do not reach. An op whose products round it anyway loses nothing; gelu's and silu's derivatives
/// are taken where the copy stands.
class SavedOperand {
 public:
  SavedOperand() = default;
  explicit SavedOperand(const Tensor& operand);
  /// Whether it is a copy. Gradients of gradients would read the operand itself: such an op is
  /// recorded without a definition.
  bool rounded() const { return value_.defined() && value_.dtype() == DType::bf16; }
  /// What `Saved` should name.
  const Tensor* watched() const { return rounded() ? nullptr : &value_; }
  /// The operand, or its copy of the same shape.
  const Tensor& get() const { return value_; }

 private:
  Tensor value_;
};

// ---- for those who use gradients
// ------------------------------------------------------------------------------------

bool grad_enabled();  ///< whether ops record a graph on this thread

/// Nothing is recorded in this thread while one of these lives.
class NoGrad {
 public:
  NoGrad();
  ~NoGrad();
  NoGrad(const NoGrad&) = delete;
  NoGrad& operator=(const NoGrad&) = delete;

 private:
  bool before_;
};

/// While one of these lives, an op that makes a NaN or an infinity, forward or backward, throws
/// NumericError that names it.
class AnomalyMode {
 public:
  explicit AnomalyMode(bool enabled = true);
  ~AnomalyMode();
  AnomalyMode(const AnomalyMode&) = delete;
  AnomalyMode& operator=(const AnomalyMode&) = delete;

 private:
  bool before_;
};

struct GradOptions {
  bool retain_graph = false;  ///< keep what backward needs, so that it can run again
  bool create_graph = false;  ///< record the backward itself (implies retain_graph)
  bool allow_unused =
      false;  ///< an input the outputs do not depend on gets an undefined gradient, not an error
};

/// Accumulates the gradient of sum_i <outputs_i, gradients_i> into the leaves' grad().
/// gradients: one an output, same shape; empty or undefined means 1 for one-element outputs.
/// With create_graph a leaf's grad() belongs to a graph that holds the leaf; zero_grad() lets both
/// go. Prefer grad() there. Throws GraphError when an output does not require a gradient, when the
/// graph was freed by an earlier backward, or when an output with several elements has no gradient
/// given.
void backward(const std::vector<Tensor>& outputs, const std::vector<Tensor>& gradients = {},
              GradOptions options = {});

/// The same sum's gradient with respect to `inputs` (leaves or not), returned; no grad() is
/// touched. Throws GraphError as backward(), and for an input that is not part of the graph unless
/// allow_unused.
std::vector<Tensor> grad(const std::vector<Tensor>& outputs, const std::vector<Tensor>& inputs,
                         const std::vector<Tensor>& gradients = {}, GradOptions options = {});

/// Jacobian of `function` at `x`, one row a backward pass. Shape: output shape followed by input
/// shape. With create_graph it can be differentiated again.
Tensor jacobian(const std::function<Tensor(const Tensor&)>& function, const Tensor& x,
                bool create_graph = false);

}  // namespace weft
