"""Fifty steps of every optimizer on a small non-convex problem, in float64: parameters after 1, 10 and 50 steps, and the gradients fed in.

The gradients are recorded, not recomputed by weft: what is compared is the update rule alone. SGD, Adam and AdamW are torch.optim's; Lion and
Muon are written out here from their papers. `late/` is the same again with gradients that come late and go missing, where PyTorch leaves a parameter and
its state as they are: `tall` has none before step 11, `w` none in steps 5 to 8, `b` one in three.
"""
import math

import torch

STEPS = 50
SHAPES = {"w": (6, 4), "tall": (9, 3), "b": (5,)}


MISSING = {
    "w": lambda step: 5 <= step <= 8,
    "tall": lambda step: step < 11,
    "b": lambda step: step % 3 != 0,
}


def present(late):
    """For each step the names of the parameters that have a gradient."""
    return [[name for name in SHAPES if not (late and MISSING[name](t + 1))] for t in range(STEPS)]


def gradients():
    generator = torch.Generator().manual_seed(7)
    return [{name: torch.randn(shape, generator=generator) * (1 + 0.02 * t) for name, shape in SHAPES.items()} for t in range(STEPS)]


def initial():
    generator = torch.Generator().manual_seed(8)
    return {name: torch.randn(shape, generator=generator) for name, shape in SHAPES.items()}


def run_torch(make, late):
    parameters = {name: value.clone().requires_grad_() for name, value in initial().items()}
    optimizer = make(parameters)
    history = []
    for grads, names in zip(gradients(), present(late)):
        for name, parameter in parameters.items():
            parameter.grad = grads[name].clone() if name in names else None
        optimizer.step()
        history.append({name: parameter.detach().clone() for name, parameter in parameters.items()})
    return history


def adamw(parameters, lr, betas, weight_decay):
    groups = [dict(params=[p for p in parameters.values() if p.dim() >= 2], weight_decay=weight_decay),
              dict(params=[p for p in parameters.values() if p.dim() < 2], weight_decay=0.0)]
    return torch.optim.AdamW(groups, lr=lr, betas=betas)


def run_lion(late, lr=0.01, beta1=0.9, beta2=0.99, weight_decay=0.1):
    parameters = initial()
    momentum = {name: torch.zeros_like(value) for name, value in parameters.items()}
    history = []
    for grads, names in zip(gradients(), present(late)):
        for name, p in parameters.items():
            if name not in names:
                continue
            g, m = grads[name], momentum[name]
            update = torch.sign(beta1 * m + (1 - beta1) * g)
            decay = weight_decay if p.dim() >= 2 else 0.0
            p.copy_(p - lr * (update + decay * p))
            m.copy_(beta2 * m + (1 - beta2) * g)
        history.append({name: value.clone() for name, value in parameters.items()})
    return history


def newton_schulz(g, steps=5):
    a, b, c = 3.4445, -4.7750, 2.0315
    x = g.T if g.shape[0] > g.shape[1] else g
    x = x / (x.norm() + 1e-7)
    for _ in range(steps):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.T if g.shape[0] > g.shape[1] else x


def run_muon(late, lr=0.02, momentum=0.95, weight_decay=0.05, blocks={"w": 3, "tall": 1}):
    parameters = initial()
    buffers = {name: torch.zeros_like(value) for name, value in parameters.items()}
    rest = {"b": parameters["b"].clone().requires_grad_()}
    adam = torch.optim.AdamW(rest.values(), lr=3e-3, betas=(0.9, 0.95), weight_decay=0.0)
    history = []
    for grads, names in zip(gradients(), present(late)):
        for name in ("w", "tall"):
            if name not in names:
                continue
            p, g, buffer = parameters[name], grads[name], buffers[name]
            buffer.copy_(momentum * buffer + (1 - momentum) * g)
            update = (1 - momentum) * g + momentum * buffer
            rows = p.shape[0] // blocks[name]
            pieces = [newton_schulz(piece) * math.sqrt(max(1.0, rows / p.shape[1])) for piece in update.split(rows)]
            p.copy_((1 - lr * weight_decay) * p - lr * torch.cat(pieces))
        rest["b"].grad = grads["b"].clone() if "b" in names else None
        adam.step()
        parameters["b"].copy_(rest["b"].detach())
        history.append({name: value.clone() for name, value in parameters.items()})
    return history


def runs(late):
    return {
        "sgd": run_torch(lambda p: torch.optim.SGD(p.values(), lr=0.02), late),
        "sgd_momentum": run_torch(lambda p: torch.optim.SGD(p.values(), lr=0.02, momentum=0.9), late),
        "sgd_nesterov": run_torch(lambda p: torch.optim.SGD(p.values(), lr=0.02, momentum=0.9, nesterov=True, weight_decay=0.1), late),
        "adam": run_torch(lambda p: torch.optim.Adam(p.values(), lr=0.01, betas=(0.8, 0.99), weight_decay=0.1), late),
        "adamw": run_torch(lambda p: adamw(p, 0.01, (0.9, 0.95), 0.1), late),
        "lion": run_lion(late),
        "muon": run_muon(late),
    }


def make():
    entries = {}
    for name, value in initial().items():
        entries[f"initial/{name}"] = value.numpy()
        entries[f"gradients/{name}"] = torch.stack([grads[name] for grads in gradients()]).numpy()
        entries[f"late/present/{name}"] = torch.tensor([name in names for names in present(True)], dtype=torch.float64).numpy()
    for prefix, late in (("", False), ("late/", True)):
        for run, history in runs(late).items():
            for step in (1, 10, 12, 50) if late else (1, 10, 50):
                for name, value in history[step - 1].items():
                    entries[f"{prefix}{run}/step{step}/{name}"] = value.numpy()
    return entries
