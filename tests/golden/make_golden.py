#!/usr/bin/python3
"""Makes the golden files that tests/golden reads: values, gradients and training runs of PyTorch (Debian's python3-torch) in float64.

    /usr/bin/python3 tests/golden/make_golden.py        # writes tests/golden/files/*.npz

PyTorch is needed here only; building and testing weft needs the files. Each entry is `<case>/<what>`: `in0`, `in1`, ... the inputs,
`out` the value, `g` the gradient that backward starts from, `grad0`, ... the gradients of the float inputs.
"""
import math
import pathlib

import numpy as np
import torch
from torch.nn import functional as F

import golden_models
import golden_optimizers

FILES = pathlib.Path(__file__).parent / "files"
torch.set_default_dtype(torch.float64)
torch.manual_seed(20)


def real(*shape, low=-2.0, high=2.0):
    """Values away from integers and halves, so that no kink is met."""
    x = torch.rand(*shape) * (high - low) + low
    near = (x * 2).round() / 2
    return torch.where((x - near).abs() < 1e-3, x + 2e-3, x)


def ids(bound, *shape):
    return torch.randint(bound, shape)


def mask(*shape):
    return (torch.rand(*shape) < 0.4).to(torch.uint8)


def rms_norm(x, weight=None, eps=1e-6):
    y = x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + eps)
    return y if weight is None else y * weight


def attention(q, k, v, causal=False, padding=None, bias=None, scale=None):
    repeat = q.shape[1] // k.shape[1]
    k, v = k.repeat_interleave(repeat, 1), v.repeat_interleave(repeat, 1)
    t, s = q.shape[2], k.shape[2]
    scores = q @ k.transpose(-2, -1) * (scale or 1 / math.sqrt(q.shape[3]))
    if bias is not None:
        scores = scores + bias
    hidden = torch.zeros(q.shape[0], 1, t, s, dtype=torch.bool)
    if causal:
        hidden = hidden | torch.ones(t, s).triu(1 + s - t).bool()
    if padding is not None:
        hidden = hidden | padding.bool()[:, None, None, :]
    scores = scores.masked_fill(hidden, float("-inf"))
    dead = hidden.all(-1, keepdim=True)
    weights = torch.softmax(scores.masked_fill(dead, 0.0), -1).masked_fill(dead.expand_as(scores), 0.0)
    return weights @ v


def op_cases():
    pos = dict(low=0.2, high=3.0)
    padding = torch.tensor([[0, 0, 0, 1, 1], [1, 1, 1, 1, 1]], dtype=torch.uint8)
    targets, ignored = ids(5, 4, 3), ids(5, 4, 3)
    ignored[0, 1] = ignored[2, 2] = -100
    weights = torch.tensor([0.5, 1.5, 0.25, 2.0, 0.75])
    q, k, v = real(2, 4, 5, 3), real(2, 4, 5, 3), real(2, 4, 5, 6)
    unary = {
        "neg": torch.neg, "exp": torch.exp, "abs": torch.abs, "sign": torch.sign, "sin": torch.sin, "cos": torch.cos, "tanh": torch.tanh,
        "sigmoid": torch.sigmoid, "relu": torch.relu, "square": torch.square, "gelu_erf": F.gelu,
        "gelu_tanh": lambda x: F.gelu(x, approximate="tanh"), "silu": F.silu, "softplus": F.softplus, "clamp": lambda x: x.clamp(-0.75, 1.25),
    }
    for name, function in unary.items():
        yield name, function, [real(3, 17, low=-4, high=4)]
    for name, function in {"log": torch.log, "sqrt": torch.sqrt, "rsqrt": torch.rsqrt}.items():
        yield name, function, [real(3, 17, **pos)]
    yield "add", torch.add, [real(4, 1, 3), real(5, 1)]
    yield "sub", torch.sub, [real(4, 1, 3), real(5, 1)]
    yield "mul", torch.mul, [real(4, 1, 3), real(5, 1)]
    yield "div", torch.div, [real(4, 1, 3), real(5, 1, **pos)]
    yield "pow", torch.pow, [real(4, 1, 3, **pos), real(5, 1)]
    yield "maximum", torch.maximum, [real(4, 5), real(4, 5)]
    yield "minimum", torch.minimum, [real(4, 5), real(4, 5)]
    yield "where", lambda c, a, b: torch.where(c.bool(), a, b), [mask(4, 5), real(4, 5), real(5)]
    yield "masked_fill", lambda x, m: x.masked_fill(m.bool(), 0.25), [real(4, 5), mask(4, 5)]
    yield "matmul", torch.matmul, [real(4, 6), real(6, 3)]
    yield "matmul_batched", torch.matmul, [real(2, 3, 4, 6), real(2, 3, 6, 5)]
    yield "matmul_broadcast", torch.matmul, [real(2, 1, 4, 6), real(3, 6, 5)]
    yield "matmul_transposed", lambda a, b: a.transpose(-2, -1) @ b.transpose(-2, -1), [real(2, 6, 4), real(2, 5, 6)]
    yield "matmul_vector", torch.matmul, [real(2, 4, 6), real(6)]
    yield "linear", F.linear, [real(2, 3, 4), real(5, 4), real(5)]
    yield "linear_no_bias", F.linear, [real(2, 3, 4), real(5, 4)]
    yield "sum", lambda x: x.sum((0, 2)), [real(3, 4, 5)]
    yield "mean", lambda x: x.mean((1,), keepdim=True), [real(3, 4, 5)]
    yield "var", lambda x: x.var((0, 2)), [real(3, 4, 5)]
    yield "max", lambda x: x.amax((1,)), [real(3, 4, 5)]
    yield "min", lambda x: x.amin((1,)), [real(3, 4, 5)]
    yield "logsumexp", lambda x: x.logsumexp((0, 2)), [real(3, 4, 5)]
    yield "cumsum", lambda x: x.cumsum(1), [real(3, 4, 5)]
    yield "softmax", lambda x: x.softmax(-1), [real(3, 4, 9)]
    yield "softmax_dim0", lambda x: x.softmax(0), [real(7, 4)]
    yield "log_softmax", lambda x: x.log_softmax(-1), [real(3, 4, 9)]
    yield "layer_norm", lambda x, w, b: F.layer_norm(x, (9,), w, b), [real(3, 4, 9), real(9), real(9)]
    yield "layer_norm_plain", lambda x: F.layer_norm(x, (9,)), [real(3, 4, 9)]
    yield "rms_norm", rms_norm, [real(3, 4, 9), real(9)]
    yield "embedding", lambda w, i: F.embedding(i, w), [real(7, 4), ids(7, 3, 5)]
    yield "index_select", lambda x, i: x.index_select(1, i), [real(3, 5, 4), ids(5, 7)]
    yield "gather", lambda x, i: x.gather(1, i), [real(3, 5, 4), ids(5, 2, 6, 3)]
    yield "take_along_dim", lambda x, i: torch.take_along_dim(x, i, 1), [real(3, 5, 4), ids(5, 1, 6, 4)]
    yield "scatter_add", lambda x, i, s: x.scatter_add(1, i, s), [real(3, 5), ids(5, 3, 8), real(3, 8)]
    yield "cat", lambda a, b: torch.cat([a, b], 1), [real(2, 3, 4), real(2, 5, 4)]
    yield "stack", lambda a, b: torch.stack([a, b], 1), [real(2, 3), real(2, 3)]
    yield "split", lambda x: (lambda p: p[0].sum(1, keepdim=True) * p[2])(x.split([2, 1, 4], 1)), [real(3, 7)]
    yield "slice", lambda x: x[:, 1:6:2], [real(3, 7, 2)]
    yield "pad", lambda x: F.pad(x, (1, 2, 0, 3), value=0.5), [real(2, 3, 4)]
    yield "pad_crop", lambda x: F.pad(x, (-1, 2)), [real(2, 5)]
    yield "flip", lambda x: x.flip((0, 2)), [real(2, 3, 4)]
    yield "roll", lambda x: x.roll(2, 1), [real(2, 5, 3)]
    yield "reshape", lambda x: x.transpose(0, 1).reshape(5, -1), [real(2, 5, 3)]
    yield "transpose", lambda x: x.transpose(0, 2) * 1.0, [real(2, 5, 3)]
    yield "permute", lambda x: x.permute(2, 0, 1) * 1.0, [real(2, 5, 3)]
    yield "expand", lambda x: x.expand(4, 2, 3) * 1.0, [real(2, 1)]
    yield "conv2d", F.conv2d, [real(2, 3, 7, 6), real(4, 3, 3, 2), real(4)]
    yield "conv2d_strided", lambda x, w: F.conv2d(x, w, None, (2, 1), (1, 2)), [real(2, 3, 7, 6), real(4, 3, 3, 3)]
    yield "conv2d_patches", lambda x, w, b: F.conv2d(x, w, b, 3), [real(2, 2, 6, 9), real(5, 2, 3, 3), real(5)]
    yield "conv2d_groups", lambda x, w, b: F.conv2d(x, w, b, padding=1, groups=2), [real(2, 4, 5, 5), real(6, 2, 3, 3), real(6)]
    yield "max_pool2d", lambda x: F.max_pool2d(x, 2), [real(2, 3, 6, 5)]
    yield "max_pool2d_padded", lambda x: F.max_pool2d(x, 3, 2, 1), [real(2, 3, 7, 6)]
    yield "avg_pool2d", lambda x: F.avg_pool2d(x, 3, 2, 1), [real(2, 3, 7, 6)]
    yield "attention", attention, [q, k, v]
    yield "attention_causal", lambda q, k, v: attention(q, k, v, causal=True), [q, k, v]
    yield "attention_causal_longer_keys", lambda q, k, v: attention(q, k, v, causal=True), [real(2, 4, 3, 3), k, v]
    yield "attention_padding", lambda q, k, v, m: attention(q, k, v, padding=m), [q, k, v, padding]
    yield "attention_bias", lambda q, k, v, b: attention(q, k, v, bias=b, causal=True), [q, k, v, real(4, 5, 5)]
    yield "attention_grouped", lambda q, k, v: attention(q, k, v, causal=True, scale=0.3), [q, real(2, 2, 5, 3), real(2, 2, 5, 6)]
    yield "cross_entropy", lambda z, t: F.cross_entropy(z.flatten(0, 1), t.flatten()), [real(4, 3, 5), targets]
    yield "cross_entropy_ignore", lambda z, t: F.cross_entropy(z.flatten(0, 1), t.flatten()), [real(4, 3, 5), ignored]
    yield "cross_entropy_smoothing", lambda z, t: F.cross_entropy(z.flatten(0, 1), t.flatten(), label_smoothing=0.1), [real(4, 3, 5), ignored]
    yield "cross_entropy_weights", lambda z, t: F.cross_entropy(z.flatten(0, 1), t.flatten(), weights), [real(4, 3, 5), ignored]
    yield "cross_entropy_all", lambda z, t: F.cross_entropy(z.flatten(0, 1), t.flatten(), weights, label_smoothing=0.2), [real(4, 3, 5), ignored]
    yield "cross_entropy_sum", lambda z, t: F.cross_entropy(z.flatten(0, 1), t.flatten(), weights, reduction="sum"), [real(4, 3, 5), ignored]
    yield "bce_with_logits", lambda x, t: F.binary_cross_entropy_with_logits(x, t, pos_weight=torch.tensor(1.7)), [real(4, 5), real(4, 5, low=0, high=1)]
    yield "mse_loss", F.mse_loss, [real(4, 5), real(4, 5)]
    yield "l1_loss", F.l1_loss, [real(4, 5), real(4, 5)]
    yield "smooth_l1_loss", lambda x, t: F.smooth_l1_loss(x, t, beta=0.7), [real(4, 5), real(4, 5)]
    yield "kl_div", lambda x, t: F.kl_div(x, t, reduction="batchmean"), [real(4, 5).log_softmax(-1), real(4, 5).softmax(-1)]
    yield "einsum_attention", lambda a, b: torch.einsum("bqhd,bkhd->bhqk", a, b), [real(2, 3, 4, 5), real(2, 6, 4, 5)]
    yield "einsum_outer", lambda a, b: torch.einsum("i,j->ij", a, b), [real(3), real(4)]
    yield "einsum_sum", lambda a, b: torch.einsum("bij,kj->bk", a, b), [real(2, 3, 4), real(5, 4)]
    yield "einsum_single", lambda a: torch.einsum("ijk->kj", a), [real(2, 3, 4)]


def make_ops():
    entries = {}
    for name, function, inputs in op_cases():
        leaves = [x.clone().requires_grad_() if x.is_floating_point() else x for x in inputs]
        out = function(*leaves)
        g = torch.rand_like(out) - 0.3
        (out * g).sum().backward()
        for i, (x, leaf) in enumerate(zip(inputs, leaves)):
            entries[f"{name}/in{i}"] = x.numpy()
            if x.is_floating_point():
                entries[f"{name}/grad{i}"] = (leaf.grad if leaf.grad is not None else torch.zeros_like(leaf)).numpy()
        entries[f"{name}/out"], entries[f"{name}/g"] = out.detach().numpy(), g.numpy()
    return entries


if __name__ == "__main__":
    FILES.mkdir(exist_ok=True)
    for name, entries in {"ops": make_ops(), "optim": golden_optimizers.make(), "nn": golden_models.make_modules(), "training": golden_models.make_training()}.items():
        path = FILES / f"{name}.npz"
        np.savez(path, **{key: np.array(value, order="C") for key, value in entries.items()})
        print(f"{path.name}: {len(entries)} arrays, {path.stat().st_size / 1024:.0f} KiB")
