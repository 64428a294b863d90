#!/usr/bin/python3
"""A language model of two LSTM layers in PyTorch, float64: logits, loss and gradients.

    /usr/bin/python3 tests/golden/golden_lstm.py        # writes tests/golden/files/lstm.npz
"""
import pathlib

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

VOCABULARY, WIDTH, LAYERS = 11, 6, 2


def ours(name):
    """The name of a parameter of nn.LSTM in weft: layers.0.weight_ih."""
    kind, layer = name.rsplit("_l", 1)
    return f"layers.{layer}.{kind}"


def make():
    torch.manual_seed(5)
    torch.set_default_dtype(torch.float64)
    wte, lstm, head = nn.Embedding(VOCABULARY, WIDTH), nn.LSTM(WIDTH, WIDTH, LAYERS, batch_first=True), nn.Linear(WIDTH, VOCABULARY)
    ids, targets = torch.randint(0, VOCABULARY, (3, 7)), torch.randint(0, VOCABULARY, (3, 7))
    logits = head(lstm(wte(ids))[0])
    loss = F.cross_entropy(logits.flatten(0, 1), targets.flatten())
    loss.backward()
    parameters = {"wte.weight": wte.weight, "lm_head.weight": head.weight, "lm_head.bias": head.bias}
    parameters.update({ours(name): value for name, value in lstm.named_parameters()})
    entries = {"x": ids, "y": targets, "logits": logits, "loss": loss}
    for name, value in parameters.items():
        entries[f"param/{name}"], entries[f"grad/{name}"] = value, value.grad
    return {name: value.detach().numpy() for name, value in entries.items()}


if __name__ == "__main__":
    path = pathlib.Path(__file__).parent / "files" / "lstm.npz"
    np.savez(path, **{key: np.array(value, order="C") for key, value in make().items()})
    print(f"{path.name}: {path.stat().st_size / 1024:.0f} KiB")
