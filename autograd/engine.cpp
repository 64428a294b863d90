// Walks a recorded graph from its outputs to its leaves. Every node's inputs were recorded before it, so descending
// sequence numbers are a topological order: no recursion, and the same order every time.
#include <algorithm>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "autograd/autograd.h"
#include "autograd/engine_state.h"
#include "autograd/ops/binary.h"
#include "autograd/ops/reduce.h"

namespace weft {
namespace {

class Engine {
 public:
  Engine(const std::vector<Tensor>& outputs, const std::vector<Tensor>& gradients, GradOptions options) : options_(options) {
    options_.retain_graph = options_.retain_graph || options_.create_graph;
    if (!gradients.empty() && gradients.size() != outputs.size())
      fail<GraphError>("backward", "{} gradients for {} outputs", gradients.size(), outputs.size());
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      if (!outputs[i].requires_grad()) fail<GraphError>("backward", "output {} does not depend on anything that requires a gradient", i);
      roots_.push_back(outputs[i].grad_meta());
      seeds_.push_back(seed_gradient(outputs[i], gradients.empty() ? Tensor() : gradients[i], i));
    }
    collect_nodes();
  }

  void accumulate_into_leaves() {
    run(nullptr);
    for (const auto& leaf : leaves_) {
      Tensor gradient = finish(*leaf, take(leaf.get()));
      if (gradient.defined()) add_to_grad(*leaf, std::move(gradient));
    }
  }

  std::vector<Tensor> gradients_of(const std::vector<Tensor>& inputs) {
    std::unordered_map<const GradMeta*, Tensor> captured;
    for (const Tensor& input : inputs)
      if (input.requires_grad()) captured[input.grad_meta().get()] = Tensor();
    run(&captured);
    for (const auto& leaf : leaves_)
      if (captured.contains(leaf.get())) captured[leaf.get()] = finish(*leaf, take(leaf.get()));
    std::vector<Tensor> result;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const auto found = captured.find(inputs[i].grad_meta().get());
      Tensor gradient = found == captured.end() ? Tensor() : found->second;
      if (!gradient.defined() && !options_.allow_unused)
        fail<GraphError>("grad", "input {} was not used to compute the outputs; pass allow_unused to get an undefined gradient", i);
      result.push_back(std::move(gradient));
    }
    return result;
  }

 private:
  static Tensor seed_gradient(const Tensor& output, const Tensor& gradient, std::size_t i) {
    if (!gradient.defined()) {
      if (output.numel() != 1)
        fail<GraphError>("backward", "output {} {} has more than one element; pass the gradient to start from", i, output.shape().str());
      return Tensor::ones(output.shape(), output.dtype());
    }
    if (gradient.shape() != output.shape() || gradient.dtype() != output.dtype())
      fail<ShapeError>("backward", "gradient {} {} for an output {} {}", gradient.shape().str(), name(gradient.dtype()), output.shape().str(), name(output.dtype()));
    return gradient;
  }

  void collect_nodes() {
    std::unordered_set<const GradMeta*> leaf_seen;
    std::unordered_set<const Node*> node_seen;
    std::vector<Node*> stack;
    const auto visit = [&](const std::shared_ptr<GradMeta>& meta) {
      if (!meta) return;
      if (!meta->node) {
        if (leaf_seen.insert(meta.get()).second) leaves_.push_back(meta);
      } else if (node_seen.insert(meta->node.get()).second) {
        stack.push_back(meta->node.get());
        nodes_.push_back(meta->node);
      }
    };
    for (const auto& root : roots_) visit(root);
    while (!stack.empty()) {
      const Node* node = stack.back();
      stack.pop_back();
      for (const Edge& edge : node->edges) visit(edge.meta);
    }
    std::sort(nodes_.begin(), nodes_.end(), [](const auto& a, const auto& b) { return a->sequence < b->sequence; });
  }

  /// Nodes from which a captured input can be reached; the others need not run.
  std::unordered_set<const Node*> nodes_towards(const std::unordered_map<const GradMeta*, Tensor>& captured) const {
    std::unordered_set<const Node*> needed;
    for (const auto& node : nodes_)
      for (const Edge& edge : node->edges)
        if (edge.meta && (captured.contains(edge.meta.get()) || (edge.meta->node && needed.contains(edge.meta->node.get())))) {
          needed.insert(node.get());
          break;
        }
    return needed;
  }

  void run(std::unordered_map<const GradMeta*, Tensor>* captured) {
    const detail::GradModeGuard mode(options_.create_graph);
    std::unordered_set<const Node*> needed;
    if (captured) needed = nodes_towards(*captured);
    for (std::size_t i = 0; i < roots_.size(); ++i) accumulate(roots_[i], std::move(seeds_[i]));
    while (!nodes_.empty()) {
      const std::shared_ptr<Node> node = std::move(nodes_.back());
      nodes_.pop_back();
      const auto metas = std::move(outputs_[node.get()]);
      outputs_.erase(node.get());
      std::vector<Tensor> grads(node->output_shapes.size());
      for (const auto& meta : metas) {
        Tensor gradient = finish(*meta, take(meta.get()));
        if (captured && captured->contains(meta.get())) (*captured)[meta.get()] = gradient;
        if (meta->retain_grad && !captured) add_to_grad(*meta, gradient);
        Tensor& slot = grads[static_cast<std::size_t>(meta->output_index)];
        slot = slot.defined() ? add(slot, gradient) : std::move(gradient);
      }
      if (metas.empty() || (captured && !needed.contains(node.get()))) continue;
      run_node(*node, std::move(grads));
    }
  }

  void run_node(Node& node, std::vector<Tensor> grads) {
    if (node.freed)
      fail<GraphError>("backward", "op `{}` was already freed by an earlier backward; pass retain_graph to the first one", node.op);
    Gradients results;
    {
      const detail::RunningNode running(&node);
      results = options_.create_graph && !node.differentiable_rule ? differentiate_definition(node, grads) : node.rule(grads);
      grads.clear();  // so that a gradient passed through may be added to in place
    }
    if (results.size() != node.edges.size())
      fail<GraphError>(node.op, "the backward rule returned {} gradients for {} inputs", results.size(), node.edges.size());
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
    node.edges.clear();  // frees saved tensors now, not when the caller's loss dies
  }

  static Gradients differentiate_definition(const Node& node, const std::vector<Tensor>& grads) {
    const std::vector<Tensor> values = node.definition();
    std::vector<Tensor> outputs, seeds, inputs;
    for (std::size_t i = 0; i < grads.size(); ++i)
      if (grads[i].defined()) outputs.push_back(values[i]), seeds.push_back(grads[i]);
    for (const Edge& edge : node.edges)
      if (edge.meta) inputs.push_back(edge.input);
    std::vector<Tensor> found = grad(outputs, inputs, seeds, {.create_graph = true, .allow_unused = true});
    Gradients results(node.edges.size());
    std::size_t next = 0;
    for (std::size_t i = 0; i < node.edges.size(); ++i)
      if (node.edges[i].meta) results[i] = std::move(found[next++]);
    return results;
  }

  static void check_gradient(const Node& node, const Edge& edge, const Tensor& gradient, std::size_t i) {
    if (gradient.dtype() != edge.dtype)
      fail<GraphError>(node.op, "the backward rule gave a {} gradient for input {}, which is {}", name(gradient.dtype()), i, name(edge.dtype));
    if (gradient.shape() != edge.shape && !broadcasts_to(edge.shape, gradient.shape()))
      fail<GraphError>(node.op, "the backward rule gave a gradient {} for input {} {}", gradient.shape().str(), i, edge.shape.str());
    if (!detail::anomaly_enabled()) return;
    if (const std::int64_t index = raw::find_nonfinite(gradient); index >= 0)
      fail<NumericError>(node.op, "the backward made a NaN or an infinity: element {} (row-major) of the gradient of input {} {}", index, i, gradient.shape().str());
  }

  static Tensor fit(Tensor gradient, const Shape& shape) { return gradient.shape() == shape ? gradient : sum_to(gradient, shape); }

  void accumulate(const std::shared_ptr<GradMeta>& meta, Tensor gradient) {
    if (meta->node) {
      auto& outputs = outputs_[meta->node.get()];
      if (std::find(outputs.begin(), outputs.end(), meta) == outputs.end()) outputs.push_back(meta);
    }
    const auto [place, is_first] = pending_.try_emplace(meta.get());
    if (is_first) place->second = std::move(gradient);
    else if (!options_.create_graph && place->second.is_unique() && place->second.is_contiguous()) raw::add_scaled(place->second, gradient);
    else place->second = add(place->second, gradient);
  }

  Tensor take(const GradMeta* meta) {
    const auto found = pending_.find(meta);
    if (found == pending_.end()) return Tensor();
    Tensor gradient = std::move(found->second);
    pending_.erase(found);
    return gradient;
  }

  static Tensor finish(const GradMeta& meta, Tensor gradient) {
    if (!gradient.defined()) return gradient;
    for (std::size_t i = 0; i < meta.hooks.size(); ++i) {
      Tensor replaced = meta.hooks[i](gradient);
      if (!replaced.defined()) continue;
      if (replaced.shape() != gradient.shape() || replaced.dtype() != gradient.dtype())
        fail<GraphError>("hook", "a hook turned a gradient {} into {}; it must keep shape and dtype", gradient.shape().str(), replaced.shape().str());
      gradient = std::move(replaced);
    }
    return gradient;
  }

  void add_to_grad(GradMeta& meta, Tensor gradient) {
    if (options_.create_graph) meta.grad = meta.grad.defined() ? add(meta.grad, gradient) : gradient;
    else if (!meta.grad.defined()) meta.grad = gradient.is_unique() && gradient.is_contiguous() ? std::move(gradient) : raw::clone(gradient);
    else if (meta.grad.is_unique() && !meta.grad.requires_grad()) raw::add_scaled(meta.grad, gradient);
    else meta.grad = add(meta.grad, gradient).detach();
  }

  GradOptions options_;
  std::vector<std::shared_ptr<GradMeta>> roots_;
  std::vector<Tensor> seeds_;
  std::vector<std::shared_ptr<Node>> nodes_;
  std::vector<std::shared_ptr<GradMeta>> leaves_;
  std::unordered_map<const GradMeta*, Tensor> pending_;
  std::unordered_map<const Node*, std::vector<std::shared_ptr<GradMeta>>> outputs_;
};

}  // namespace

void backward(const std::vector<Tensor>& outputs, const std::vector<Tensor>& gradients, GradOptions options) {
  Engine(outputs, gradients, options).accumulate_into_leaves();
}

std::vector<Tensor> grad(const std::vector<Tensor>& outputs, const std::vector<Tensor>& inputs, const std::vector<Tensor>& gradients, GradOptions options) {
  return Engine(outputs, gradients, options).gradients_of(inputs);
}

Tensor jacobian(const std::function<Tensor(const Tensor&)>& function, const Tensor& x, bool create_graph) {
  const Tensor input = create_graph && x.requires_grad() ? x : x.detach().set_requires_grad();
  const Tensor output = function(input);
  Shape shape = output.shape();
  for (const std::int64_t size : input.shape()) shape.push_back(size);
  std::vector<Tensor> rows;
  for (std::int64_t i = 0; i < output.numel(); ++i) {
    const Tensor seed = Tensor::zeros(output.shape(), output.dtype());
    raw::reshape(seed, {-1}).as_strided({1}, {1}, i).fill(1);
    Tensor row = output.requires_grad() ? grad({output}, {input}, {seed}, {.retain_graph = true, .create_graph = create_graph, .allow_unused = true})[0] : Tensor();
    rows.push_back(row.defined() ? row : Tensor::zeros(input.shape(), input.dtype()));
  }
  if (rows.empty()) return Tensor::zeros(shape, input.dtype());
  return reshape(stack(rows, 0), shape);
}

}  // namespace weft
