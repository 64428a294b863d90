#!/usr/bin/python3
"""A GPT and a ViT with sigmoid attention in PyTorch, float64: logits, loss and gradients.

    /usr/bin/python3 tests/golden/golden_sigmoid_attention.py        # writes tests/golden/files/sigmoid_attention.npz
"""
import math
import pathlib

import numpy as np
import torch

import golden_models


class SigmoidAttention(golden_models.Attention):
    """Ramapuram et al. 2024, section 2: sigmoid(scores - log n), n the keys that a query sees."""

    def forward(self, x):
        b, t, c = x.shape
        widths = [self.heads * self.size, self.kv_heads * self.size, self.kv_heads * self.size]
        q, k, v = (part.view(b, t, -1, self.size).transpose(1, 2) for part in getattr(self, self.names[0])(x).split(widths, -1))
        if self.positions == "rope":
            q, k = golden_models.rotate(q), golden_models.rotate(k)
        k, v = (y.repeat_interleave(self.heads // self.kv_heads, 1) for y in (k, v))
        seen = torch.ones(t, t).tril() if self.causal else torch.ones(t, t)
        weights = torch.sigmoid(q @ k.transpose(-2, -1) / math.sqrt(self.size) - seen.sum(-1, keepdim=True).log()) * seen
        return getattr(self, self.names[1])((weights @ v).transpose(1, 2).reshape(b, t, c))


def make():
    torch.manual_seed(7)
    torch.set_default_dtype(torch.float64)
    golden_models.Attention = SigmoidAttention
    entries = {}
    for name, model in {"gpt": golden_models.Gpt(kv_heads=2, positions="rope"), "vit": golden_models.Vit()}.items():
        golden_models.randomize(model)
        x, y = golden_models.batch_of(name, model)
        logits, loss = golden_models.loss_of(model, x, y)
        loss.backward()
        entries.update({f"{name}/x": x, f"{name}/y": y, f"{name}/logits": logits, f"{name}/loss": loss})
        for key, value in model.named_parameters():
            entries[f"{name}/param/{key}"], entries[f"{name}/grad/{key}"] = value, value.grad
    return {name: value.detach().numpy() for name, value in entries.items()}


if __name__ == "__main__":
    path = pathlib.Path(__file__).parent / "files" / "sigmoid_attention.npz"
    np.savez(path, **{key: np.array(value, order="C") for key, value in make().items()})
    print(f"{path.name}: {path.stat().st_size / 1024:.0f} KiB")
