#include "optim/muon.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/blas.h"
#include "core/parallel.h"

namespace weft::optim {
namespace {

NamedTensors all_parameters(const std::vector<MuonMatrix>& matrices, const NamedTensors& rest) {
  NamedTensors all;
  for (const MuonMatrix& matrix : matrices) all.emplace_back(matrix.name, matrix.tensor);
  all.insert(all.end(), rest.begin(), rest.end());
  return all;
}

/// In place on a (rows, columns) matrix with rows <= columns; runs on the calling thread.
template <class T>
void newton_schulz(std::vector<T>& x, std::int64_t rows, std::int64_t columns, int steps) {
  constexpr double kA = 3.4445, kB = -4.7750, kC = 2.0315;
  double squares = 0;
  for (const T value : x) squares += static_cast<double>(value) * static_cast<double>(value);
  const T scale = static_cast<T>(1 / (std::sqrt(squares) + 1e-7));
  for (T& value : x) value *= scale;
  std::vector<T> gram(static_cast<std::size_t>(rows * rows)), poly(gram.size()), next(x.size());
  for (int step = 0; step < steps; ++step) {
    blas::gemm(blas::Op::none, blas::Op::transpose, rows, rows, columns, T{1}, x.data(), columns, x.data(), columns, T{0}, gram.data(), rows);
    poly = gram;
    blas::gemm(blas::Op::none, blas::Op::none, rows, rows, rows, static_cast<T>(kC), gram.data(), rows, gram.data(), rows, static_cast<T>(kB), poly.data(), rows);
    next = x;
    blas::gemm(blas::Op::none, blas::Op::none, rows, columns, rows, T{1}, poly.data(), rows, x.data(), columns, static_cast<T>(kA), next.data(), columns);
    x.swap(next);
  }
}

/// out = ortho(in), both row-major (rows, columns); transposed inside when tall, so that the Gram matrix is the smaller one.
template <class T>
void orthogonalize_into(const T* in, T* out, std::int64_t rows, std::int64_t columns, int steps) {
  const bool tall = rows > columns;
  std::vector<T> x(static_cast<std::size_t>(rows * columns));
  for (std::int64_t i = 0; i < rows; ++i)
    for (std::int64_t j = 0; j < columns; ++j) x[static_cast<std::size_t>(tall ? j * rows + i : i * columns + j)] = in[i * columns + j];
  newton_schulz(x, std::min(rows, columns), std::max(rows, columns), steps);
  for (std::int64_t i = 0; i < rows; ++i)
    for (std::int64_t j = 0; j < columns; ++j) out[i * columns + j] = x[static_cast<std::size_t>(tall ? j * rows + i : i * columns + j)];
}

/// One block of rows of one matrix: the unit of work.
struct Block {
  std::size_t matrix;
  std::int64_t first_row, rows, columns;
};

template <class T>
void muon_block(const Block& block, const Tensor& parameter, const Tensor& gradient, const Tensor& momentum, const MuonOptions& options, double lr) {
  const std::int64_t offset = block.first_row * block.columns, n = block.rows * block.columns;
  T* const p = parameter.data<T>() + offset;
  T* const m = momentum.data<T>() + offset;
  const T* const g = gradient.data<T>() + offset;
  const T beta = static_cast<T>(options.momentum);
  std::vector<T> update(static_cast<std::size_t>(n));
  for (std::int64_t i = 0; i < n; ++i) {
    m[i] = beta * m[i] + (1 - beta) * g[i];
    update[static_cast<std::size_t>(i)] = options.nesterov ? (1 - beta) * g[i] + beta * m[i] : m[i];
  }
  orthogonalize_into(update.data(), update.data(), block.rows, block.columns, options.newton_schulz_steps);
  const double shape_scale = std::sqrt(std::max(1.0, static_cast<double>(block.rows) / static_cast<double>(block.columns)));
  const T keep = static_cast<T>(1 - lr * options.weight_decay), rate = static_cast<T>(lr * shape_scale);
  for (std::int64_t i = 0; i < n; ++i) p[i] = keep * p[i] - rate * update[static_cast<std::size_t>(i)];
}

}  // namespace

Muon::Muon(const std::vector<MuonMatrix>& matrices, NamedTensors rest, MuonOptions options, AdamWOptions rest_options)
    : Optimizer(all_parameters(matrices, rest)), matrices_(matrices), options_(options) {
  require_in("muon", "lr", options_.lr, 0, std::numeric_limits<double>::infinity());
  require_in("muon", "momentum", options_.momentum, 0, 1);
  require_in("muon", "weight_decay", options_.weight_decay, 0, std::numeric_limits<double>::infinity());
  require_in("muon", "newton_schulz_steps", options_.newton_schulz_steps, 1, 100);
  for (const MuonMatrix& matrix : matrices_) {
    if (matrix.tensor.rank() < 2) fail<ConfigError>("muon", "`{}` {} is no matrix; give it to the rest", matrix.name, matrix.tensor.shape().str());
    if (matrix.row_blocks < 1 || matrix.tensor.size(0) % matrix.row_blocks != 0)
      fail<ConfigError>("muon", "`{}` {} cannot be cut into {} blocks of rows", matrix.name, matrix.tensor.shape().str(), matrix.row_blocks);
    momentum_.push_back(Tensor::zeros(matrix.tensor.shape(), matrix.tensor.dtype()));
  }
  if (!rest.empty()) rest_ = std::make_unique<AdamW>(std::move(rest), rest_options);
}

NamedTensors Muon::state() const {
  NamedTensors all;
  for (std::size_t i = 0; i < matrices_.size(); ++i) all.emplace_back("momentum." + matrices_[i].name, momentum_[i]);
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
    const std::int64_t rows = tensor.size(0) / matrices_[i].row_blocks;
    for (std::int64_t b = 0; b < matrices_[i].row_blocks; ++b) blocks.push_back({i, b * rows, rows, tensor.numel() / tensor.size(0)});
  }
  // Largest first, so that no thread is left with a big one at the end.
  std::stable_sort(blocks.begin(), blocks.end(), [](const Block& a, const Block& b) { return a.rows * a.columns > b.rows * b.columns; });
  const double lr = options_.lr * lr_factor_;
  parallel_for(static_cast<std::int64_t>(blocks.size()), 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t b = begin; b < end; ++b) {
      const Block& block = blocks[static_cast<std::size_t>(b)];
      const Tensor& parameter = matrices_[block.matrix].tensor;
      dispatch_float(parameter.dtype(), "muon", [&]<class T>(T) {
        muon_block<T>(block, parameter, gradients[block.matrix], momentum_[block.matrix], options_, lr);
      });
    }
  });
  if (!rest_) return;
  rest_->set_lr_factor(lr_factor_);
  rest_->step_as(steps_);
}

Tensor orthogonalize(const Tensor& matrix, int steps) {
  if (matrix.rank() != 2) fail<ShapeError>("orthogonalize", "wants a matrix, got {}", matrix.shape().str());
  const Tensor in = raw::contiguous(matrix), out = Tensor::empty(matrix.shape(), matrix.dtype());
  if (in.numel() == 0) return out;
  dispatch_float(in.dtype(), "orthogonalize", [&]<class T>(T) { orthogonalize_into(in.data<T>(), out.data<T>(), in.size(0), in.size(1), steps); });
  return out;
}

}  // namespace weft::optim
