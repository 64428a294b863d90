#!/usr/bin/python3
"""Fifty steps of torch.optim.RMSprop on the gradients of golden_optimizers.py, plain, and centered with momentum and weight decay.

    /usr/bin/python3 tests/golden/golden_rmsprop.py        # writes tests/golden/files/rmsprop.npz
"""
import pathlib

import numpy as np
import torch

import golden_optimizers as common

CASES = {
    "plain": dict(lr=0.01),
    "centered": dict(lr=0.01, alpha=0.9, momentum=0.8, centered=True, weight_decay=0.1),
}


def make():
    torch.set_default_dtype(torch.float64)
    entries = {}
    for name, value in common.initial().items():
        entries[f"initial/{name}"] = value.numpy()
        entries[f"gradients/{name}"] = torch.stack([grads[name] for grads in common.gradients()]).numpy()
    for case, options in CASES.items():
        history = common.run_torch(lambda p, options=options: torch.optim.RMSprop(p.values(), **options), False)
        for step in (1, 10, 50):
            for name, value in history[step - 1].items():
                entries[f"{case}/step{step}/{name}"] = value.numpy()
    return entries


if __name__ == "__main__":
    path = pathlib.Path(__file__).parent / "files" / "rmsprop.npz"
    np.savez(path, **{key: np.array(value, order="C") for key, value in make().items()})
    print(f"{path.name}: {path.stat().st_size / 1024:.0f} KiB")
