// The time below which no step built on sgemm can go: the bare products of its shapes, and nothing
// else.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "core/blas.h"
#include "train/bench/plan.h"

namespace weft::bench {

/// Floats on huge pages where there are any, as tensors have them; but not from their allocator,
/// whose cached blocks belong to the step.
class FloatBuffer {
 public:
  /// Filled with small values, whose products neither overflow nor come near the denormals.
  explicit FloatBuffer(std::int64_t size);
  float* data() const { return data_.get(); }

 private:
  struct Free {
    void operator()(float* data) const;
  };
  std::unique_ptr<float, Free> data_;
};

/// Every product that one step needs, in the step's order: of each linear layer x W^T, then dx = dy
/// W and dW = dy^T x; of each head q k^T and p v, then dp = do v^T, dq = ds k, dv = p^T do and dk =
/// ds^T q; of the patch embedding, whose input wants no gradient, and of the head.
///
/// Bare calls of OpenBLAS on buffers that were made beforehand and serve all products, tiled over
/// the same threads as the step: each shape in the way that proved the fastest here of several, so
/// that the floor is as low as OpenBLAS makes it. What a step computes twice to save memory counts
/// once. Attention goes by blocks of 64 positions, and where it is causal a block meets only the
/// blocks that it may see: for long texts half of the square is left out, as by any attention that
/// does no needless work. Counting it would flatter the efficiency. Lightning and linear attention
/// have none: their floor is that of the layers around them.
class GemmFloor {
 public:
  /// A plan of gpt or vit: the models whose entry says gemm_floor.
  explicit GemmFloor(const Plan& plan);

  /// Seconds that one round takes. Allocates nothing.
  double run() const;
  double gflop() const { return gflop_; }

 private:
  enum class Kind : std::uint8_t {
    forward,
    input_gradient,
    weight_gradient,
    attention_forward,
    attention_backward
  };
  struct Call {
    Kind kind;
    std::int64_t rows = 0, in = 0, out = 0;  ///< of a linear layer
    blas::Tiling tile{};
  };
  struct Sides {
    std::int64_t m, n, k;
  };
  static Sides sides(const Call& call);
  /// Positions begin .. end of one head: their queries meet the keys from 0 to `keys_end`, their
  /// keys are met by the queries from `queries_begin` on.
  struct Block {
    std::int64_t begin, end, keys_end, queries_begin;
  };
  Block block(std::int64_t index) const;
  void make_calls(const Plan& plan);
  void count_flop();
  void make_buffers();
  /// Tries the ways to tile each linear product, and keeps the fastest.
  void choose_tiles();
  blas::Tiling fastest_tile(Call call) const;
  void linear(const Call& call) const;
  void attention(bool backward) const;
  void attention_block(const Block& block, std::int64_t head, bool backward, float* scores) const;

  std::int64_t heads_;  ///< of all sequences of the batch
  std::int64_t head_size_;
  std::int64_t tokens_;
  bool causal_;
  std::int64_t tasks_;  ///< that attention is dealt to; each has scores of its own
  std::int64_t score_floats_;
  std::vector<Call> calls_;
  double gflop_ = 0;
  std::unique_ptr<FloatBuffer> a_, b_, c_, scores_;
};

}  // namespace weft::bench
