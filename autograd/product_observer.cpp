#include "autograd/product_observer.h"

#include <algorithm>
#include <utility>

namespace weft {
namespace {

constinit thread_local ProductObserver* product_observer = nullptr;
constinit thread_local ProductRole forward_role = ProductRole::forward;

}  // namespace

const char* name(ProductRole role) {
  switch (role) {
    case ProductRole::forward:
      return "forward";
    case ProductRole::input_gradient:
      return "input gradient";
    case ProductRole::weight_gradient:
      return "weight gradient";
    case ProductRole::attention:
      return "attention";
    case ProductRole::attention_gradient:
      return "attention gradient";
  }
  return "";
}

double causal_share(std::int64_t queries, std::int64_t keys) {
  if (queries <= 0 || keys <= 0) return 1;
  double pairs = 0;
  for (std::int64_t begin = 0; begin < queries; begin += kProductBlock) {
    const std::int64_t end = std::min(begin + kProductBlock, queries);
    const std::int64_t seen = std::clamp<std::int64_t>(end + keys - queries, 0, keys);
    pairs += static_cast<double>(end - begin) * static_cast<double>(seen);
  }
  return pairs / (static_cast<double>(queries) * static_cast<double>(keys));
}

ProductObserver::ProductObserver(Made made)
    : made_(std::move(made)), before_(std::exchange(product_observer, this)) {}
ProductObserver::~ProductObserver() { product_observer = before_; }

void product_made(const Product& product) {
  if (product_observer == nullptr || product.flops() == 0) return;
  Product told = product;
  if (told.role == ProductRole::forward) told.role = forward_role;
  product_observer->made_(told);
}

ProductsAre::ProductsAre(ProductRole role) : before_(std::exchange(forward_role, role)) {}
ProductsAre::~ProductsAre() { forward_role = before_; }

}  // namespace weft
