// FlashAttention's algorithms 1 (forward) and 4 (backward), cut by shape alone. Forward, a task
// owns one block of queries. Backward, every element of dq, dk and dv has one owner that adds to it
// in a fixed order, so no atomics and the same bits.
#include "core/kernels/attention.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/kernels/attention_tile.h"
#include "core/kernels/bf16_cells.h"
#include "core/kernels/tile_gemm.h"
#include "core/math.h"
#include "core/parallel.h"
#include "core/precision.h"
#include "core/tensor.h"

namespace weft::kernels {
namespace {

using Index = std::int64_t;

constexpr Index kBlock = 128;  // rows and columns of a tile of scores: with its gradient 128 KiB,
                               // inside L2; a multiple of kTilePadding
constexpr double kChunkFlops = 2.0e6;  // work worth a task
constexpr Index kOwnersEnough =
    8;  // (batch, key head) pairs from which one task an owner keeps every core busy

/// A block of queries or keys: [begin, end).
struct Range {
  Index begin, end;
  Index size() const { return end - begin; }
};

Range block_range(Index block, Index size) {
  return {block * kBlock, std::min(size, (block + 1) * kBlock)};
}
Index block_count(Index size) { return (size + kBlock - 1) / kBlock; }

template <class T>
class Tiles {
 public:
  explicit Tiles(const AttentionArgs<T>& args) : args_(args), group_(args.H / args.Hk) {}

  const AttentionArgs<T>& args() const { return args_; }
  Index kv_head(Index h) const { return h / group_; }
  Index group() const { return group_; }

  /// Keys that query i sees: [0, visible).
  Index visible(Index i) const {
    return args_.causal ? std::clamp<Index>(i + 1 + args_.S - args_.T_, 0, args_.S) : args_.S;
  }
  /// Keys that any query of the block sees.
  Index visible(Range queries) const { return queries.size() > 0 ? visible(queries.end - 1) : 0; }

  /// scores = scale q k^T + bias of one tile, row stride kBlock; columns[r] counts the visible keys
  /// of row r.
  void scores(Index b, Index h, Range queries, Range keys, T* s, Index* columns) const {
    const auto& a = args_;
    for (Index i = queries.begin; i < queries.end; ++i)
      columns[i - queries.begin] = std::clamp<Index>(visible(i) - keys.begin, 0, keys.size());
    tile_gemm(TileGemm<T>{.m = queries.size(),
                          .n = keys.size(),
                          .k = a.D,
                          .alpha = a.scale,
                          .a = a.q.operand(b, h, queries.begin),
                          .a_row = a.q.row,
                          .a_column = 1,
                          .b = a.k.operand(b, kv_head(h), keys.begin),
                          .ldb = a.k.row,
                          .b_transposed = true,
                          .c = s,
                          .ldc = kBlock,
                          .c_has_room = true,
                          .cut = Cut::columns,
                          .visible = columns,
                          .precision = precision()});
    if (!a.key_bias && !a.bias) return;
    for (Index r = 0; r < queries.size(); ++r)
      add_biases(b, h, queries.begin + r, keys.begin, columns[r], s + r * kBlock);
  }

  void add_biases(Index b, Index h, Index i, Index first_key, Index n, T* row) const {
    const auto& a = args_;
    if (a.key_bias) {
      const T* extra = a.key_bias + b * a.S + first_key;
      for (Index j = 0; j < n; ++j) row[j] += extra[j];
    }
    if (!a.bias) return;
    const Index* stride = a.bias_strides;
    const T* extra = a.bias + b * stride[0] + h * stride[1] + i * stride[2] + first_key * stride[3];
    if (stride[3] == 1) {
      for (Index j = 0; j < n; ++j) row[j] += extra[j];
    } else {
      for (Index j = 0; j < n; ++j) row[j] += extra[j * stride[3]];
    }
  }

 private:
  AttentionArgs<T> args_;
  Index group_;
};

template <class T>
void finish_rows(const HeadGrid<T>& out, Index b, Index h, Range queries, Index dv,
                 const T* largest, const T* sum, T* factor, T* lse) {
  for (Index r = 0; r < queries.size(); ++r) {
    factor[r] = sum[r] == T(0) ? T(0) : T(1) / sum[r];
    if (lse)
      lse[r] = sum[r] == T(0) ? std::numeric_limits<T>::infinity()
                              : largest[r] + static_cast<T>(math::log(sum[r]));
  }
  scale_rows(out.at(b, h, queries.begin), out.row, queries.size(), dv, factor);
}

/// One block of queries against all the keys it sees.
template <class T>
void forward_block(const Tiles<T>& tiles, const HeadGrid<T>& out, Index b, Index h, Range queries,
                   T* scratch, T* lse) {
  const auto& a = tiles.args();
  T state[3][kBlock];
  Index columns[kBlock];
  std::fill_n(state[0], kBlock, -std::numeric_limits<T>::infinity());
  std::fill_n(state[1], kBlock, T(0));
  T* target = out.at(b, h, queries.begin);
  const Index seen = tiles.visible(queries);
  for (Index first = 0; first < seen; first += kBlock) {
    const Range keys{first, std::min(seen, first + kBlock)};
    tiles.scores(b, h, queries, keys, scratch, columns);
    softmax_tile(scratch, kBlock, queries.size(), keys.size(), columns,
                 RunningSoftmax<T>{state[0], state[1], state[2]});
    if (first > 0) scale_rows(target, out.row, queries.size(), a.Dv, state[2]);
    tile_gemm(TileGemm<T>{.m = queries.size(),
                          .n = a.Dv,
                          .k = keys.size(),
                          .a = scratch,
                          .a_row = kBlock,
                          .a_column = 1,
                          .b = a.v.operand(b, tiles.kv_head(h), first),
                          .ldb = a.v.row,
                          .accumulate = first > 0,
                          .c = target,
                          .ldc = out.row,
                          .cut = Cut::inner_end,
                          .visible = columns,
                          .precision = precision()});
  }
  if (seen == 0)
    for (Index r = 0; r < queries.size(); ++r) std::fill_n(target + r * out.row, a.Dv, T(0));
  finish_rows(out, b, h, queries, a.Dv, state[0], state[1], state[2], lse);
}

/// A single query: every product is a walk over the rows of k and v, bound by memory, where packing
/// them for gemm would cost more than the product.
template <class T>
void forward_one_query(const Tiles<T>& tiles, const HeadGrid<T>& out, Index b, Index h, T* scores,
                       T* lse) {
  const auto& a = tiles.args();
  const Index hk = tiles.kv_head(h), seen = tiles.visible(0);
  dot_rows(a.q.at(b, h, 0), 0, a.k.at(b, hk, 0), a.k.row, seen, a.D, a.scale, scores);
  tiles.add_biases(b, h, 0, 0, seen, scores);
  T largest = -std::numeric_limits<T>::infinity(), sum = 0, factor = 0;
  softmax_tile(scores, seen, 1, seen, &seen, RunningSoftmax<T>{&largest, &sum, &factor});
  weighted_sum(scores, a.v.at(b, hk, 0), a.v.row, seen, a.Dv, out.at(b, h, 0));
  finish_rows(out, b, h, Range{0, 1}, a.Dv, &largest, &sum, &factor, lse);
}

Index tasks_per_chunk(double flops_per_task) {
  return std::max<Index>(1, static_cast<Index>(kChunkFlops / std::max(flops_per_task, 1.0)));
}

template <class T>
void forward(const AttentionArgs<T>& args, const HeadGrid<T>& out, T* lse) {
  if (args.B * args.H * args.T_ == 0) return;
  const Tiles<T> tiles(args);
  const bool one_query =
      args.T_ == 1 && (std::is_same_v<T, double> || precision() == Precision::f32);
  const Index blocks = block_count(args.T_);
  const double flops = 2.0 * static_cast<double>(std::min(args.T_, kBlock) * args.S) *
                       static_cast<double>(args.D + args.Dv);
  parallel_for(args.B * args.H * blocks, tasks_per_chunk(flops), [&](Index begin, Index end) {
    const Storage memory(static_cast<Index>(sizeof(T)) *
                         (one_query ? args.S + kTilePadding : kBlock * kBlock));
    T* scratch = reinterpret_cast<T*>(memory.data());
    for (Index task = begin; task < end; ++task) {
      const Index bh = task / blocks, b = bh / args.H, h = bh % args.H;
      const Range queries = block_range(task % blocks, args.T_);
      T* lse_rows = lse ? lse + bh * args.T_ + queries.begin : nullptr;
      if (one_query)
        forward_one_query(tiles, out, b, h, scratch, lse_rows);
      else
        forward_block(tiles, out, b, h, queries, scratch, lse_rows);
    }
  });
}

template <class T>
struct BackwardInputs {
  const T* lse;
  const T* delta;  // (B, H, T): <g, out> of each query, what the softmax's gradient subtracts
  HeadGrid<const T> g;
  AttentionGradients<T> to;
};

/// One tile's share of the gradients. p and ds are scratch tiles.
template <class T>
void backward_tile(const Tiles<T>& tiles, const BackwardInputs<T>& in, Index b, Index h,
                   Range queries, Range keys, bool want_dq, bool want_dkv, T* p, T* ds) {
  const auto& a = tiles.args();
  const Index hk = tiles.kv_head(h), rows = queries.size(), cols = keys.size();
  const Index first = (b * a.H + h) * a.T_ + queries.begin;
  Index columns[kBlock];
  tiles.scores(b, h, queries, keys, p, columns);
  exp_tile(p, kBlock, rows, cols, columns, in.lse + first);
  const T* g = in.g.at(b, h, queries.begin);
  // The transposed tile times rows of queries, and the tile times rows of keys: what dv, dk and dq
  // are made of.
  const auto by_keys = [&](T alpha, const T* tile, OperandOf<T> rows_of, Index row, Index n, T* to,
                           Index to_row) {
    tile_gemm(TileGemm<T>{.m = cols,
                          .n = n,
                          .k = rows,
                          .alpha = alpha,
                          .a = tile,
                          .a_row = 1,
                          .a_column = kBlock,
                          .b = rows_of,
                          .ldb = row,
                          .accumulate = true,
                          .c = to,
                          .ldc = to_row,
                          .cut = Cut::inner_begin,
                          .visible = columns,
                          .precision = precision()});
  };
  if (want_dkv && in.to.dv.data)
    by_keys(T(1), p, g, in.g.row, a.Dv, in.to.dv.at(b, hk, keys.begin), in.to.dv.row);
  const bool dq = want_dq && in.to.dq.data, dk = want_dkv && in.to.dk.data,
             dbias = want_dq && in.to.dbias;
  if (!dq && !dk && !dbias) return;
  tile_gemm(TileGemm<T>{.m = rows,
                        .n = cols,
                        .k = a.Dv,
                        .a = g,
                        .a_row = in.g.row,
                        .a_column = 1,
                        .b = a.v.operand(b, hk, keys.begin),
                        .ldb = a.v.row,
                        .b_transposed = true,
                        .c = ds,
                        .ldc = kBlock,
                        .c_has_room = true,
                        .cut = Cut::columns,
                        .visible = columns,
                        .precision = precision()});
  softmax_backward_tile(p, ds, kBlock, rows, cols, columns, in.delta + first);
  if (dq)
    tile_gemm(TileGemm<T>{.m = rows,
                          .n = a.D,
                          .k = cols,
                          .alpha = a.scale,
                          .a = ds,
                          .a_row = kBlock,
                          .a_column = 1,
                          .b = a.k.operand(b, hk, keys.begin),
                          .ldb = a.k.row,
                          .accumulate = true,
                          .c = in.to.dq.at(b, h, queries.begin),
                          .ldc = in.to.dq.row,
                          .cut = Cut::inner_end,
                          .visible = columns,
                          .precision = precision()});
  if (dk)
    by_keys(a.scale, ds, a.q.operand(b, h, queries.begin), a.q.row, a.D,
            in.to.dk.at(b, hk, keys.begin), in.to.dk.row);
  if (dbias)
    for (Index r = 0; r < rows; ++r)
      std::copy_n(ds + r * kBlock, cols, in.to.dbias + (first + r) * a.S + keys.begin);
}

/// All tiles of one (batch, key head): dq, dk and dv of it in one sweep.
template <class T>
void backward_owner(const Tiles<T>& tiles, const BackwardInputs<T>& in, Index b, Index hk, T* p,
                    T* ds) {
  const auto& a = tiles.args();
  for (Index h = hk * tiles.group(); h < (hk + 1) * tiles.group(); ++h)
    for (Index block = 0; block < block_count(a.T_); ++block) {
      const Range queries = block_range(block, a.T_);
      const Index seen = tiles.visible(queries);
      for (Index first = 0; first < seen; first += kBlock)
        backward_tile(tiles, in, b, h, queries, {first, std::min(seen, first + kBlock)}, true, true,
                      p, ds);
    }
}

/// dk and dv of one block of keys.
template <class T>
void backward_keys(const Tiles<T>& tiles, const BackwardInputs<T>& in, Index b, Index hk,
                   Range keys, T* p, T* ds) {
  const auto& a = tiles.args();
  for (Index h = hk * tiles.group(); h < (hk + 1) * tiles.group(); ++h)
    for (Index block = 0; block < block_count(a.T_); ++block) {
      const Range queries = block_range(block, a.T_);
      const Index seen = std::min(tiles.visible(queries), keys.end);
      if (seen > keys.begin)
        backward_tile(tiles, in, b, h, queries, {keys.begin, seen}, false, true, p, ds);
    }
}

/// dq of one block of queries.
template <class T>
void backward_queries(const Tiles<T>& tiles, const BackwardInputs<T>& in, Index b, Index h,
                      Range queries, T* p, T* ds) {
  const Index seen = tiles.visible(queries);
  for (Index first = 0; first < seen; first += kBlock)
    backward_tile(tiles, in, b, h, queries, {first, std::min(seen, first + kBlock)}, true, false, p,
                  ds);
}

/// Runs task(i, p, ds) for every i, with two scratch tiles a chunk.
template <class T, class Task>
void with_tiles(Index tasks, Index grain, const Task& task) {
  parallel_for(tasks, grain, [&](Index begin, Index end) {
    const Storage memory(2 * kBlock * kBlock * static_cast<Index>(sizeof(T)));
    T* p = reinterpret_cast<T*>(memory.data());
    for (Index i = begin; i < end; ++i) task(i, p, p + kBlock * kBlock);
  });
}

template <class T>
void backward(const AttentionArgs<T>& args, const HeadGrid<const T>& out, const T* lse,
              const HeadGrid<const T>& g, const AttentionGradients<T>& gradients) {
  const Index rows = args.B * args.H * args.T_;
  if (rows == 0 || args.S == 0) return;
  const Tiles<T> tiles(args);
  if (gradients.dbias) std::fill_n(gradients.dbias, rows * args.S, T(0));
  const Storage delta_memory(rows * static_cast<Index>(sizeof(T)));
  T* delta = reinterpret_cast<T*>(delta_memory.data());
  parallel_for(
      args.B * args.H, std::max<Index>(1, 16384 / std::max<Index>(1, args.T_ * args.Dv)),
      [&](Index begin, Index end) {
        const Storage memory(out.rounded ? args.T_ * args.Dv * static_cast<Index>(sizeof(float))
                                         : 0);
        for (Index bh = begin; bh < end; ++bh) {
          const Index b = bh / args.H, h = bh % args.H;
          const T* rows = out.at(b, h, 0);
          Index row = out.row;
          if constexpr (std::is_same_v<T, float>) {
            if (out.rounded) {
              float* const wide = reinterpret_cast<float*>(memory.data());
              for (Index i = 0; i < args.T_; ++i)
                copy_bf16_row(out.rounded + out.offset(b, h, i), args.Dv, wide + i * args.Dv);
              rows = wide, row = args.Dv;
            }
          }
          dot_rows(g.at(b, h, 0), g.row, rows, row, args.T_, args.Dv, T(1), delta + bh * args.T_);
        }
      });

  const BackwardInputs<T> in{lse, delta, g, gradients};
  const Index owners = args.B * args.Hk, query_blocks = block_count(args.T_),
              key_blocks = block_count(args.S);
  const double tile_flops =
      2.0 * static_cast<double>(std::min(args.T_, kBlock) * std::min(args.S, kBlock)) *
      static_cast<double>(3 * args.D + 2 * args.Dv);
  if (owners >= kOwnersEnough || query_blocks * key_blocks == 1) {
    const double flops =
        tile_flops * static_cast<double>(tiles.group() * query_blocks * key_blocks);
    with_tiles<T>(owners, tasks_per_chunk(flops), [&](Index i, T* p, T* ds) {
      backward_owner(tiles, in, i / args.Hk, i % args.Hk, p, ds);
    });
    return;
  }
  // Few owners, long sequences: scores are computed twice so that blocks of keys, then blocks of
  // queries, go side by side.
  if (gradients.dk.data || gradients.dv.data)
    with_tiles<T>(owners * key_blocks, 1, [&](Index i, T* p, T* ds) {
      const Index owner = i / key_blocks;
      backward_keys(tiles, in, owner / args.Hk, owner % args.Hk,
                    block_range(i % key_blocks, args.S), p, ds);
    });
  if (gradients.dq.data || gradients.dbias)
    with_tiles<T>(args.B * args.H * query_blocks, 1, [&](Index i, T* p, T* ds) {
      const Index bh = i / query_blocks;
      backward_queries(tiles, in, bh / args.H, bh % args.H, block_range(i % query_blocks, args.T_),
                       p, ds);
    });
}

}  // namespace

template <class T>
void attention_forward(const AttentionArgs<T>& args, const HeadGrid<T>& out, T* lse) {
  forward(args, out, lse);
}
template <class T>
void attention_backward(const AttentionArgs<T>& args, const HeadGrid<const T>& out, const T* lse,
                        const HeadGrid<const T>& g, const AttentionGradients<T>& gradients) {
  backward(args, out, lse, g, gradients);
}

template void attention_forward(const AttentionArgs<float>&, const HeadGrid<float>&, float*);
template void attention_forward(const AttentionArgs<double>&, const HeadGrid<double>&, double*);
template void attention_backward(const AttentionArgs<float>&, const HeadGrid<const float>&,
                                 const float*, const HeadGrid<const float>&,
                                 const AttentionGradients<float>&);
template void attention_backward(const AttentionArgs<double>&, const HeadGrid<const double>&,
                                 const double*, const HeadGrid<const double>&,
                                 const AttentionGradients<double>&);

}  // namespace weft::kernels
