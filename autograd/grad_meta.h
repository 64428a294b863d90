// What autograd keeps beside a tensor, and the node that an op records.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "core/tensor.h"

namespace weft {

/// One gradient an input, in the order of the op's inputs; undefined where there is none.
using Gradients = std::vector<Tensor>;
/// Gradient of the output -> gradients of the inputs.
using BackwardRule = std::function<Gradients(const Tensor& grad)>;
/// The same for an op with several outputs; the gradient of an output that nothing used is
/// undefined.
using MultiBackwardRule = std::function<Gradients(const std::vector<Tensor>& grads)>;
/// An op's value written in primitive ops, from its (captured) inputs: what gradients of gradients
/// differentiate.
using Definition = std::function<std::vector<Tensor>()>;
using GradHook = std::function<Tensor(const Tensor&)>;

struct Node;

/// Lives as long as any handle on its tensor, or any node that took the tensor as input.
struct GradMeta {
  ~GradMeta();
  bool requires_grad = false;
  bool retain_grad = false;
  bool replaced = false;  ///< a module has put another tensor in this one's place: who still holds
                          ///< it trains nothing
  int output_index =
      0;  ///< which output of `node` this is; no other living GradMeta stands for that output
  std::shared_ptr<Node> node;  ///< null for a leaf
  Tensor grad;
  std::vector<GradHook> hooks;
};

/// What the engine must know of an input: where its gradient goes, and what it must look like.
struct Edge {
  std::shared_ptr<GradMeta> meta;  ///< null where no gradient is wanted
  Shape shape;
  DType dtype = DType::f32;
};

/// The storage of a tensor that an op saved, and its version then.
struct SavedVersion {
  std::shared_ptr<const Storage> storage;
  std::uint64_t version = 0;
  Shape shape;
  DType dtype = DType::f32;
};

/// One recorded op.
struct Node : std::enable_shared_from_this<Node> {
  const char* op = "";
  std::uint64_t sequence = 0;  ///< an input's node always has a smaller one than its consumer
  std::vector<Edge> edges;
  std::vector<std::weak_ptr<GradMeta>>
      outputs;  ///< weak: an output keeps its node alive, not the other way round
  MultiBackwardRule rule;
  Definition definition;
  std::vector<SavedVersion> saved;       ///< what the rule reads
  std::vector<SavedVersion> defined_by;  ///< what the definition reads
  bool differentiable_rule = true;  ///< the rule is made of ops, so it can itself be differentiated
  bool freed = false;
};

}  // namespace weft
