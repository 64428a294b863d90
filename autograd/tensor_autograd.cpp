// The part of Tensor that needs to know what GradMeta is, and the graph's iterative release.
#include <utility>
#include <vector>

#include "autograd/autograd.h"

namespace weft {

namespace {

/// Destroying a node destroys its inputs' metas, whose nodes are destroyed in turn: a graph 100,000
/// deep would overflow the stack. Each meta therefore hands its node to this list, and only the
/// outermost call empties it.
void release(std::shared_ptr<Node> node) {
  thread_local std::vector<std::shared_ptr<Node>>* pending = nullptr;
  if (node.use_count() > 1) return;
  if (pending) return pending->push_back(std::move(node));
  std::vector<std::shared_ptr<Node>> nodes;
  pending = &nodes;
  nodes.push_back(std::move(node));
  while (!nodes.empty()) {
    const std::shared_ptr<Node> last = std::move(nodes.back());
    nodes.pop_back();
  }
  pending = nullptr;
}

GradMeta& meta_of(const Tensor& t) {
  if (!t.grad_meta()) t.set_grad_meta(std::make_shared<GradMeta>());
  return *t.grad_meta();
}

}  // namespace

GradMeta::~GradMeta() {
  if (node) release(std::move(node));
}

bool Tensor::requires_grad() const { return grad_meta() && grad_meta()->requires_grad; }

const Tensor& Tensor::set_requires_grad(bool value) const {
  if (value && !is_float(dtype()))
    fail<DTypeError>("set_requires_grad", "only f32 and f64 have gradients, not {}", name(dtype()));
  if (grad_meta() && grad_meta()->node)
    fail<GraphError>("set_requires_grad", "the result of op `{}` is not a leaf; use detach() first",
                     grad_meta()->node->op);
  meta_of(*this).requires_grad = value;
  return *this;
}

Tensor Tensor::grad() const { return grad_meta() ? grad_meta()->grad : Tensor(); }

void Tensor::set_grad(Tensor grad) const {
  if (!grad.defined() && !grad_meta()) return;
  if (grad.defined() && (grad.shape() != shape() || grad.dtype() != dtype()))
    fail<ShapeError>("set_grad", "gradient {} {} for a tensor {} {}", grad.shape().str(),
                     name(grad.dtype()), shape().str(), name(dtype()));
  meta_of(*this).grad = std::move(grad);
}

void Tensor::backward(const Tensor& gradient, bool retain_graph, bool create_graph) const {
  weft::backward({*this}, {gradient}, {.retain_graph = retain_graph, .create_graph = create_graph});
}

Tensor Tensor::detach() const { return as_strided(shape(), strides(), 0); }

void Tensor::register_hook(GradHook hook) const {
  if (!requires_grad())
    fail<GraphError>("register_hook",
                     "this tensor has no gradient; call set_requires_grad() first");
  grad_meta()->hooks.push_back(std::move(hook));
}

void Tensor::retain_grad() const {
  if (!requires_grad())
    fail<GraphError>("retain_grad", "this tensor has no gradient; call set_requires_grad() first");
  grad_meta()->retain_grad = true;
}

}  // namespace weft
