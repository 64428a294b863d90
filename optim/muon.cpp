#include "optim/muon.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "core/kernels/tile_gemm.h"
#include "core/parallel.h"
#include "core/shape_only.h"
#include "core/storage.h"

namespace weft::optim {
namespace {

NamedTensors all_parameters(const std::vector<MuonMatrix>& matrices, const NamedTensors& rest) {
  NamedTensors all;
  for (const MuonMatrix& matrix : matrices) all.emplace_back(matrix.name, matrix.tensor);
  all.insert(all.end(), rest.begin(), rest.end());
  return all;
}

/// Room for a block's update and for the symmetric matrices of Newton-Schulz; one allocation.
template <class T>
struct Scratch {
  Scratch(std::int64_t rows, std::int64_t columns)
      : side(std::min(rows, columns)),
        memory((2 * rows * columns + 5 * side * side) * static_cast<std::int64_t>(sizeof(T))) {
    x = reinterpret_cast<T*>(memory.data());
    result = x + rows * columns;
    gram = result + rows * columns;
    inner = gram + side * side;
    factor = inner + side * side;
    total = factor + side * side;
    spare = total + side * side;
    for (std::int64_t i = 0; i < side; ++i) visible.push_back(i + 1);
  }
  std::int64_t side;
  Storage memory;
  T *x, *result, *gram, *inner, *factor, *total, *spare;
  std::vector<std::int64_t> visible;  ///< of a triangle's rows
};

/// The upper triangle of a symmetric matrix from its lower one, in squares that stay in the cache.
template <class T>
void mirror(T* matrix, std::int64_t n) {
  constexpr std::int64_t kSquare = 16;
  for (std::int64_t row = 0; row < n; row += kSquare)
    for (std::int64_t column = 0; column <= row; column += kSquare)
      for (std::int64_t i = row; i < std::min(n, row + kSquare); ++i)
        for (std::int64_t j = column; j < std::min(i, column + kSquare); ++j)
          matrix[j * n + i] = matrix[i * n + j];
}

/// s.result becomes what `steps` times X <- a X + b G X + c G^2 X with G = X X^T make of s.x (rows,
/// columns) scaled to norm 1. All G and all factors a + b G + c G^2 are polynomials of the first G,
/// so they are symmetric and commute: the loop needs only products of these small matrices, each
/// computed by half, and X is multiplied once, by the factors' product. A tall X is multiplied from
/// the right, with G = X^T X, the smaller of the two. Runs on the calling thread.
template <class T>
void newton_schulz(Scratch<T>& s, std::int64_t rows, std::int64_t columns, int steps) {
  constexpr double kA = 3.4445, kB = -4.7750, kC = 2.0315;
  using Product = kernels::TileGemm<T>;
  const std::int64_t n = s.side, size = rows * columns;
  const bool tall = rows > columns;
  const auto multiply = [&](const T* a, const T* b, T* c) {
    kernels::tile_gemm(Product{.m = n,
                               .n = n,
                               .k = n,
                               .a = a,
                               .a_row = n,
                               .a_column = 1,
                               .b = b,
                               .ldb = n,
                               .c = c,
                               .ldc = n,
                               .cut = kernels::Cut::columns,
                               .visible = s.visible.data()});
    mirror(c, n);
  };
  double squares = 0;
  for (std::int64_t i = 0; i < size; ++i)
    squares += static_cast<double>(s.x[i]) * static_cast<double>(s.x[i]);
  const T scale = static_cast<T>(1 / (std::sqrt(squares) + 1e-7));
  for (std::int64_t i = 0; i < size; ++i) s.x[i] *= scale;
  kernels::tile_gemm(Product{.m = n,
                             .n = n,
                             .k = std::max(rows, columns),
                             .a = s.x,
                             .a_row = tall ? 1 : columns,
                             .a_column = tall ? columns : 1,
                             .b = s.x,
                             .ldb = columns,
                             .b_transposed = !tall,
                             .c = s.gram,
                             .ldc = n,
                             .cut = kernels::Cut::columns,
                             .visible = s.visible.data()});
  mirror(s.gram, n);
  for (int step = 0; step < steps; ++step) {
    // a + b G + c G^2 = a + G (b + c G)
    for (std::int64_t i = 0; i < n * n; ++i) s.inner[i] = static_cast<T>(kC) * s.gram[i];
    for (std::int64_t i = 0; i < n; ++i) s.inner[i * n + i] += static_cast<T>(kB);
    T* const factor = step == 0 ? s.total : s.factor;
    multiply(s.gram, s.inner, factor);
    for (std::int64_t i = 0; i < n; ++i) factor[i * n + i] += static_cast<T>(kA);
    if (step + 1 < steps) {  // the next G is factor G factor
      multiply(s.gram, factor, s.inner);
      multiply(factor, s.inner, s.gram);
    }
    if (step == 0) continue;
    multiply(s.factor, s.total, s.spare);
    std::swap(s.total, s.spare);
  }
  kernels::tile_gemm(Product{.m = rows,
                             .n = columns,
                             .k = n,
                             .a = tall ? s.x : s.total,
                             .a_row = tall ? columns : n,
                             .a_column = 1,
                             .b = tall ? s.total : s.x,
                             .ldb = columns,
                             .c = s.result,
                             .ldc = columns});
}

/// One block of rows of one matrix: the unit of work.
struct Block {
  std::size_t matrix;
  std::int64_t first_row, rows, columns;
};

template <class T>
void muon_block(const Block& block, const Tensor& parameter, const Tensor& gradient,
                const Tensor& momentum, const MuonOptions& options, double lr) {
  const std::int64_t offset = block.first_row * block.columns, n = block.rows * block.columns;
  T* const p = parameter.data<T>() + offset;
  T* const m = momentum.data<T>() + offset;
  const T* const g = gradient.data<T>() + offset;
  const T beta = static_cast<T>(options.momentum);
  Scratch<T> scratch(block.rows, block.columns);
  T* const update = scratch.x;
  for (std::int64_t i = 0; i < n; ++i) {
    m[i] = beta * m[i] + (1 - beta) * g[i];
    update[i] = options.nesterov ? (1 - beta) * g[i] + beta * m[i] : m[i];
  }
  newton_schulz(scratch, block.rows, block.columns, options.newton_schulz_steps);
  const double shape_scale = std::sqrt(
      std::max(1.0, static_cast<double>(block.rows) / static_cast<double>(block.columns)));
  const T keep = static_cast<T>(1 - lr * options.weight_decay),
          rate = static_cast<T>(lr * shape_scale);
  for (std::int64_t i = 0; i < n; ++i) p[i] = keep * p[i] - rate * scratch.result[i];
}

}  // namespace

Muon::Muon(const std::vector<MuonMatrix>& matrices, NamedTensors rest, MuonOptions options,
           AdamWOptions rest_options)
    : Optimizer(all_parameters(matrices, rest)), matrices_(matrices), options_(options) {
  require_in("muon", "lr", options_.lr, 0, std::numeric_limits<double>::infinity());
  require_in("muon", "momentum", options_.momentum, 0, 1);
  require_in("muon", "weight_decay", options_.weight_decay, 0,
             std::numeric_limits<double>::infinity());
  require_in("muon", "newton_schulz_steps", options_.newton_schulz_steps, 1, 100);
  for (const MuonMatrix& matrix : matrices_) {
    if (matrix.tensor.rank() < 2)
      fail<ConfigError>("muon", "`{}` {} is not a matrix; give it to the rest", matrix.name,
                        matrix.tensor.shape().str());
    if (matrix.row_blocks < 1 || matrix.tensor.size(0) % matrix.row_blocks != 0)
      fail<ConfigError>("muon", "`{}` {} cannot be split into {} blocks of rows", matrix.name,
                        matrix.tensor.shape().str(), matrix.row_blocks);
    momentum_.push_back(Tensor::zeros(matrix.tensor.shape(), matrix.tensor.dtype()));
  }
  if (!rest.empty()) rest_ = std::make_unique<AdamW>(std::move(rest), rest_options);
}

NamedTensors Muon::state() const {
  NamedTensors all;
  for (std::size_t i = 0; i < matrices_.size(); ++i)
    all.emplace_back("momentum." + matrices_[i].name, momentum_[i]);
  if (rest_)
    for (auto& entry : rest_->state()) all.push_back(std::move(entry));
  return all;
}

void Muon::update() {
  std::vector<Block> blocks;
  std::vector<Tensor> gradients(matrices_.size());
  for (std::size_t i = 0; i < matrices_.size(); ++i) {
    const Tensor& tensor = matrices_[i].tensor;
    if (!tensor.grad().defined() || tensor.numel() == 0) continue;
    gradients[i] = raw::contiguous(tensor.grad());
    tensor.bump_version();
    momentum_[i].bump_version();
    const std::int64_t rows = tensor.size(0) / matrices_[i].row_blocks;
    for (std::int64_t b = 0; b < matrices_[i].row_blocks; ++b)
      blocks.push_back({i, b * rows, rows, tensor.numel() / tensor.size(0)});
  }
  // Largest first, so that no thread is left with a big one at the end.
  std::stable_sort(blocks.begin(), blocks.end(), [](const Block& a, const Block& b) {
    return a.rows * a.columns > b.rows * b.columns;
  });
  const double lr = options_.lr * lr_factor_;
  if (!shape_only())
    parallel_for(static_cast<std::int64_t>(blocks.size()), 1,
                 [&](std::int64_t begin, std::int64_t end) {
                   for (std::int64_t b = begin; b < end; ++b) {
                     const Block& block = blocks[static_cast<std::size_t>(b)];
                     const Tensor& parameter = matrices_[block.matrix].tensor;
                     dispatch_float(parameter.dtype(), "muon", [&]<class T>(T) {
                       muon_block<T>(block, parameter, gradients[block.matrix],
                                     momentum_[block.matrix], options_, lr);
                     });
                   }
                 });
  if (!rest_) return;
  rest_->set_lr_factor(lr_factor_);
  rest_->step_as_part();
}

Tensor orthogonalize(const Tensor& matrix, int steps) {
  if (matrix.rank() != 2)
    fail<ShapeError>("orthogonalize", "expects a matrix, got {}", matrix.shape().str());
  const Tensor in = raw::contiguous(matrix), out = Tensor::empty(matrix.shape(), matrix.dtype());
  if (in.numel() == 0) return out;
  compute_float(in.dtype(), "orthogonalize", [&]<class T>(T) {
    Scratch<T> scratch(in.size(0), in.size(1));
    std::copy_n(in.data<T>(), in.numel(), scratch.x);
    newton_schulz(scratch, in.size(0), in.size(1), steps);
    std::copy_n(scratch.result, in.numel(), out.data<T>());
  });
  return out;
}

}  // namespace weft::optim
