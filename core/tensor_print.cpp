#include "core/tensor.h"

namespace weft {
namespace {

constexpr std::int64_t kEdge = 3;  // elements shown at each end of a long dimension

void print(const Tensor& t, Shape& index, int dim, std::int64_t edge, std::string& out) {
  if (dim == t.rank()) {
    out += is_float(t.dtype()) || t.dtype() == DType::bf16
               ? fmt::format("{:.6g}", t.at(index))
               : fmt::format("{}", t.at<std::int64_t>(index));
    return;
  }
  out += '[';
  const std::int64_t size = t.shape()[dim];
  for (std::int64_t i = 0; i < size; ++i) {
    if (i > 0) out += ", ";
    if (size > 2 * edge && i == edge) {
      out += "..., ";
      i = size - edge;
    }
    index[dim] = i;
    print(t, index, dim + 1, edge, out);
  }
  out += ']';
}

}  // namespace

std::string to_string(const Tensor& tensor) {
  if (!tensor.defined()) return "undefined";
  std::string out = fmt::format("{} {} ", name(tensor.dtype()), tensor.shape().str());
  Shape index = Shape::filled(tensor.rank(), 0);
  if (tensor.numel() == 0) return out + "[]";
  print(tensor, index, 0, tensor.rank() > 4 ? 1 : kEdge, out);
  return out;
}

}  // namespace weft
