"""Modules and whole models in PyTorch, float64, with the parameter names weft uses (nanoGPT's for GPT, timm's for ViT): values, gradients, and
twenty training steps. Written from the papers and the configuration fields, to be compared with weft's own modules.
"""
import math

import torch
from torch import nn
from torch.nn import functional as F


class RmsNorm(nn.Module):
    def __init__(self, width, weight=True, eps=1e-6):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width)) if weight else None
        self.eps = eps

    def forward(self, x):
        y = x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.eps)
        return y if self.weight is None else y * self.weight


class PlainNorm(nn.Module):
    """Layer norm, with or without bias."""

    def __init__(self, width, bias):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.bias = nn.Parameter(torch.zeros(width)) if bias else None

    def forward(self, x):
        return F.layer_norm(x, x.shape[-1:], self.weight, self.bias, 1e-5)


def rotate(x, base=10000.0):
    """Rotary positions (Su et al. 2021, eq. 34), channel i paired with i + D/2; x is (B, H, T, D)."""
    t, d = x.shape[-2:]
    angle = torch.arange(t).double()[:, None] * base ** (-torch.arange(0, d, 2).double() / d)
    cos, sin = angle.cos(), angle.sin()
    a, b = x[..., : d // 2], x[..., d // 2 :]
    return torch.cat([a * cos - b * sin, a * sin + b * cos], -1)


def alibi(heads, t):
    """Press et al. 2021, section 3: slope 2^(-8 (h + 1) / H) times minus the distance."""
    slopes = 2.0 ** (-8.0 * torch.arange(1, heads + 1).double() / heads)
    distance = torch.arange(t)[:, None] - torch.arange(t)[None, :]
    return -slopes[:, None, None] * distance.clamp(min=0)


class Attention(nn.Module):
    def __init__(self, width, heads, kv_heads, bias, causal, positions, qk_norm, names):
        super().__init__()
        self.heads, self.kv_heads, self.size = heads, kv_heads, width // heads
        self.causal, self.positions, self.qk_norm, self.names = causal, positions, qk_norm, names
        setattr(self, names[0], nn.Linear(width, (heads + 2 * kv_heads) * self.size, bias=bias))
        setattr(self, names[1], nn.Linear(width, width, bias=bias))

    def forward(self, x):
        b, t, c = x.shape
        qkv = getattr(self, self.names[0])(x).split([self.heads * self.size, self.kv_heads * self.size, self.kv_heads * self.size], -1)
        q, k, v = (part.view(b, t, -1, self.size).transpose(1, 2) for part in qkv)
        if self.qk_norm:
            q, k = (y * torch.rsqrt(y.pow(2).mean(-1, keepdim=True) + 1e-6) for y in (q, k))
        if self.positions == "rope":
            q, k = rotate(q), rotate(k)
        repeat = self.heads // self.kv_heads
        k, v = k.repeat_interleave(repeat, 1), v.repeat_interleave(repeat, 1)
        scores = q @ k.transpose(-2, -1) / math.sqrt(self.size)
        if self.positions == "alibi":
            scores = scores + alibi(self.heads, t)
        if self.causal:
            scores = scores.masked_fill(torch.ones(t, t).triu(1).bool(), float("-inf"))
        y = (scores.softmax(-1) @ v).transpose(1, 2).reshape(b, t, c)
        return getattr(self, self.names[1])(y)


class FeedForward(nn.Module):
    def __init__(self, width, ratio, bias, activation, names):
        super().__init__()
        self.names, self.activation = names, activation
        setattr(self, names[0], nn.Linear(width, ratio * width, bias=bias))
        setattr(self, names[1], nn.Linear(ratio * width, width, bias=bias))

    def forward(self, x):
        h = getattr(self, self.names[0])(x)
        h = {"gelu": F.gelu, "gelu_tanh": lambda z: F.gelu(z, approximate="tanh"), "relu": F.relu, "relu2": lambda z: F.relu(z).square()}[self.activation](h)
        return getattr(self, self.names[1])(h)


class Block(nn.Module):
    def __init__(self, norm1, attention, norm2, mlp, names, post_norm=False):
        super().__init__()
        setattr(self, names[0], norm1)
        self.attn = attention
        setattr(self, names[1], norm2)
        self.mlp, self.names, self.post_norm = mlp, names, post_norm

    def forward(self, x):
        norm1, norm2 = (getattr(self, name) for name in self.names)
        if self.post_norm:
            x = norm1(x + self.attn(x))
            return norm2(x + self.mlp(x))
        x = x + self.attn(norm1(x))
        return x + self.mlp(norm2(x))


def make_norm(kind, width, bias):
    return {"layer": lambda: PlainNorm(width, bias), "rms": lambda: RmsNorm(width), "rms_plain": lambda: RmsNorm(width, weight=False)}[kind]()


class Gpt(nn.Module):
    def __init__(self, vocab=11, context=8, layers=2, heads=4, kv_heads=4, width=16, bias=False, tied=True, positions="learned", norm="layer",
                 activation="gelu", qk_norm=False, cap=0.0, post_norm=False):
        super().__init__()
        self.positions, self.cap = positions, cap
        parts = {"wte": nn.Embedding(vocab, width)}
        if positions == "learned":
            parts["wpe"] = nn.Embedding(context, width)
        parts["h"] = nn.ModuleList(
            Block(make_norm(norm, width, bias), Attention(width, heads, kv_heads, bias, True, positions, qk_norm, ("c_attn", "c_proj")),
                  make_norm(norm, width, bias), FeedForward(width, 4, bias, activation, ("c_fc", "c_proj")), ("ln_1", "ln_2"), post_norm)
            for _ in range(layers))
        if not post_norm:  # the last block has already normalized its output
            parts["ln_f"] = make_norm(norm, width, bias)
        self.transformer = nn.ModuleDict(parts)
        self.lm_head = nn.Linear(width, vocab, bias=False)
        if tied:
            self.lm_head.weight = self.transformer["wte"].weight

    def forward(self, ids):
        x = self.transformer["wte"](ids)
        if self.positions == "learned":
            x = x + self.transformer["wpe"].weight[: ids.shape[1]]
        for block in self.transformer["h"]:
            x = block(x)
        z = self.lm_head(self.transformer["ln_f"](x) if "ln_f" in self.transformer else x)
        return self.cap * torch.tanh(z / self.cap) if self.cap else z


class PatchEmbed(nn.Module):
    def __init__(self, channels, width, patch):
        super().__init__()
        self.proj = nn.Conv2d(channels, width, patch, patch)

    def forward(self, x):
        return self.proj(x).flatten(2).transpose(1, 2)


class Vit(nn.Module):
    def __init__(self, image=8, patch=4, channels=2, classes=5, layers=2, heads=2, width=12, class_token=True, activation="gelu", ratio=4):
        super().__init__()
        count = (image // patch) ** 2
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width)) if class_token else None
        self.pos_embed = nn.Parameter(torch.zeros(1, count + int(class_token), width))
        self.patch_embed = PatchEmbed(channels, width, patch)
        self.blocks = nn.ModuleList(
            Block(PlainNorm(width, True), Attention(width, heads, heads, True, False, "none", False, ("qkv", "proj")),
                  PlainNorm(width, True), FeedForward(width, ratio, True, activation, ("fc1", "fc2")), ("norm1", "norm2"))
            for _ in range(layers))
        self.norm = PlainNorm(width, True)
        self.head = nn.Linear(width, classes)

    def forward(self, images):
        x = self.patch_embed(images)
        if self.cls_token is not None:
            x = torch.cat([self.cls_token.expand(len(x), -1, -1), x], 1)
        x = x + self.pos_embed
        for block in self.blocks:
            x = block(x)
        x = self.norm(x)
        return self.head(x[:, 0] if self.cls_token is not None else x.mean(1))


GPTS = {
    "gpt_plain": dict(),
    "gpt_modern": dict(tied=False, positions="rope", norm="rms_plain", activation="relu2", qk_norm=True, cap=15.0),
    "gpt_grouped_alibi": dict(kv_heads=2, positions="alibi", norm="rms", activation="gelu_tanh", bias=True),
    "gpt_post_norm": dict(post_norm=True, positions="none", activation="relu", bias=True),
}
VITS = {"vit_class": dict(), "vit_mean": dict(class_token=False)}


def randomize(model, scale=0.25):
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            is_norm = parameter.dim() == 1 and name.endswith("weight")
            parameter.copy_(torch.randn_like(parameter) * scale + (1.0 if is_norm else 0.0))


def batch_of(name, model):
    if name.startswith("gpt"):
        return torch.randint(11, (3, 8)), torch.randint(11, (3, 8))
    return torch.rand(4, 2, 8, 8) - 0.5, torch.randint(5, (4,))


def models():
    for name, options in GPTS.items():
        yield name, Gpt(**options)
    for name, options in VITS.items():
        yield name, Vit(**options)


def loss_of(model, x, y):
    z = model(x)
    return z, F.cross_entropy(z.reshape(-1, z.shape[-1]), y.reshape(-1))


def make_modules():
    """One forward and backward of every model: parameters, logits, loss, gradients."""
    torch.manual_seed(31)
    entries = {}
    for name, model in models():
        randomize(model)
        x, y = batch_of(name, model)
        z, loss = loss_of(model, x, y)
        loss.backward()
        entries.update({f"{name}/x": x.numpy(), f"{name}/y": y.numpy(), f"{name}/logits": z.detach().numpy(), f"{name}/loss": loss.detach().numpy()})
        for key, parameter in model.named_parameters():
            entries[f"{name}/param/{key}"], entries[f"{name}/grad/{key}"] = parameter.detach().numpy(), parameter.grad.numpy()
    return entries


def make_training():
    """Twenty steps of AdamW, clipped at 1, a new batch each: every loss and gradient norm, and the parameters before and after."""
    torch.manual_seed(32)
    entries = {}
    for name, model in models():
        if name not in ("gpt_plain", "gpt_modern", "vit_class"):
            continue
        randomize(model, 0.15)
        for key, parameter in model.named_parameters():
            entries[f"{name}/before/{key}"] = parameter.detach().clone().numpy()
        groups = [dict(params=[p for p in model.parameters() if p.dim() >= 2], weight_decay=0.1),
                  dict(params=[p for p in model.parameters() if p.dim() < 2], weight_decay=0.0)]
        optimizer = torch.optim.AdamW(groups, lr=3e-3, betas=(0.9, 0.99))
        losses, norms, xs, ys = [], [], [], []
        for _ in range(20):
            x, y = batch_of(name, model)
            optimizer.zero_grad()
            _, loss = loss_of(model, x, y)
            loss.backward()
            norms.append(float(nn.utils.clip_grad_norm_(model.parameters(), 1.0)))
            optimizer.step()
            losses.append(float(loss)), xs.append(x), ys.append(y)
        entries[f"{name}/x"], entries[f"{name}/y"] = torch.stack(xs).numpy(), torch.stack(ys).numpy()
        entries[f"{name}/losses"], entries[f"{name}/norms"] = torch.tensor(losses).numpy(), torch.tensor(norms).numpy()
        for key, parameter in model.named_parameters():
            entries[f"{name}/after/{key}"] = parameter.detach().numpy()
    return entries
