// Hears of matrix products as ops make them: what a model's arithmetic is counted by.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

namespace weft {

/// What a product is for. Those of attention are q k^T and p v, and dp, dv, dq and dk.
enum class ProductRole : std::uint8_t {
  forward,
  input_gradient,
  weight_gradient,
  attention,
  attention_gradient,
};
/// `input gradient`, for tables.
const char* name(ProductRole role);

/// `count` products C (m, n) = A (m, k) B (k, n). A convolution is the product of its patches with
/// its weights; a running sum (lightning, linear attention) two products: each token enters it, and
/// each reads it, whatever blocks the kernel makes of them.
struct Product {
  std::string_view op = "";
  ProductRole role = ProductRole::forward;
  std::int64_t m = 0, n = 0, k = 0, count = 1;
  /// Of the m x n pairs, the share in blocks of kProductBlock that a causal mask does not hide
  /// whole. Always 1 but for attention.
  double seen = 1;

  /// 2 a multiply-add, of all pairs.
  double flops() const {
    return 2 * static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k) *
           static_cast<double>(count);
  }
  /// In every field.
  bool operator==(const Product&) const = default;
};

constexpr std::int64_t kProductBlock = 64;
/// Product::seen of causal attention, whose last query sees all keys.
double causal_share(std::int64_t queries, std::int64_t keys);

/// While one lives, `made` is told of each product that this thread's ops make, forward and
/// backward; what a kernel computes twice to save memory counts once. The innermost observer hears;
/// without one a product pays for a test of a pointer.
class ProductObserver {
 public:
  using Made = std::function<void(const Product&)>;
  /// Hears from now on.
  explicit ProductObserver(Made made);
  ~ProductObserver();
  ProductObserver(const ProductObserver&) = delete;
  ProductObserver& operator=(const ProductObserver&) = delete;

 private:
  friend void product_made(const Product& product);
  Made made_;
  ProductObserver* before_;
};

/// Called by ops. Products without elements are not told of.
void product_made(const Product& product);

/// While one lives, products of the role `forward` are told as `role`: for rules that are written
/// with ops.
class ProductsAre {
 public:
  /// From now on.
  explicit ProductsAre(ProductRole role);
  ~ProductsAre();
  ProductsAre(const ProductsAre&) = delete;
  ProductsAre& operator=(const ProductsAre&) = delete;

 private:
  ProductRole before_;
};

}  // namespace weft
