#!/usr/bin/python3
"""Convolutional networks in PyTorch, float64, with torchvision's parameter names: five training steps, the logits and gradients of the first, and the logits
of an evaluation after the last, which rest on the running statistics of batch norm.

    /usr/bin/python3 tests/golden/golden_cnn.py        # writes tests/golden/files/cnn.npz
"""
import pathlib

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F


class Lenet(nn.Module):
    """LeCun et al. 1998, section II.B, with ReLU and max pooling."""

    def __init__(self, channels=2, classes=5):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(channels, 6, 5, padding=2), nn.Conv2d(6, 16, 5)
        self.fc1, self.fc2, self.fc3 = nn.Linear(16 * 2 * 1, 120), nn.Linear(120, 84), nn.Linear(84, classes)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        return self.fc3(F.relu(self.fc2(F.relu(self.fc1(x.flatten(1))))))


class BasicBlock(nn.Module):
    """He et al. 2016, figure 2."""

    def __init__(self, inside, out, stride):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(inside, out, 3, stride, 1, bias=False), nn.BatchNorm2d(out)
        self.conv2, self.bn2 = nn.Conv2d(out, out, 3, 1, 1, bias=False), nn.BatchNorm2d(out)
        self.downsample = nn.Sequential(nn.Conv2d(inside, out, 1, stride, bias=False), nn.BatchNorm2d(out)) if stride != 1 or inside != out else None

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(y + (x if self.downsample is None else self.downsample(x)))


class Resnet(nn.Module):
    """He et al. 2016, section 4.2, two blocks a stage."""

    def __init__(self, channels=2, classes=5, width=4, blocks=2):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(channels, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width)
        stage = lambda a, b, stride: nn.Sequential(*[BasicBlock(a if i == 0 else b, b, stride if i == 0 else 1) for i in range(blocks)])
        self.layer1, self.layer2, self.layer3 = stage(width, width, 1), stage(width, 2 * width, 2), stage(2 * width, 4 * width, 2)
        self.fc = nn.Linear(4 * width, classes)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        return self.fc(self.layer3(self.layer2(self.layer1(x))).mean((2, 3)))


def state(model):
    return {key: value.clone().numpy() for key, value in model.state_dict().items() if not key.endswith("num_batches_tracked")}


def make():
    entries = {}
    for name, model, size in (("lenet", Lenet(), (16, 12)), ("resnet", Resnet(), (9, 7))):
        entries.update({f"{name}/before/{key}": value for key, value in state(model).items()})
        optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
        images, labels, losses = torch.rand(5, 6, 2, *size) - 0.5, torch.randint(5, (5, 6)), []
        for step in range(5):
            optimizer.zero_grad()
            logits = model(images[step])
            loss = F.cross_entropy(logits, labels[step])
            loss.backward()
            if step == 0:
                entries[f"{name}/logits"] = logits.detach().numpy()
                entries.update({f"{name}/grad/{key}": p.grad.clone().numpy() for key, p in model.named_parameters()})
            optimizer.step()
            losses.append(loss.detach())
        model.eval()
        entries.update({f"{name}/x": images.numpy(), f"{name}/y": labels.numpy(), f"{name}/losses": torch.stack(losses).numpy(),
                        f"{name}/evaluation": model(images[0]).detach().numpy()})
        entries.update({f"{name}/after/{key}": value for key, value in state(model).items()})
    return entries


if __name__ == "__main__":
    torch.set_default_dtype(torch.float64)
    torch.manual_seed(41)
    path = pathlib.Path(__file__).parent / "files" / "cnn.npz"
    np.savez(path, **{key: np.array(value, order="C") for key, value in make().items()})
    print(f"{path.name}: {path.stat().st_size / 1024:.0f} KiB")
