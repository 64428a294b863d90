"""Models over real-valued tokens in PyTorch, float64: files/tokens.npz, for test_tokens.cpp.

    python3 tests/golden/make_tokens.py

Written from the papers, to be compared with weft's own models: linear attention (arXiv 2006.16236), XCiT's attention (2106.09681), FT-Transformer (2106.11959), and
factorization machines (Rendle 2010) by their double sum.
"""
import math
import pathlib

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from golden_models import Attention, Block, FeedForward, PlainNorm, randomize

TOKENS, FEATURES = 3, 4


class Diagonal(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value = (nn.Parameter(torch.ones(width)) for _ in range(3))

    def forward(self, x):
        b, t, c = x.shape
        q, k, v = (y.view(b, t, self.heads, -1).transpose(1, 2) for y in (x * self.query, x * self.key, x * self.value))
        return ((q @ k.transpose(-2, -1) / math.sqrt(c // self.heads)).softmax(-1) @ v).transpose(1, 2).reshape(b, t, c)


class Linear(nn.Module):
    """The whole matrix of weights, row by row divided by its sum and 1e-6, as the paper's published code has it."""

    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, x):
        b, t, c = x.shape
        q, k, v = self.qkv(x).view(b, t, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        weights = (F.elu(q) + 1) @ (F.elu(k) + 1).transpose(-2, -1)
        return self.proj((weights / (weights.sum(-1, keepdim=True) + 1e-6) @ v).transpose(1, 2).reshape(b, t, c))


class CrossCovariance(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.temperature = nn.Parameter(torch.ones(heads, 1, 1))
        self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, x):
        b, t, c = x.shape
        q, k, v = self.qkv(x).view(b, t, 3, self.heads, -1).permute(2, 0, 3, 4, 1)
        attention = (F.normalize(q, dim=-1) @ F.normalize(k, dim=-1).transpose(-2, -1) * self.temperature).softmax(-1)
        return self.proj((attention @ v).permute(0, 3, 1, 2).reshape(b, t, c))


class TokenTransformer(nn.Module):
    def __init__(self, mixer, width=FEATURES, layers=1, embed=False, mlp=False, norm=False):
        super().__init__()
        self.embed = nn.Linear(FEATURES, width) if embed else nn.Identity()
        self.pos_embed = nn.Parameter(torch.zeros(1, TOKENS, width))
        self.blocks = nn.ModuleList()
        for _ in range(layers):
            parts = {"attn": mixer(width)}
            if norm:
                parts["norm1"] = PlainNorm(width, True)
            if mlp:
                parts["mlp"] = FeedForward(width, 2, True, "gelu", ("fc1", "fc2"))
                if norm:
                    parts["norm2"] = PlainNorm(width, True)
            self.blocks.append(nn.ModuleDict(parts))
        self.head = nn.Linear(TOKENS * width, 1)

    def forward(self, x):
        x = self.embed(x) + self.pos_embed
        same = nn.Identity()
        for parts in self.blocks:
            parts = dict(parts.items())
            x = x + parts["attn"](parts.get("norm1", same)(x))
            if "mlp" in parts:
                x = x + parts["mlp"](parts.get("norm2", same)(x))
        return self.head(x.flatten(1))


class FtTransformer(nn.Module):
    def __init__(self, columns=TOKENS * FEATURES, width=8, layers=2, heads=2, groups=None):
        super().__init__()
        self.groups = groups
        self.weight = nn.Parameter(torch.zeros(columns, width))
        self.bias = nn.Parameter(torch.zeros(len(groups) if groups else columns, width))
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        self.blocks = nn.ModuleList(
            Block(PlainNorm(width, True), Attention(width, heads, heads, True, False, "none", False, ("qkv", "proj")),
                  PlainNorm(width, True), FeedForward(width, 2, True, "gelu", ("fc1", "fc2")), ("norm1", "norm2"))
            for _ in range(layers))
        self.norm = PlainNorm(width, True)
        self.head = nn.Linear(width, 1)

    def forward(self, x):
        features = x.flatten(1)[:, :, None] * self.weight
        if self.groups:
            features = torch.stack([group.sum(1) for group in features.split(self.groups, 1)], 1)
        x = torch.cat([self.cls_token.expand(len(x), -1, -1), features + self.bias], 1)
        for block in self.blocks:
            x = block(x)
        return self.head(F.relu(self.norm(x[:, 0])))


class FactorizationMachine(nn.Module):
    def __init__(self, columns=TOKENS * FEATURES, factors=3):
        super().__init__()
        self.bias, self.weight, self.factors = nn.Parameter(torch.zeros(1)), nn.Parameter(torch.zeros(columns)), nn.Parameter(torch.zeros(columns, factors))

    def forward(self, x):
        x = x.flatten(1)
        pairs = sum((self.factors[i] @ self.factors[j]) * x[:, i] * x[:, j] for i in range(x.shape[1]) for j in range(i + 1, x.shape[1]))
        return (self.bias + x @ self.weight + pairs)[:, None]


class TokenCnn(nn.Module):
    def __init__(self, width=5):
        super().__init__()
        self.convs = nn.ModuleList([nn.Conv1d(FEATURES, width, 3, padding=1), nn.Conv1d(width, width, 3, padding=1)])
        self.head = nn.Linear(TOKENS * width, 1)

    def forward(self, x):
        x = x.transpose(1, 2)
        for conv in self.convs:
            x = conv(x).relu()
        return self.head(x.transpose(1, 2).flatten(1))


MODELS = {
    "diagonal": lambda: TokenTransformer(lambda c: Diagonal(c, 2)),
    "full": lambda: TokenTransformer(lambda c: Attention(c, 2, 2, True, False, "none", False, ("qkv", "proj")), layers=2),
    "linear": lambda: TokenTransformer(lambda c: Linear(c, 2)),
    "cross_covariance": lambda: TokenTransformer(lambda c: CrossCovariance(c, 2)),
    "whole": lambda: TokenTransformer(lambda c: Attention(c, 2, 2, True, False, "none", False, ("qkv", "proj")), width=6, embed=True, mlp=True, norm=True),
    "ft": FtTransformer,
    "fm": FactorizationMachine,
    "cnn": TokenCnn,
    "ft_groups": lambda: FtTransformer(groups=[1, 1, 3, 1, 4, 2]),
}


def make():
    torch.manual_seed(41)
    torch.set_default_dtype(torch.float64)
    entries = {}
    for name, build in MODELS.items():
        model = build()
        randomize(model, 0.4)
        x, y = torch.rand(5, TOKENS, FEATURES) * 2 - 1, torch.randint(2, (5,)).double()
        z = model(x)
        loss = F.binary_cross_entropy_with_logits(z[:, 0], y)
        loss.backward()
        entries.update({f"{name}/x": x.numpy(), f"{name}/y": y.numpy(), f"{name}/logits": z.detach().numpy(), f"{name}/loss": loss.detach().numpy()})
        for key, parameter in model.named_parameters():
            entries[f"{name}/param/{key}"], entries[f"{name}/grad/{key}"] = parameter.detach().numpy(), parameter.grad.numpy()
    return entries


if __name__ == "__main__":
    path = pathlib.Path(__file__).parent / "files" / "tokens.npz"
    arrays = make()
    np.savez(path, **{key: np.array(value, order="C") for key, value in arrays.items()})
    print(f"{path.name}: {len(arrays)} arrays, {path.stat().st_size / 1024:.0f} KiB")
