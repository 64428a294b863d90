#include "train/bench/gemm_floor.h"

#include <sys/mman.h>

#include <algorithm>
#include <limits>
#include <new>

#include "core/error.h"
#include "core/parallel.h"
#include "train/bench/timing.h"

namespace weft::bench {
namespace {

using blas::Op;

constexpr std::int64_t kBlock = 64;
constexpr std::int64_t kTasksPerThread = 4;
constexpr int kTries = 4;
constexpr double kTaskFlops = 2e6;

constexpr std::align_val_t kHugePage{std::size_t{2} << 20};

bool is_attention(const Product& p) {
  return p.role == ProductRole::attention || p.role == ProductRole::attention_gradient;
}

std::int64_t score_floats(std::int64_t queries, std::int64_t keys) {
  return std::min(kBlock, std::max(queries, keys)) * std::max(queries, keys);
}

/// Running sums are no work for a product of matrices.
bool has_scores(const Product& p) { return p.op == "scaled_dot_product_attention"; }

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

GemmFloor::GemmFloor(const std::vector<Product>& products) {
  make_calls(products);
  make_buffers();
  choose_tiles();
}

bool GemmFloor::of_any(const std::vector<Product>& products) {
  return std::any_of(products.begin(), products.end(),
                     [](const Product& p) { return !is_attention(p) || has_scores(p); });
}

void GemmFloor::make_calls(const std::vector<Product>& products) {
  for (std::size_t i = 0; i < products.size(); ++i) {
    const Product& product = products[i];
    if (is_attention(product) && !has_scores(product)) continue;
    calls_.push_back({product});
    gflop_ += 1e-9 * product.flops() * product.seen;
    if (!is_attention(product)) continue;
    for (int more = product.role == ProductRole::attention ? 1 : 3; more > 0; --more) {
      if (++i == products.size() || products[i].role != product.role)
        fail<Error>("bench", "the products of an attention do not belong together");
      gflop_ += 1e-9 * products[i].flops() * products[i].seen;
    }
  }
}

GemmFloor::Heads GemmFloor::heads_of(const Call& call) {
  const Product& p = call.product;
  return {p.count, p.m, p.n, p.k, p.seen < 1};
}

/// That attention is dealt to; each has scores of its own.
std::int64_t GemmFloor::tasks_of(const Heads& heads) const {
  return std::min<std::int64_t>(
      heads.count * chunk_count(std::max(heads.queries, heads.keys), kBlock),
      kTasksPerThread * num_threads());
}

void GemmFloor::make_buffers() {
  std::int64_t a = 0, b = 0, c = 0, scores = 0;
  for (const Call& call : calls_) {
    const Product& p = call.product;
    if (is_attention(p)) {
      const Heads heads = heads_of(call);
      const std::int64_t rows = heads.count * std::max(heads.queries, heads.keys) * heads.size;
      a = std::max(a, rows), b = std::max(b, rows), c = std::max(c, rows);
      scores = std::max(scores, 2 * tasks_of(heads) * score_floats(heads.queries, heads.keys));
    } else {
      a = std::max(a, p.count * p.m * p.k);
      b = std::max(b, p.count * p.k * p.n);
      c = std::max(c, p.count * p.m * p.n);
    }
  }
  a_ = std::make_unique<FloatBuffer>(a);
  b_ = std::make_unique<FloatBuffer>(b);
  c_ = std::make_unique<FloatBuffer>(c);
  scores_ = std::make_unique<FloatBuffer>(scores);
}

void GemmFloor::choose_tiles() {
  std::vector<Call> chosen;
  for (Call& call : calls_) {
    if (is_attention(call.product) || call.product.count > 1) continue;
    const auto same = std::find_if(chosen.begin(), chosen.end(), [&](const Call& c) {
      return c.product.role == call.product.role && c.product.m == call.product.m &&
             c.product.n == call.product.n && c.product.k == call.product.k;
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
  const std::int64_t m = call.product.m, n = call.product.n, k = call.product.k;
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
    if (is_attention(call.product))
      attention(call);
    else if (call.product.count > 1)
      batched(call);
    else
      linear(call);
  }
  return seconds_since(begin);
}

/// One small product after the other, as many at once as there are threads.
void GemmFloor::batched(const Call& call) const {
  const Product& p = call.product;
  const float *a = a_->data(), *b = b_->data();
  float* const c = c_->data();
  const double flops = p.flops() / static_cast<double>(p.count);
  const auto grain = static_cast<std::int64_t>(std::max(1.0, kTaskFlops / flops));
  parallel_for(p.count, grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i)
      blas::gemm(Op::none, Op::none, p.m, p.n, p.k, 1.0f, a + i * p.m * p.k, p.k, b + i * p.k * p.n,
                 p.n, 0.0f, c + i * p.m * p.n, p.n);
  });
}

void GemmFloor::linear(const Call& call) const {
  const std::int64_t m = call.product.m, n = call.product.n, k = call.product.k;
  const Op op_a = call.product.role == ProductRole::weight_gradient ? Op::transpose : Op::none,
           op_b = call.product.role == ProductRole::forward ? Op::transpose : Op::none;
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

GemmFloor::Block GemmFloor::block(const Heads& heads, std::int64_t index) {
  const std::int64_t begin = index * kBlock,
                     end = std::min(begin + kBlock, std::max(heads.queries, heads.keys));
  return heads.causal ? Block{begin, end, end, begin} : Block{begin, end, heads.keys, 0};
}

void GemmFloor::attention(const Call& call) const {
  const Heads heads = heads_of(call);
  const bool backward = call.product.role == ProductRole::attention_gradient;
  const std::int64_t blocks = chunk_count(std::max(heads.queries, heads.keys), kBlock),
                     items = heads.count * blocks, tasks = tasks_of(heads);
  parallel_for(tasks, 1, [&](std::int64_t first, std::int64_t last) {
    // Dealt in turn, and from another block on in each head, so that every task gets long and short
    // ones.
    for (std::int64_t task = first; task < last; ++task)
      for (std::int64_t item = task; item < items; item += tasks) {
        const std::int64_t head = item / blocks;
        attention_block(heads, block(heads, (item + head) % blocks), head, backward,
                        scores_->data() + 2 * task * score_floats(heads.queries, heads.keys));
      }
  });
}

void GemmFloor::attention_block(const Heads& heads, const Block& block, std::int64_t head,
                                bool backward, float* scores) const {
  const std::int64_t d = heads.size, first = head * std::max(heads.queries, heads.keys) * d;
  // Of the block's queries, and of its keys: where there are fewer of one, its last blocks have
  // none.
  const std::int64_t n = std::min(block.end, heads.queries) - block.begin,
                     own_keys = std::min(block.end, heads.keys) - block.begin;
  const std::int64_t keys = block.keys_end, queries = heads.queries - block.queries_begin;
  const float* const rows = a_->data() + first + block.begin * d;  // q or do of the block
  const float* const met = b_->data() + first;  // k or v of the keys that it meets
  const float* const meeting =
      b_->data() + first + block.queries_begin * d;  // q or do of the queries that meet it
  float* const out = c_->data() + first + block.begin * d;
  float* const gradients = scores + score_floats(heads.queries, heads.keys);
  if (n > 0) {
    blas::gemm(Op::none, Op::transpose, n, keys, d, 1.0f, rows, d, met, d, 0.0f,
               backward ? gradients : scores, keys);
    blas::gemm(Op::none, Op::none, n, d, keys, 1.0f, backward ? gradients : scores, keys, met, d,
               0.0f, out, d);
  }
  if (!backward || own_keys <= 0) return;
  for (const float* const weights : {scores, gradients})
    blas::gemm(Op::transpose, Op::none, own_keys, d, queries, 1.0f, weights, own_keys, meeting, d,
               0.0f, out, d);
}

}  // namespace weft::bench
