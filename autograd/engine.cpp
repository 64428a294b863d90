// Walks a recorded graph from its outputs to its leaves. Every node's inputs were recorded before
// it, so descending sequence numbers are a topological order: no recursion, and the same order
// every time.
#include <algorithm>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "autograd/autograd.h"
#include "autograd/engine_state.h"
#include "autograd/op_observer.h"
#include "autograd/ops/binary.h"
#include "autograd/ops/reduce.h"
#include "autograd/ops/shape_ops.h"

namespace weft {
namespace {

class Engine {
 public:
  Engine(const std::vector<Tensor>& outputs, const std::vector<Tensor>& gradients,
         GradOptions options)
      : options_(options), mode_(options.create_graph) {
    options_.retain_graph = options_.retain_graph || options_.create_graph;
    if (outputs.empty()) fail<GraphError>("backward", "no outputs given");
    if (!gradients.empty() && gradients.size() != outputs.size())
      fail<GraphError>("backward", "{} gradients for {} outputs", gradients.size(), outputs.size());
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      if (!outputs[i].requires_grad())
        fail<GraphError>("backward",
                         "output {} does not depend on anything that requires a gradient", i);
      roots_.push_back(outputs[i].grad_meta());
      seeds_.push_back(seed_gradient(outputs[i], gradients.empty() ? Tensor() : gradients[i], i));
    }
  }

  void accumulate_into_leaves() {
    collect();
    if (freed_) fail_freed(*freed_);
    run();
    for (const auto& leaf : leaves_) {
      if (!leaf->requires_grad)
        continue;  // it did when the graph was recorded, and has been told otherwise since
      Tensor gradient = finish(*leaf, take(*leaf));
      if (gradient.defined()) add_to_grad(*leaf, std::move(gradient));
    }
  }

  /// The whole derivative with respect to each input: also by way of other inputs, where one
  /// depends on another.
  std::vector<Tensor> gradients_of(const std::vector<Tensor>& inputs) {
    capturing_ = true;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      if (inputs[i].requires_grad())
        captured_.try_emplace(inputs[i].grad_meta().get());
      else if (!options_.allow_unused)
        fail<GraphError>("grad", "input {} does not require a gradient", i);
    }
    collect();
    run();
    for (const auto& leaf : leaves_)
      if (const auto found = captured_.find(leaf.get()); found != captured_.end())
        found->second = finish(*leaf, take(*leaf));
    std::vector<Tensor> result;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      result.push_back(inputs[i].requires_grad() ? captured_.at(inputs[i].grad_meta().get())
                                                 : Tensor());
      if (result.back().defined()) continue;
      if (freed_) fail_freed(*freed_);
      if (!options_.allow_unused)
        fail<GraphError>("grad",
                         "input {} was not used to compute the outputs; pass allow_unused to get "
                         "an undefined gradient",
                         i);
    }
    return result;
  }

  /// The partial derivatives of a fused op's definition with respect to its inputs: each is held to
  /// be independent of the others and of what came before. An input given twice gets its whole
  /// gradient at its first place.
  Gradients partials(const std::vector<Edge>& edges) {
    capturing_ = true;
    for (const Edge& edge : edges)
      if (edge.meta) boundary_.insert(edge.meta.get()), captured_.try_emplace(edge.meta.get());
    collect();
    run();
    Gradients result;
    for (const Edge& edge : edges) result.push_back(edge.meta ? take(*edge.meta) : Tensor());
    return result;
  }

 private:
  struct Pending {
    std::shared_ptr<GradMeta> meta;  ///< kept alive until its node's turn
    Tensor gradient;
  };

  static Tensor seed_gradient(const Tensor& output, const Tensor& gradient, std::size_t i) {
    if (!gradient.defined()) {
      if (output.numel() != 1)
        fail<GraphError>("backward",
                         "output {} {} has more than one element; pass the gradient to start from",
                         i, output.shape().str());
      return Tensor::ones(output.shape(), output.dtype());
    }
    if (gradient.shape() != output.shape() || gradient.dtype() != output.dtype())
      fail<ShapeError>("backward", "gradient {} {} for an output {} {}", gradient.shape().str(),
                       name(gradient.dtype()), output.shape().str(), name(output.dtype()));
    return gradient;
  }

  [[noreturn]] static void fail_freed(const Node& node) {
    fail<GraphError>("backward",
                     "the graph behind op `{}` was already freed by an earlier backward; pass "
                     "retain_graph to that one",
                     node.op);
  }

  void collect() {
    std::unordered_set<const GradMeta*> leaf_seen;
    std::unordered_set<const Node*> node_seen;
    std::vector<const Node*> stack;
    const auto visit = [&](const std::shared_ptr<GradMeta>& meta) {
      if (!meta || boundary_.contains(meta.get())) return;
      if (!meta->node) {
        if (leaf_seen.insert(meta.get()).second) leaves_.push_back(meta);
      } else if (node_seen.insert(meta->node.get()).second) {
        stack.push_back(meta->node.get());
        nodes_.push_back(meta->node);
        if (meta->node->freed && !freed_) freed_ = meta->node;
      }
    };
    for (const auto& root : roots_) visit(root);
    while (!stack.empty()) {
      const Node* node = stack.back();
      stack.pop_back();
      for (const Edge& edge : node->edges) visit(edge.meta);
    }
    std::sort(nodes_.begin(), nodes_.end(),
              [](const auto& a, const auto& b) { return a->sequence < b->sequence; });
  }

  /// Nodes from which a captured input can be reached; the others need not run.
  std::unordered_set<const Node*> nodes_towards_captured() const {
    std::unordered_set<const Node*> needed;
    for (const auto& node : nodes_)
      for (const Edge& edge : node->edges)
        if (edge.meta && (captured_.contains(edge.meta.get()) ||
                          (edge.meta->node && needed.contains(edge.meta->node.get())))) {
          needed.insert(node.get());
          break;
        }
    return needed;
  }

  void run() {
    std::unordered_set<const Node*> needed;
    if (capturing_) needed = nodes_towards_captured();
    for (std::size_t i = 0; i < roots_.size(); ++i) accumulate(roots_[i], std::move(seeds_[i]));
    while (!nodes_.empty()) {
      const std::shared_ptr<Node> node = std::move(nodes_.back());
      nodes_.pop_back();
      const bool runs = !capturing_ || needed.contains(node.get());
      std::vector<Tensor> grads(node->outputs.size());
      bool any = false;
      for (std::size_t i = 0; i < grads.size(); ++i) {
        const auto meta = node->outputs[i].lock();
        if (!meta) continue;
        Tensor gradient = take(*meta);
        const auto found = captured_.find(meta.get());
        if (!gradient.defined() || (!runs && found == captured_.end())) continue;
        gradient = finish(*meta, std::move(gradient));
        if (found != captured_.end()) found->second = gradient;
        if (meta->retain_grad && !capturing_) add_to_grad(*meta, gradient);
        grads[i] = std::move(gradient);
        any = true;
      }
      if (!any || !runs) continue;
      run_node(*node, std::move(grads));
      op_ended(node->op, true);
    }
  }

  void run_node(Node& node, std::vector<Tensor> grads) {
    const detail::RunningNode running(&node);
    Gradients results;
    {
      const AnomalyMode quiet(
          false);  // what the rule's own ops make is judged below, under this node's name
      const bool by_definition = options_.create_graph && !node.differentiable_rule;
      detail::check_saved(node.op, by_definition ? node.defined_by : node.saved);
      results = by_definition ? differentiate_definition(node, grads) : node.rule(grads);
      grads.clear();  // so that a gradient passed through may be added to in place
    }
    if (results.size() != node.edges.size())
      fail<GraphError>(node.op, "the backward rule returned {} gradients for {} inputs",
                       results.size(), node.edges.size());
    for (std::size_t i = 0; i < results.size(); ++i) {
      const Edge& edge = node.edges[i];
      if (!edge.meta || !results[i].defined()) continue;
      check_gradient(node, edge, results[i], i);
      accumulate(edge.meta, fit(std::move(results[i]), edge.shape));
    }
    if (options_.retain_graph) return;
    node.freed = true;
    node.rule = nullptr;
    node.definition = nullptr;
    node.saved.clear();
    node.defined_by.clear();
    node.edges.clear();  // frees saved tensors now, not when the caller's loss dies
  }

  static Gradients differentiate_definition(const Node& node, const std::vector<Tensor>& grads) {
    if (!node.definition)
      fail<GraphError>(
          node.op,
          "has no definition in primitive ops here, so its gradient has no gradient (in bf16 an "
          "op keeps rounded operands; use f32)");
    const std::vector<Tensor> values = node.definition();
    std::vector<Tensor> outputs, seeds;
    for (std::size_t i = 0; i < grads.size(); ++i)
      if (grads[i].defined() && values.at(i).requires_grad())
        outputs.push_back(values[i]), seeds.push_back(grads[i]);
    if (outputs.empty()) return Gradients(node.edges.size());
    return Engine(outputs, seeds, {.create_graph = true}).partials(node.edges);
  }

  void check_gradient(const Node& node, const Edge& edge, const Tensor& gradient,
                      std::size_t i) const {
    if (gradient.dtype() != edge.dtype)
      fail<GraphError>(node.op, "the backward rule gave a {} gradient for input {}, which is {}",
                       name(gradient.dtype()), i, name(edge.dtype));
    if (gradient.shape() != edge.shape && !broadcasts_to(edge.shape, gradient.shape()))
      fail<GraphError>(node.op, "the backward rule gave a gradient {} for input {} {}",
                       gradient.shape().str(), i, edge.shape.str());
    if (!anomaly_) return;
    if (const std::int64_t index = raw::find_nonfinite(gradient); index >= 0)
      fail<NumericError>(node.op,
                         "the backward pass produced a NaN or an infinity: element {} (row-major) "
                         "of the gradient of input {} {}",
                         index, i, gradient.shape().str());
  }

  static Tensor fit(Tensor gradient, const Shape& shape) {
    return gradient.shape() == shape ? gradient : sum_to(gradient, shape);
  }

  void accumulate(const std::shared_ptr<GradMeta>& meta, Tensor gradient) {
    const auto [place, is_first] = pending_.try_emplace(meta.get());
    Tensor& sum = place->second.gradient;
    if (is_first)
      place->second = {meta, std::move(gradient)};
    else if (!options_.create_graph && sum.is_unique() && sum.is_contiguous())
      raw::add_scaled(sum, gradient);
    else
      sum = add(sum, gradient);
  }

  Tensor take(const GradMeta& meta) {
    const auto found = pending_.find(&meta);
    if (found == pending_.end()) return Tensor();
    Tensor gradient = std::move(found->second.gradient);
    pending_.erase(found);
    return gradient;
  }

  static Tensor finish(const GradMeta& meta, Tensor gradient) {
    if (!gradient.defined()) return gradient;
    for (std::size_t i = 0; i < meta.hooks.size(); ++i) {
      const GradHook hook = meta.hooks[i];  // a copy: the hook may register another
      Tensor replaced = hook(gradient);
      if (!replaced.defined()) continue;
      if (replaced.shape() != gradient.shape() || replaced.dtype() != gradient.dtype())
        fail<GraphError>("hook",
                         "a hook turned a gradient {} {} into {} {}; it must keep shape and dtype",
                         gradient.shape().str(), name(gradient.dtype()), replaced.shape().str(),
                         name(replaced.dtype()));
      gradient = std::move(replaced);
    }
    return gradient;
  }

  void add_to_grad(GradMeta& meta, Tensor gradient) {
    if (options_.create_graph)
      meta.grad = meta.grad.defined() ? add(meta.grad, gradient) : gradient;
    else if (!meta.grad.defined())
      meta.grad = gradient.is_unique() && gradient.is_contiguous() && !gradient.requires_grad()
                      ? std::move(gradient)
                      : raw::clone(gradient);
    else if (meta.grad.is_unique() && meta.grad.is_contiguous() && !meta.grad.requires_grad())
      raw::add_scaled(meta.grad, gradient);
    else
      meta.grad = add(meta.grad, gradient);
  }

  GradOptions options_;
  detail::GradModeGuard mode_;
  const bool anomaly_ = detail::anomaly_enabled();
  std::vector<std::shared_ptr<GradMeta>> roots_;
  std::vector<Tensor> seeds_;
  std::vector<std::shared_ptr<Node>> nodes_;
  std::vector<std::shared_ptr<GradMeta>> leaves_;
  std::shared_ptr<Node> freed_;                           ///< a node met whose graph is gone
  std::unordered_set<const GradMeta*> boundary_;          ///< not walked past, without hooks
  bool capturing_ = false;                                ///< grad(), not backward()
  std::unordered_map<const GradMeta*, Tensor> captured_;  ///< what grad() asks for
  std::unordered_map<const GradMeta*, Pending> pending_;
};

}  // namespace

void backward(const std::vector<Tensor>& outputs, const std::vector<Tensor>& gradients,
              GradOptions options) {
  Engine(outputs, gradients, options).accumulate_into_leaves();
}

std::vector<Tensor> grad(const std::vector<Tensor>& outputs, const std::vector<Tensor>& inputs,
                         const std::vector<Tensor>& gradients, GradOptions options) {
  if (inputs.empty()) return {};
  return Engine(outputs, gradients, options).gradients_of(inputs);
}

Tensor jacobian(const std::function<Tensor(const Tensor&)>& function, const Tensor& x,
                bool create_graph) {
  const detail::GradModeGuard recording(true);
  const Tensor input = create_graph && x.requires_grad() ? x : x.detach().set_requires_grad();
  const Tensor output = function(input);
  Shape shape = output.shape();
  for (const std::int64_t size : input.shape()) shape.push_back(size);
  std::vector<Tensor> rows;
  for (std::int64_t i = 0; i < output.numel(); ++i) {
    Tensor row;
    if (output.requires_grad()) {
      const Tensor seed = Tensor::zeros(output.shape(), output.dtype());
      seed.as_strided({1}, {1}, i).fill(1);
      row = grad({output}, {input}, {seed},
                 {.retain_graph = true, .create_graph = create_graph, .allow_unused = true})[0];
    }
    rows.push_back(row.defined() ? row : Tensor::zeros(input.shape(), input.dtype()));
  }
  if (rows.empty()) return Tensor::zeros(shape, input.dtype());
  const detail::GradModeGuard joining(create_graph);
  return reshape(stack(rows, 0), shape);
}

}  // namespace weft
