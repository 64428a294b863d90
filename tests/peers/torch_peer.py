#!/usr/bin/env python3
"""Training steps and text generation in PyTorch, to hold weft against. Runs on torch 1.13 (Debian's python3-torch) and on torch 2.

    OMP_NUM_THREADS=2 python3 tests/peers/torch_peer.py gpt --layers 6 --heads 6 --width 384 --context 256 --batch 8
    OMP_NUM_THREADS=2 python3 tests/peers/torch_peer.py vit --layers 6 --width 64 --batch 64
    OMP_NUM_THREADS=2 python3 tests/peers/torch_peer.py resnet          # and the other models of `weft bench`: torch_models.py, torch_detectors.py
    OMP_NUM_THREADS=2 python3 tests/peers/torch_peer.py generate --chars 1000

The flags, the work and the fields of the JSON line are those of `weft bench MODEL --json`. GPT and ViT: pre-norm blocks with biases, exact GELU, learned
positions, no dropout; the GPT's head is untied and has no bias, the ViT reads a class token; AdamW(1e-3, betas 0.9 and 0.99, weight decay 0.1)
on one random batch, as of all models. `generate` writes text as most people first do: the whole context through the model for every character, no cache.
--compile wraps the model in torch.compile, where there is one; --dtype bf16 is `weft bench --precision bf16`'s peer: autocast.
"""
import argparse
import json
import resource
import statistics
import time

import torch
from torch import nn
from torch.nn import functional as F

TRANSFORMER = {"layers": 4, "heads": 4, "width": 128}


class Attention(nn.Module):
    """Self attention. In torch 2 by scaled_dot_product_attention, the fastest it has; in torch 1 written out."""

    def __init__(self, width, heads, causal, longest):
        super().__init__()
        self.heads, self.causal = heads, causal
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)
        self.fused = hasattr(F, "scaled_dot_product_attention")
        if causal and not self.fused:
            self.register_buffer("future", torch.full((longest, longest), float("-inf")).triu(1), persistent=False)

    def forward(self, x):
        batch, length, width = x.shape
        q, k, v = self.qkv(x).view(batch, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4).unbind(0)
        if self.fused:
            out = F.scaled_dot_product_attention(q, k, v, is_causal=self.causal)
        else:
            scores = q @ k.transpose(-2, -1) * (width // self.heads) ** -0.5
            if self.causal:
                scores = scores + self.future[:length, :length]
            out = scores.softmax(-1) @ v
        return self.proj(out.transpose(1, 2).reshape(batch, length, width))


class LightningAttention(nn.Module):
    """Linear attention with decay (Qin et al. 2024, arXiv 2401.04658, eq. 3), in chunks: scores within one, a running sum of k^T v between them."""

    def __init__(self, width, heads, longest):
        super().__init__()
        self.heads, self.chunk = heads, min(64, longest)
        if longest % self.chunk:
            raise SystemExit(f"lightning wants a context that {self.chunk} divides")
        self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)
        decay = torch.exp(-torch.exp2(-8 * torch.arange(1, heads + 1) / heads)).view(heads, 1, 1, 1)
        at = torch.arange(self.chunk).float()
        distance = at[:, None] - at
        self.register_buffer("within", torch.where(distance >= 0, decay ** distance.clamp(min=0), torch.zeros(())), persistent=False)
        self.register_buffer("since", decay ** (at[:, None] + 1), persistent=False)
        self.register_buffer("until", decay ** (self.chunk - 1 - at[:, None]), persistent=False)
        self.register_buffer("across", decay.squeeze(1) ** self.chunk, persistent=False)

    def forward(self, x):
        batch, length, width = x.shape
        q, k, v = self.qkv(x).view(batch, length // self.chunk, self.chunk, 3, self.heads, -1).permute(3, 0, 4, 1, 2, 5).unbind(0)
        q, k = F.silu(q), F.silu(k)
        out = (q @ k.transpose(-2, -1) * self.within) @ v
        sums = (k * self.until).transpose(-2, -1) @ v
        state, states = torch.zeros_like(sums[:, :, 0]), []
        for i in range(sums.shape[2]):
            states.append(state)
            state = self.across * state + sums[:, :, i]
        out = out + (q * self.since) @ torch.stack(states, 2)
        out = out * torch.rsqrt(out.square().mean(-1, keepdim=True) + 1e-6)
        return self.proj(out.permute(0, 2, 3, 1, 4).reshape(batch, length, width))


class Block(nn.Module):
    def __init__(self, width, heads, causal, longest, lightning=False):
        super().__init__()
        self.norm1, self.attention = nn.LayerNorm(width), LightningAttention(width, heads, longest) if lightning else Attention(width, heads, causal, longest)
        self.norm2 = nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x):
        x = x + self.attention(self.norm1(x))
        return x + self.mlp(self.norm2(x))


def blocks(flags, causal, longest):
    return nn.Sequential(*(Block(flags.width, flags.heads, causal, longest, getattr(flags, "attention", "") == "lightning") for _ in range(flags.layers)))


class Gpt(nn.Module):
    sizes = {**TRANSFORMER, "context": 64, "vocab": 65, "batch": 12}

    def __init__(self, flags):
        super().__init__()
        self.tokens = nn.Embedding(flags.vocab, flags.width)
        self.positions = nn.Embedding(flags.context, flags.width)
        self.blocks = blocks(flags, True, flags.context)
        self.norm = nn.LayerNorm(flags.width)
        self.head = nn.Linear(flags.width, flags.vocab, bias=False)

    def forward(self, ids):
        x = self.tokens(ids) + self.positions.weight[: ids.shape[1]]
        return self.head(self.norm(self.blocks(x)))

    @staticmethod
    def random_batch(flags):
        shape = (flags.batch, flags.context)
        return torch.randint(flags.vocab, shape), torch.randint(flags.vocab, shape)

    def loss(self, inputs, targets):
        return F.cross_entropy(self(inputs).flatten(0, 1), targets.flatten())


class Vit(nn.Module):
    sizes = {**TRANSFORMER, "image": 28, "patch": 4, "channels": 1, "classes": 10, "batch": 12}

    def __init__(self, flags):
        super().__init__()
        tokens = (flags.image // flags.patch) ** 2 + 1
        self.patches = nn.Conv2d(flags.channels, flags.width, flags.patch, flags.patch)
        self.class_token = nn.Parameter(torch.zeros(1, 1, flags.width))
        self.positions = nn.Parameter(0.02 * torch.randn(1, tokens, flags.width))
        self.blocks = blocks(flags, False, tokens)
        self.norm = nn.LayerNorm(flags.width)
        self.head = nn.Linear(flags.width, flags.classes)

    def forward(self, images):
        x = self.patches(images).flatten(2).transpose(1, 2)
        x = torch.cat([self.class_token.expand(len(x), -1, -1), x], 1) + self.positions
        return self.head(self.norm(self.blocks(x)[:, 0]))

    @staticmethod
    def random_batch(flags):
        return torch.rand(flags.batch, flags.channels, flags.image, flags.image), torch.randint(flags.classes, (flags.batch,))

    def loss(self, images, classes):
        return F.cross_entropy(self(images), classes)


def time_steps(model, flags):
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, betas=(0.9, 0.99), weight_decay=0.1)
    batch = model.random_batch(flags)
    items = flags.batch * getattr(flags, "context", 1)
    times = []
    for _ in range(flags.warmup + flags.steps):
        begin = time.perf_counter()
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=flags.dtype == "bf16"):
            loss = model.loss(*batch)
        loss.backward()
        optimizer.step()
        times.append(time.perf_counter() - begin)
    times = times[flags.warmup :]
    median = statistics.median(times)
    return {"median_ms": round(median * 1e3, 3), "min_ms": round(min(times) * 1e3, 3), "items_per_s": round(items / median, 1), "loss": loss.item()}


@torch.no_grad()
def generate(model, context, ids, count):
    for _ in range(count):
        logits = model(ids[:, -context:])[:, -1]
        ids = torch.cat([ids, torch.multinomial(logits.softmax(-1), 1)], 1)
    return ids


def time_generation(model, flags):
    model.eval()
    start = torch.zeros(1, 1, dtype=torch.long)
    for _ in range(min(flags.warmup, 1)):
        generate(model, flags.context, start, min(flags.chars, 100))
    times = []
    for _ in range(flags.repeats):
        begin = time.perf_counter()
        generate(model, flags.context, start, flags.chars)
        times.append(time.perf_counter() - begin)
    median = statistics.median(times)
    return {"median_ms": round(median * 1e3, 3), "min_ms": round(min(times) * 1e3, 3), "items_per_s": round(flags.chars / median, 1)}


def peak_mib():
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)


def models():
    from torch_detectors import MODELS as detectors
    from torch_models import MODELS as more

    return {"gpt": Gpt, "vit": Vit, **more, **detectors, "generate": Gpt}


def read_flags():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="kind", metavar="MODEL", required=True)
    for name, model in models().items():
        command = commands.add_parser(name, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
        for size, default in {**model.sizes, "steps": 40, "warmup": 8}.items():
            command.add_argument("--" + size, type=int, default=default)
        if name == "gpt":
            command.add_argument("--attention", choices=["softmax", "lightning"], default="softmax")
        if name == "generate":
            command.add_argument("--chars", type=int, default=1000, help="that it writes")
            command.add_argument("--repeats", type=int, default=3, help="times that it writes them")
        command.add_argument("--compile", action="store_true", help="torch.compile the model (torch 2)")
        command.add_argument("--dtype", choices=["f32", "bf16"], default="f32", help="bf16: autocast; parameters and optimizer stay f32")
    return parser.parse_args()


def main():
    flags = read_flags()
    torch.manual_seed(0)
    model = models()[flags.kind](flags)
    params = sum(p.numel() for p in model.parameters())
    if flags.compile:
        if not hasattr(torch, "compile"):
            raise SystemExit(f"torch {torch.__version__} has no torch.compile")
        if flags.kind == "generate":
            model = torch.compile(model)
        else:
            model.loss = torch.compile(model.loss)
    if flags.kind == "generate":
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=flags.dtype == "bf16"):
            figures = time_generation(model, flags)
    else:
        figures = time_steps(model, flags)
    peer = "torch " + torch.__version__ + (" compiled" if flags.compile else "")
    print(json.dumps({"peer": peer, "kind": flags.kind, **figures, "params": params, "peak_mib": peak_mib(), "threads": torch.get_num_threads()}))


if __name__ == "__main__":
    main()
