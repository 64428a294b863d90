#include "train/bench/gemm_floor.h"

#include <sys/mman.h>

#include <algorithm>
#include <limits>
#include <new>

#include "core/parallel.h"
#include "train/bench/timing.h"

namespace weft::bench {
namespace {

using blas::Op;

constexpr std::int64_t kBlock = 64;
constexpr std::int64_t kTasksPerThread = 4;
constexpr int kTries = 4;

constexpr std::align_val_t kHugePage{std::size_t{2} << 20};

std::int64_t count_patches(const Plan& plan) {
  return (plan["image"] / plan["patch"]) * (plan["image"] / plan["patch"]);
}

}  // namespace

FloatBuffer::FloatBuffer(std::int64_t size) {
  const std::size_t bytes =
      static_cast<std::size_t>(std::max<std::int64_t>(size, 1)) * sizeof(float);
  data_.reset(static_cast<float*>(::operator new(bytes, kHugePage)));
#ifdef MADV_HUGEPAGE
  ::madvise(data_.get(), bytes, MADV_HUGEPAGE);
#endif
  for (std::int64_t i = 0; i < size; ++i)
    data_.get()[i] = static_cast<float>(i * 7 % 13 - 6) * 0.05f;
}

void FloatBuffer::Free::operator()(float* data) const { ::operator delete(data, kHugePage); }

GemmFloor::GemmFloor(const Plan& plan)
    : heads_(plan["batch"] * plan["heads"]),
      head_size_(plan["width"] / plan["heads"]),
      tokens_(plan.is("vit") ? count_patches(plan) + 1 : plan["context"]),
      causal_(!plan.is("vit")),
      tasks_(std::min(heads_ * chunk_count(tokens_, kBlock), kTasksPerThread * num_threads())),
      score_floats_(std::min(kBlock, tokens_) * tokens_) {
  make_calls(plan);
  count_flop();
  make_buffers();
  choose_tiles();
}

void GemmFloor::make_calls(const Plan& plan) {
  const bool vit = plan.is("vit"),
             softmax = plan.attention == "softmax" || plan.attention == "plain";
  const std::int64_t rows = plan["batch"] * tokens_, width = plan["width"];
  const Call patch{Kind::forward, vit ? plan["batch"] * count_patches(plan) : 0,
                   plan["channels"] * plan["patch"] * plan["patch"], width};
  const Call head{Kind::forward, vit ? plan["batch"] : rows, width,
                  vit ? plan["classes"] : plan["vocab"]};
  const Call qkv{Kind::forward, rows, width, 3 * width}, proj{Kind::forward, rows, width, width};
  const Call up{Kind::forward, rows, width, 4 * width}, down{Kind::forward, rows, 4 * width, width};
  const auto backward = [&](Call call) {
    call.kind = Kind::input_gradient;
    calls_.push_back(call);
    call.kind = Kind::weight_gradient;
    calls_.push_back(call);
  };
  if (vit) calls_.push_back(patch);
  for (std::int64_t i = 0; i < plan["layers"]; ++i) {
    calls_.push_back(qkv);
    if (softmax) calls_.push_back({Kind::attention_forward});
    calls_.insert(calls_.end(), {proj, up, down});
  }
  calls_.push_back(head);
  backward(head);
  for (std::int64_t i = 0; i < plan["layers"]; ++i) {
    for (const Call& call : {down, up, proj}) backward(call);
    if (softmax) calls_.push_back({Kind::attention_backward});
    backward(qkv);
  }
  if (vit) calls_.push_back({Kind::weight_gradient, patch.rows, patch.in, patch.out});
}

void GemmFloor::count_flop() {
  double pairs = 0;  // of a query and a key, in one head
  for (std::int64_t i = 0; i < chunk_count(tokens_, kBlock); ++i)
    pairs += static_cast<double>((block(i).end - block(i).begin) * block(i).keys_end);
  const double product =
      2e-9 * pairs * static_cast<double>(head_size_) * static_cast<double>(heads_);
  for (const Call& call : calls_) {
    if (call.kind == Kind::attention_forward)
      gflop_ += 2 * product;
    else if (call.kind == Kind::attention_backward)
      gflop_ += 4 * product;
    else
      gflop_ += 2e-9 * static_cast<double>(call.rows) * static_cast<double>(call.in) *
                static_cast<double>(call.out);
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
  a_ = std::make_unique<FloatBuffer>(a);
  b_ = std::make_unique<FloatBuffer>(b);
  c_ = std::make_unique<FloatBuffer>(c);
  scores_ = std::make_unique<FloatBuffer>(2 * tasks_ * score_floats_);
}

void GemmFloor::choose_tiles() {
  std::vector<Call> chosen;
  for (Call& call : calls_) {
    if (call.rows == 0) continue;  // attention
    const auto same = std::find_if(chosen.begin(), chosen.end(), [&](const Call& c) {
      return c.kind == call.kind && c.rows == call.rows && c.in == call.in && c.out == call.out;
    });
    if (same == chosen.end()) {
      call.tile = fastest_tile(call);
      chosen.push_back(call);
    } else {
      call.tile = same->tile;
    }
  }
}

blas::Tiling GemmFloor::fastest_tile(Call call) const {
  const auto [m, n, k] = sides(call);
  std::vector<blas::Tiling> ways{blas::choose_tiles(m, n, k)};
  for (const std::int64_t parts :
       {num_threads(), 2 * num_threads(), 4 * num_threads(), 16 * num_threads()}) {
    ways.push_back({chunk_count(m, parts), n});
    ways.push_back({m, chunk_count(n, parts)});
  }
  blas::Tiling best{};
  double least = std::numeric_limits<double>::infinity();
  for (int round = 0; round < kTries; ++round)
    for (const blas::Tiling& way : ways) {
      call.tile = way;
      const auto begin = Clock::now();
      linear(call);
      if (const double seconds = seconds_since(begin); seconds < least) least = seconds, best = way;
    }
  return best;
}

double GemmFloor::run() const {
  const auto begin = Clock::now();
  for (const Call& call : calls_) {
    if (call.kind == Kind::attention_forward)
      attention(false);
    else if (call.kind == Kind::attention_backward)
      attention(true);
    else
      linear(call);
  }
  return seconds_since(begin);
}

GemmFloor::Sides GemmFloor::sides(const Call& call) {
  if (call.kind == Kind::forward) return {call.rows, call.out, call.in};
  if (call.kind == Kind::input_gradient) return {call.rows, call.in, call.out};
  return {call.out, call.in, call.rows};
}

void GemmFloor::linear(const Call& call) const {
  const auto [rows_of_c, columns_of_c, depth] = sides(call);
  const std::int64_t m = rows_of_c, n = columns_of_c,
                     k = depth;  // clang 14 lets no lambda see the names above
  const Op op_a = call.kind == Kind::weight_gradient ? Op::transpose : Op::none,
           op_b = call.kind == Kind::forward ? Op::transpose : Op::none;
  const std::int64_t lda = op_a == Op::none ? k : m, ldb = op_b == Op::none ? n : k,
                     across = chunk_count(n, call.tile.columns);
  const float *a = a_->data(), *b = b_->data();
  float* const c = c_->data();
  parallel_for(chunk_count(m, call.tile.rows) * across, 1,
               [&](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t i = begin; i < end; ++i) {
                   const std::int64_t row = i / across * call.tile.rows,
                                      column = i % across * call.tile.columns;
                   blas::gemm(op_a, op_b, std::min(call.tile.rows, m - row),
                              std::min(call.tile.columns, n - column), k, 1.0f,
                              a + (op_a == Op::none ? row * lda : row), lda,
                              b + (op_b == Op::none ? column : column * ldb), ldb, 0.0f,
                              c + row * n + column, n);
                 }
               });
}

GemmFloor::Block GemmFloor::block(std::int64_t index) const {
  const std::int64_t begin = index * kBlock, end = std::min(begin + kBlock, tokens_);
  return causal_ ? Block{begin, end, end, begin} : Block{begin, end, tokens_, 0};
}

void GemmFloor::attention(bool backward) const {
  const std::int64_t blocks = chunk_count(tokens_, kBlock), items = heads_ * blocks;
  parallel_for(tasks_, 1, [&](std::int64_t first, std::int64_t last) {
    // Dealt in turn, and from another block on in each head, so that every task gets long and short
    // ones.
    for (std::int64_t task = first; task < last; ++task)
      for (std::int64_t item = task; item < items; item += tasks_) {
        const std::int64_t head = item / blocks;
        attention_block(block((item + head) % blocks), head, backward,
                        scores_->data() + 2 * task * score_floats_);
      }
  });
}

void GemmFloor::attention_block(const Block& block, std::int64_t head, bool backward,
                                float* scores) const {
  const std::int64_t d = head_size_, first = head * tokens_ * d, n = block.end - block.begin;
  const std::int64_t keys = block.keys_end, queries = tokens_ - block.queries_begin;
  const float* const rows = a_->data() + first + block.begin * d;  // q or do of the block
  const float* const met = b_->data() + first;  // k or v of the keys that it meets
  const float* const meeting =
      b_->data() + first + block.queries_begin * d;  // q or do of the queries that meet it
  float* const out = c_->data() + first + block.begin * d;
  float* const gradients = scores + score_floats_;
  if (backward) {
    blas::gemm(Op::none, Op::transpose, n, keys, d, 1.0f, rows, d, met, d, 0.0f, gradients, keys);
    blas::gemm(Op::none, Op::none, n, d, keys, 1.0f, gradients, keys, met, d, 0.0f, out, d);
    blas::gemm(Op::transpose, Op::none, n, d, queries, 1.0f, scores, n, meeting, d, 0.0f, out, d);
    blas::gemm(Op::transpose, Op::none, n, d, queries, 1.0f, gradients, n, meeting, d, 0.0f, out,
               d);
  } else {
    blas::gemm(Op::none, Op::transpose, n, keys, d, 1.0f, rows, d, met, d, 0.0f, scores, keys);
    blas::gemm(Op::none, Op::none, n, d, keys, 1.0f, scores, keys, met, d, 0.0f, out, d);
  }
}

}  // namespace weft::bench
