// The time below which no step built on sgemm can go: the bare products of its shapes, and nothing
// else.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "autograd/product_observer.h"
#include "core/blas.h"

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

/// Every product that one step needs, in the step's order, as the model itself tells them
/// (nn::describe_step): of each linear layer x W^T, then dx = dy W and dW = dy^T x; of each head q
/// k^T and p v, then dp = do v^T, dq = ds k, dv = p^T do and dk = ds^T q; of a convolution those of
/// its patches; and products of many small matrices, one after the other.
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
  explicit GemmFloor(const std::vector<Product>& products);
  /// Whether there is anything to run.
  static bool of_any(const std::vector<Product>& products);

  /// Seconds that one round takes. Allocates nothing.
  double run() const;
  double gflop() const { return gflop_; }

 private:
  /// A product; of attention the first of a forward's two or a backward's four, which go together.
  struct Call {
    Product product;
    blas::Tiling tile{};
  };
  /// The heads of one attention.
  struct Heads {
    std::int64_t count, queries, keys, size;
    bool causal;
  };
  /// Positions begin .. end of one head: their queries meet the keys from 0 to `keys_end`, their
  /// keys are met by the queries from `queries_begin` on.
  struct Block {
    std::int64_t begin, end, keys_end, queries_begin;
  };
  static Heads heads_of(const Call& call);
  static Block block(const Heads& heads, std::int64_t index);
  std::int64_t tasks_of(const Heads& heads) const;
  void make_calls(const std::vector<Product>& products);
  void make_buffers();
  /// Tries the ways to tile each linear product, and keeps the fastest.
  void choose_tiles();
  blas::Tiling fastest_tile(Call call) const;
  void linear(const Call& call) const;
  void batched(const Call& call) const;
  void attention(const Call& call) const;
  void attention_block(const Heads& heads, const Block& block, std::int64_t head, bool backward,
                       float* scores) const;

  std::vector<Call> calls_;
  double gflop_ = 0;
  std::unique_ptr<FloatBuffer> a_, b_, c_, scores_;
};

}  // namespace weft::bench
