#include "train/bench/gemm_floor.h"

#include <algorithm>
#include <chrono>

#include "core/blas.h"
#include "core/parallel.h"

namespace weft::bench {
namespace {

using blas::Op;

constexpr std::int64_t kBlock = 64;
constexpr std::int64_t kTasksPerThread = 4;

/// Small values, whose products neither overflow nor come near the denormals.
Tensor operand(std::int64_t size) {
  const Tensor values = Tensor::empty({size});
  float* const out = values.data<float>();
  for (std::int64_t i = 0; i < size; ++i) out[i] = static_cast<float>(i * 7 % 13 - 6) * 0.05f;
  return values;
}

}  // namespace

GemmFloor::GemmFloor(const Plan& plan)
    : heads_(plan.batch * plan.heads),
      head_size_(plan.width / plan.heads),
      tokens_(plan.tokens()),
      causal_(!plan.vit),
      tasks_(std::min(heads_ * chunk_count(tokens_, kBlock), kTasksPerThread * num_threads())),
      score_floats_(std::min(kBlock, tokens_) * tokens_) {
  make_calls(plan);
  count_flop();
  make_buffers();
}

void GemmFloor::make_calls(const Plan& plan) {
  const std::int64_t rows = plan.batch * tokens_, width = plan.width;
  const Call patch{Kind::forward, plan.batch * plan.patches(), plan.channels * plan.patch * plan.patch, width};
  const Call head{Kind::forward, plan.vit ? plan.batch : rows, width, plan.vit ? plan.classes : plan.vocab};
  const Call qkv{Kind::forward, rows, width, 3 * width}, proj{Kind::forward, rows, width, width};
  const Call up{Kind::forward, rows, width, 4 * width}, down{Kind::forward, rows, 4 * width, width};
  const auto backward = [&](Call call) {
    call.kind = Kind::input_gradient;
    calls_.push_back(call);
    call.kind = Kind::weight_gradient;
    calls_.push_back(call);
  };
  if (plan.vit) calls_.push_back(patch);
  for (std::int64_t i = 0; i < plan.layers; ++i) calls_.insert(calls_.end(), {qkv, {Kind::attention_forward}, proj, up, down});
  calls_.push_back(head);
  backward(head);
  for (std::int64_t i = 0; i < plan.layers; ++i) {
    for (const Call& call : {down, up, proj}) backward(call);
    calls_.push_back({Kind::attention_backward});
    backward(qkv);
  }
  if (plan.vit) calls_.push_back({Kind::weight_gradient, patch.rows, patch.in, patch.out});
}

void GemmFloor::count_flop() {
  double pairs = 0;  // of a query and a key, in one head
  for (std::int64_t i = 0; i < chunk_count(tokens_, kBlock); ++i) pairs += static_cast<double>((block(i).end - block(i).begin) * block(i).keys_end);
  const double product = 2e-9 * pairs * static_cast<double>(head_size_) * static_cast<double>(heads_);
  for (const Call& call : calls_) {
    if (call.kind == Kind::attention_forward) gflop_ += 2 * product;
    else if (call.kind == Kind::attention_backward) gflop_ += 4 * product;
    else gflop_ += 2e-9 * static_cast<double>(call.rows) * static_cast<double>(call.in) * static_cast<double>(call.out);
  }
}

void GemmFloor::make_buffers() {
  std::int64_t a = heads_ * tokens_ * head_size_, b = a, c = a;
  for (const Call& call : calls_) {
    // Whichever way round, two of the three matrices have these sizes.
    const std::int64_t x = call.rows * call.in, y = call.rows * call.out, w = call.in * call.out;
    a = std::max({a, x, y});
    b = std::max({b, w, x});
    c = std::max({c, y, x, w});
  }
  a_ = operand(a);
  b_ = operand(b);
  c_ = operand(c);
  scores_ = operand(2 * tasks_ * score_floats_);
}

double GemmFloor::run() {
  const auto begin = std::chrono::steady_clock::now();
  for (const Call& call : calls_) {
    if (call.kind == Kind::attention_forward) attention(false);
    else if (call.kind == Kind::attention_backward) attention(true);
    else linear(call);
  }
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

void GemmFloor::linear(const Call& call) {
  const std::int64_t rows = call.rows, in = call.in, out = call.out;
  const float *a = a_.data<float>(), *b = b_.data<float>();
  float* const c = c_.data<float>();
  if (call.kind == Kind::forward) blas::parallel_gemm(Op::none, Op::transpose, rows, out, in, 1.0f, a, in, b, in, 0.0f, c, out);
  else if (call.kind == Kind::input_gradient) blas::parallel_gemm(Op::none, Op::none, rows, in, out, 1.0f, a, out, b, in, 0.0f, c, in);
  else blas::parallel_gemm(Op::transpose, Op::none, out, in, rows, 1.0f, a, out, b, in, 0.0f, c, in);
}

GemmFloor::Block GemmFloor::block(std::int64_t index) const {
  const std::int64_t begin = index * kBlock, end = std::min(begin + kBlock, tokens_);
  return causal_ ? Block{begin, end, end, begin} : Block{begin, end, tokens_, 0};
}

void GemmFloor::attention(bool backward) {
  const std::int64_t blocks = chunk_count(tokens_, kBlock), items = heads_ * blocks;
  parallel_for(tasks_, 1, [&](std::int64_t first, std::int64_t last) {
    // Dealt in turn, so that every task gets long and short blocks.
    for (std::int64_t task = first; task < last; ++task)
      for (std::int64_t item = task; item < items; item += tasks_)
        attention_block(block(item % blocks), item / blocks, backward, scores_.data<float>() + 2 * task * score_floats_);
  });
}

void GemmFloor::attention_block(const Block& block, std::int64_t head, bool backward, float* scores) {
  const std::int64_t d = head_size_, first = head * tokens_ * d, n = block.end - block.begin;
  const std::int64_t keys = block.keys_end, queries = tokens_ - block.queries_begin;
  const float *rows = a_.data<float>() + first + block.begin * d;        // q or do of the block
  const float *met = b_.data<float>() + first;                           // k or v of the keys that it meets
  const float *meeting = b_.data<float>() + first + block.queries_begin * d;  // q or do of the queries that meet it
  float* const out = c_.data<float>() + first + block.begin * d;
  float* const gradients = scores + score_floats_;
  if (backward) {
    blas::gemm(Op::none, Op::transpose, n, keys, d, 1.0f, rows, d, met, d, 0.0f, gradients, keys);
    blas::gemm(Op::none, Op::none, n, d, keys, 1.0f, gradients, keys, met, d, 0.0f, out, d);
    blas::gemm(Op::transpose, Op::none, n, d, queries, 1.0f, scores, n, meeting, d, 0.0f, out, d);
    blas::gemm(Op::transpose, Op::none, n, d, queries, 1.0f, gradients, n, meeting, d, 0.0f, out, d);
  } else {
    blas::gemm(Op::none, Op::transpose, n, keys, d, 1.0f, rows, d, met, d, 0.0f, scores, keys);
    blas::gemm(Op::none, Op::none, n, d, keys, 1.0f, scores, keys, met, d, 0.0f, out, d);
  }
}

}  // namespace weft::bench
