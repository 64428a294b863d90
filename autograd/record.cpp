#include <atomic>
#include <utility>

#include "autograd/autograd.h"
#include "autograd/engine_state.h"
#include "autograd/op_observer.h"
#include "core/precision.h"

namespace weft {
namespace {

thread_local bool grad_mode = true;
thread_local bool anomaly_mode = false;
thread_local Node* running_node = nullptr;
thread_local OpObserver* op_observer = nullptr;

std::uint64_t next_sequence() {
  static std::atomic<std::uint64_t> counter{0};
  return ++counter;
}

bool any_wants_grad(const std::vector<Tensor>& inputs) {
  for (const Tensor& input : inputs)
    if (wants_grad(input)) return true;
  return false;
}

void check_anomaly(const char* op, const Tensor& output) {
  if (!anomaly_mode) return;
  const std::int64_t index = raw::find_nonfinite(output);
  if (index < 0) return;
  fail<NumericError>(
      op, "the forward pass produced a NaN or an infinity: element {} (row-major) of an output {}",
      index, output.shape().str());
}

void save(const Tensor& t, std::vector<SavedVersion>& to) {
  if (t.defined()) to.push_back({t.storage(), t.version(), t.shape(), t.dtype()});
}

[[noreturn]] void fail_changed(const char* op, const Shape& shape, DType dtype, std::uint64_t then,
                               std::uint64_t now) {
  fail<GraphError>(op,
                   "a tensor {} {} that the op saved for its backward was changed in place since: "
                   "version {} now, {} then; run backward() before "
                   "the change (an optimizer's step() is one), run the forward again after it, or "
                   "give the op a copy",
                   name(dtype), shape.str(), now, then);
}

std::vector<Tensor> record_node(const char* op, std::vector<Tensor> outputs,
                                const std::vector<Tensor>& inputs, MultiBackwardRule rule,
                                Definition definition, bool differentiable_rule, Saved saved,
                                Saved defined_by) {
  for (const Tensor& output : outputs) check_anomaly(op, output);
  if (!any_wants_grad(inputs)) return outputs;
  auto node = std::make_shared<Node>();
  node->op = op;
  node->sequence = next_sequence();
  node->rule = std::move(rule);
  node->differentiable_rule = differentiable_rule;
  node->edges.reserve(inputs.size());
  for (const Tensor& input : inputs) {
    Edge edge;
    if (wants_grad(input)) edge.meta = input.grad_meta();
    if (input.defined()) edge.shape = input.shape(), edge.dtype = input.dtype();
    node->edges.push_back(std::move(edge));
  }
  node->saved.reserve(saved.size());
  for (const Tensor* t : saved)
    if (t) save(*t, node->saved);
  if (definition) {
    node->defined_by.reserve(inputs.size() + defined_by.size());
    for (const Tensor& input : inputs) save(input, node->defined_by);
    for (const Tensor* t : defined_by)
      if (t) save(*t, node->defined_by);
  }
  node->definition = std::move(definition);
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    node->outputs.emplace_back();
    if (!is_float(outputs[i].dtype())) continue;
    if (outputs[i].grad_meta())
      fail<GraphError>(op, "output {} is already part of a graph; an op must return fresh tensors",
                       i);
    auto meta = std::make_shared<GradMeta>();
    meta->requires_grad = true;
    meta->output_index = static_cast<int>(i);
    meta->node = node;
    node->outputs.back() = meta;
    outputs[i].set_grad_meta(std::move(meta));
  }
  return outputs;
}

MultiBackwardRule as_multi(BackwardRule rule) {
  return [rule = std::move(rule)](const std::vector<Tensor>& grads) { return rule(grads[0]); };
}

}  // namespace

OpObserver::OpObserver(Ended ended)
    : ended_(std::move(ended)), before_(std::exchange(op_observer, this)) {}
OpObserver::~OpObserver() { op_observer = before_; }
void op_ended(const char* op, bool backward) {
  if (op_observer && (backward || !running_node)) op_observer->ended_(op, backward);
}

bool grad_enabled() { return grad_mode; }

bool wants_grad(const Tensor& t) {
  return grad_mode && t.defined() && t.grad_meta() && t.grad_meta()->requires_grad;
}

NoGrad::NoGrad() : before_(std::exchange(grad_mode, false)) {}
NoGrad::~NoGrad() { grad_mode = before_; }
AnomalyMode::AnomalyMode(bool enabled) : before_(std::exchange(anomaly_mode, enabled)) {}
AnomalyMode::~AnomalyMode() { anomaly_mode = before_; }

namespace detail {
bool anomaly_enabled() { return anomaly_mode; }
void check_saved(const char* op, const std::vector<SavedVersion>& saved) {
  for (const SavedVersion& t : saved)
    if (t.storage->version() != t.version)
      fail_changed(op, t.shape, t.dtype, t.version, t.storage->version());
}
GradModeGuard::GradModeGuard(bool enabled) : before_(std::exchange(grad_mode, enabled)) {}
GradModeGuard::~GradModeGuard() { grad_mode = before_; }
RunningNode::RunningNode(Node* node) : before_(std::exchange(running_node, node)) {}
RunningNode::~RunningNode() { running_node = before_; }
}  // namespace detail

SavedOperand::SavedOperand(const Tensor& operand)
    : value_(precision() == Precision::bf16 && operand.dtype() == DType::f32
                 ? raw::bf16_copy(operand)
                 : operand.detach()) {}

Tensor SavedOutput::get() const {
  if (value_.version() != version_)
    fail_changed(running_node ? running_node->op : "autograd", value_.shape(), value_.dtype(),
                 version_, value_.version());
  if (!grad_mode) return value_;
  if (!running_node) fail<GraphError>("autograd", "SavedOutput::get() outside a backward rule");
  auto& output = running_node->outputs.at(static_cast<std::size_t>(index_));
  std::shared_ptr<GradMeta> meta = output.lock();
  if (!meta) {
    meta = std::make_shared<GradMeta>();
    meta->requires_grad = true;
    meta->output_index = index_;
    meta->node = running_node->shared_from_this();
    output = meta;
  }
  Tensor attached = value_.detach();
  attached.set_grad_meta(std::move(meta));
  return attached;
}

Tensor record(const char* op, Tensor output, std::vector<Tensor> inputs, BackwardRule rule,
              Saved saved) {
  op_ended(op, false);
  if (!any_wants_grad(inputs)) {
    check_anomaly(op, output);
    return output;
  }
  return record_node(op, {std::move(output)}, inputs, as_multi(std::move(rule)), nullptr, true,
                     saved, {})[0];
}

Tensor record_fused(const char* op, Tensor output, std::vector<Tensor> inputs, BackwardRule rule,
                    std::function<Tensor()> definition, Saved saved, Saved defined_by) {
  op_ended(op, false);
  if (!any_wants_grad(inputs)) {
    check_anomaly(op, output);
    return output;
  }
  Definition as_list;
  if (definition)
    as_list = [definition = std::move(definition)] { return std::vector<Tensor>{definition()}; };
  return record_node(op, {std::move(output)}, inputs, as_multi(std::move(rule)), std::move(as_list),
                     false, saved, defined_by)[0];
}

std::vector<Tensor> record_multi(const char* op, std::vector<Tensor> outputs,
                                 std::vector<Tensor> inputs, MultiBackwardRule rule,
                                 Definition definition) {
  op_ended(op, false);
  const bool differentiable_rule = !definition;
  return record_node(op, std::move(outputs), inputs, std::move(rule), std::move(definition),
                     differentiable_rule, {}, {});
}

}  // namespace weft
