#include "nn/block.h"

#include "autograd/ops/binary.h"

namespace weft::nn {

Block::Block(const BlockOptions& options)
    : Module("Block"),
      norm1(*this, options.attention.naming == Naming::timm ? "norm1" : "ln_1",
            make_norm(options.attention.n_embd, options.norm)),
      attn(*this, "attn", options.attention),
      norm2(*this, options.attention.naming == Naming::timm ? "norm2" : "ln_2",
            make_norm(options.attention.n_embd, options.norm)),
      mlp(*this, "mlp", options.feed_forward),
      post_norm_(options.post_norm) {}

Tensor Block::forward(const Tensor& x, const AttentionCall& call) const {
  if (post_norm_) {
    const Tensor middle = norm1(x + attn(x, call));
    return norm2(middle + mlp(middle));
  }
  const Tensor middle = x + attn(norm1(x), call);
  return middle + mlp(norm2(middle));
}

std::string Block::details() const { return post_norm_ ? "post-norm" : "pre-norm"; }

}  // namespace weft::nn
