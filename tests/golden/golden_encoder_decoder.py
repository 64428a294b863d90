"""The encoder-decoder against PyTorch's own nn.Transformer layers, float64: logits, loss and every gradient, in weft's parameter names.

    python3 tests/golden/golden_encoder_decoder.py     # writes files/encoder_decoder.npz
"""
import math
import pathlib

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

VOCABULARY, WIDTH, HEADS, HIDDEN, LAYERS = 7, 8, 2, 16, 2


def sinusoids(n, width):
    position, pair = torch.arange(n).double()[:, None], torch.arange(0, width, 2).double()[None, :]
    angle = position / 10000 ** (pair / width)
    return torch.stack([angle.sin(), angle.cos()], -1).reshape(n, width)


class Model(nn.Module):
    def __init__(self, norm_first):
        super().__init__()
        how = dict(d_model=WIDTH, nhead=HEADS, dim_feedforward=HIDDEN, dropout=0.0, activation="relu", batch_first=True, norm_first=norm_first)
        self.wte = nn.Embedding(VOCABULARY, WIDTH)
        self.encoder = nn.ModuleList([nn.TransformerEncoderLayer(**how) for _ in range(LAYERS)])
        self.decoder = nn.ModuleList([nn.TransformerDecoderLayer(**how) for _ in range(LAYERS)])
        self.encoder_norm = nn.LayerNorm(WIDTH) if norm_first else None
        self.decoder_norm = nn.LayerNorm(WIDTH) if norm_first else None

    def embed(self, ids):
        return self.wte(ids) * math.sqrt(WIDTH) + sinusoids(ids.shape[1], WIDTH)

    def forward(self, source, target, padding):
        memory = self.embed(source)
        for layer in self.encoder:
            memory = layer(memory, src_key_padding_mask=padding)
        if self.encoder_norm:
            memory = self.encoder_norm(memory)
        x = self.embed(target)
        mask = torch.ones(target.shape[1], target.shape[1]).triu(1).bool()
        for layer in self.decoder:
            x = layer(x, memory, tgt_mask=mask, memory_key_padding_mask=padding)
        if self.decoder_norm:
            x = self.decoder_norm(x)
        return x @ self.wte.weight.T


def named(model, of):
    """Arrays under weft's names; `of` gives a parameter's value or its gradient."""
    result = {"wte.weight": of(model.wte.weight)}
    norms = {"encoder": ("norm1", "norm2"), "decoder": ("norm1", "norm2", "norm3")}
    for side in ("encoder", "decoder"):
        for i, layer in enumerate(getattr(model, side)):
            at = f"{side}.{i}."

            def put(name, module):
                result[at + name + ".weight"], result[at + name + ".bias"] = of(module.weight), of(module.bias)

            for part in ("weight", "bias"):
                result[at + f"attn.c_attn.{part}"] = of(getattr(layer.self_attn, "in_proj_" + part))
            put("attn.c_proj", layer.self_attn.out_proj)
            if side == "decoder":
                for part in ("weight", "bias"):
                    joined = of(getattr(layer.multihead_attn, "in_proj_" + part))
                    result[at + f"cross_attn.c_q.{part}"], result[at + f"cross_attn.c_kv.{part}"] = joined[:WIDTH], joined[WIDTH:]
                put("cross_attn.c_proj", layer.multihead_attn.out_proj)
            put("mlp.c_fc", layer.linear1)
            put("mlp.c_proj", layer.linear2)
            for n, norm in enumerate(norms[side]):
                put(f"ln_{n + 1}", getattr(layer, norm))
        norm = getattr(model, side + "_norm")
        if norm is not None:
            result[side + "_norm.weight"], result[side + "_norm.bias"] = of(norm.weight), of(norm.bias)
    return result


def make():
    torch.manual_seed(11)
    torch.set_default_dtype(torch.float64)
    entries = {}
    for name, norm_first in (("post_norm", False), ("pre_norm", True)):
        model = Model(norm_first)
        for parameter in model.parameters():
            if parameter.dim() == 1:  # norms and biases that are not where they start
                parameter.data += torch.empty_like(parameter).uniform_(-0.3, 0.3)
        source, target = torch.randint(VOCABULARY, (2, 5)), torch.randint(VOCABULARY, (2, 4))
        answer = torch.randint(VOCABULARY, (2, 4))
        padding = torch.zeros(2, 5, dtype=torch.bool)
        padding[1, 3:] = True
        logits = model(source, target, padding)
        loss = F.cross_entropy(logits.reshape(-1, VOCABULARY), answer.reshape(-1))
        loss.backward()
        for key, value in dict(source=source, target=target, answer=answer, padding=padding.byte(), logits=logits, loss=loss).items():
            entries[f"{name}/{key}"] = value.detach().numpy()
        for key, value in named(model, lambda p: p.detach()).items():
            entries[f"{name}/param/{key}"] = value.numpy()
        for key, value in named(model, lambda p: p.grad).items():
            entries[f"{name}/grad/{key}"] = value.numpy()
    return entries


if __name__ == "__main__":
    np.savez(pathlib.Path(__file__).parent / "files" / "encoder_decoder.npz", **make())
