"""Faster R-CNN and DETR of `weft bench` in PyTorch, as torch_models.py has the others: images of 96 x 96, four random boxes in each.

Without torchvision, which Debian 12 does not have: overlaps, sampling and coding are vectorized, suppression of doubles walks down a matrix of overlaps in
NumPy, RoIAlign is F.grid_sample; DETR's matching is scipy's, as in its authors' code.
"""
import math

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment
from torch import nn
from torch.nn import functional as F

from torch_models import BasicBlock, attend

SIDE, CLASSES, BOXES = 96, 10, 4


def backbone(features, stride):
    return nn.Sequential(nn.Conv2d(1, features // 4, 3, 2, 1, bias=False), nn.BatchNorm2d(features // 4), nn.ReLU(inplace=True),
                         BasicBlock(features // 4, features // 2, 2), BasicBlock(features // 2, features, stride // 4))


def areas(boxes):
    return (boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1])


def overlaps(a, b):
    """IoU and the enclosing areas' uncovered shares of all pairs: a (..., N, 4), b (..., M, 4) -> two (..., N, M)."""
    a, b = a[..., :, None, :], b[..., None, :, :]
    common = (torch.minimum(a[..., 2:], b[..., 2:]) - torch.maximum(a[..., :2], b[..., :2])).clamp(min=0).prod(-1)
    union = areas(a) + areas(b) - common
    hull = (torch.maximum(a[..., 2:], b[..., 2:]) - torch.minimum(a[..., :2], b[..., :2])).prod(-1)
    return common / union, (hull - union) / hull


def encode(anchors, boxes):
    sizes, wanted = anchors[:, 2:] - anchors[:, :2], boxes[:, 2:] - boxes[:, :2]
    return torch.cat([((boxes[:, 2:] + boxes[:, :2]) - (anchors[:, 2:] + anchors[:, :2])) / 2 / sizes, (wanted / sizes).log()], 1)


def decode(anchors, codes):
    sizes = anchors[..., 2:] - anchors[..., :2]
    centers = (anchors[..., 2:] + anchors[..., :2]) / 2 + codes[..., :2] * sizes
    half = sizes * codes[..., 2:].clamp(max=math.log(1000 / 16)).exp() / 2
    return torch.cat([centers - half, centers + half], -1).clamp(0, SIDE)


def suppress(boxes, threshold, most):
    """Indices of boxes, given by falling score, that overlap no better one that stays."""
    hides = (overlaps(boxes, boxes)[0] > threshold).numpy()
    hidden, kept = np.zeros(len(boxes), bool), []
    for i in range(len(boxes)):
        if not hidden[i]:
            kept.append(i)
            if len(kept) == most:
                break
            hidden |= hides[i]
    return kept


def draw(chosen, count):
    """`count` of the places where `chosen` is true, at random."""
    places = chosen.nonzero()[:, 0]
    return places if len(places) <= count else places[torch.randperm(len(places))[:count]]


class Detector(nn.Module):
    @staticmethod
    def random_batch(flags):
        low = torch.cat([torch.randint(SIDE - 24, (flags.batch, BOXES, 1)), torch.randint(SIDE - 40, (flags.batch, BOXES, 1))], -1)
        size = torch.cat([torch.randint(8, 25, (flags.batch, BOXES, 1)), torch.randint(16, 41, (flags.batch, BOXES, 1))], -1)
        return torch.rand(flags.batch, 1, SIDE, SIDE), torch.cat([low, low + size], -1).float(), torch.randint(CLASSES, (flags.batch, BOXES))


class FasterRcnn(Detector):
    sizes = {"width": 64, "batch": 8}
    stride, grid, samples, hidden = 4, 6, 2, 128

    def __init__(self, flags):
        super().__init__()
        width, n_anchor = flags.width, 9
        self.backbone = backbone(width, self.stride)
        self.conv, self.logits, self.codes = nn.Conv2d(width, width, 3, padding=1), nn.Conv2d(width, n_anchor, 1), nn.Conv2d(width, 4 * n_anchor, 1)
        self.head = nn.Sequential(nn.Linear(width * self.grid**2, self.hidden), nn.ReLU(), nn.Linear(self.hidden, self.hidden), nn.ReLU())
        self.classes, self.boxes = nn.Linear(self.hidden, CLASSES + 1), nn.Linear(self.hidden, 4 * CLASSES)
        for layer, spread in ((self.logits, 0.01), (self.codes, 0.01), (self.classes, 0.01), (self.boxes, 0.001)):
            nn.init.normal_(layer.weight, 0, spread)
            nn.init.zeros_(layer.bias)
        at = (torch.arange(SIDE // self.stride) + 0.5) * self.stride
        y, x = torch.meshgrid(at, at, indexing="ij")
        height = torch.tensor([16.0, 24.0, 36.0])[:, None].expand(3, 3).flatten()
        half = torch.stack([height / torch.tensor([1, 1.6, 3.2]).repeat(3), height], 1) / 2
        centers = torch.stack([x, y], -1).view(-1, 1, 2)
        self.register_buffer("anchors", torch.cat([centers - half, centers + half], -1).view(-1, 4))

    @torch.no_grad()
    def propose(self, logits, codes):
        best, order = logits.topk(min(300, logits.shape[1]), 1)
        boxes = decode(self.anchors[order], codes.gather(1, order[..., None].expand(-1, -1, 4)))
        large = ((boxes[..., 2:] - boxes[..., :2]) >= 2).all(-1)
        proposals = []
        for mine, good in zip(boxes, large):
            mine = mine[good]
            proposals.append(mine[suppress(mine, 0.7, 64)])
        return proposals

    def roi_align(self, features, regions):
        """Regions (B, R, 4) of the map, `samples` points each way in a cell, averaged: (B R, C grid^2)."""
        batch, count = regions.shape[:2]
        points, side = self.grid * self.samples, features.shape[-1]
        at = (torch.arange(points) + 0.5) / points
        regions = regions / self.stride
        x = regions[..., 0, None] + (regions[..., 2] - regions[..., 0])[..., None] * at
        y = regions[..., 1, None] + (regions[..., 3] - regions[..., 1])[..., None] * at
        grid = torch.stack([x[:, :, None].expand(-1, -1, points, -1), y[..., None].expand(-1, -1, -1, points)], -1) * (2 / side) - 1
        read = F.grid_sample(features, grid.reshape(batch, count * points, points, 2), padding_mode="border", align_corners=False)
        cells = F.avg_pool2d(read, self.samples).view(batch, -1, count, self.grid, self.grid)
        return cells.transpose(1, 2).reshape(batch * count, -1)

    def loss(self, images, boxes, labels):
        batch = len(images)
        features = self.backbone(images)
        x = F.relu(self.conv(features))
        logits, codes = self.logits(x).permute(0, 2, 3, 1).reshape(batch, -1), self.codes(x).permute(0, 2, 3, 1).reshape(batch, -1, 4)
        iou = overlaps(self.anchors[None], boxes)[0]
        best, target = iou.max(2)
        most = iou.max(1, keepdim=True)[0]
        positive = (best >= 0.7) | ((iou == most) & (most > 0)).any(2)
        negative = ~positive & (best < 0.3)
        rows, objects, wanted = [], [], []
        for b in range(batch):
            good = draw(positive[b], 32)
            rows.append(torch.cat([good, draw(negative[b], 64 - len(good))]) + b * len(self.anchors))
            objects.append(good + b * len(self.anchors))
            wanted.append(encode(self.anchors[good], boxes[b, target[b, good]]))
        rows, objects = torch.cat(rows), torch.cat(objects)
        is_object = torch.zeros(logits.numel())
        is_object[objects] = 1
        objectness = F.binary_cross_entropy_with_logits(logits.flatten()[rows], is_object[rows])
        proposal_boxes = F.smooth_l1_loss(codes.flatten(0, 1)[objects], torch.cat(wanted), beta=1 / 9, reduction="sum") / len(rows)

        regions, names, wanted = torch.zeros(batch, 32, 4), torch.full((batch, 32), -100), []
        places = []
        for b, mine in enumerate(self.propose(logits.detach(), codes.detach())):
            mine = torch.cat([mine, boxes[b]])
            best, target = overlaps(mine, boxes[b])[0].max(1)
            good = draw(best >= 0.5, 16)
            bad = draw(best < 0.5, 32 - len(good))
            chosen = torch.cat([good, bad])
            regions[b, : len(chosen)] = mine[chosen]
            names[b, : len(good)] = labels[b, target[good]] + 1
            names[b, len(good) : len(chosen)] = 0
            wanted.append(encode(mine[good], boxes[b, target[good]]))
            places.append((torch.arange(len(good)) + 32 * b) * CLASSES + labels[b, target[good]])
        names = names.flatten()
        x = self.head(self.roi_align(features, regions))
        classes = F.cross_entropy(self.classes(x), names)
        weights = torch.tensor([10.0, 10, 5, 5])
        found = self.boxes(x).view(-1, 4)[torch.cat(places)]
        region_boxes = F.smooth_l1_loss(found, torch.cat(wanted) * weights, reduction="sum") / (names >= 0).sum()
        return objectness + proposal_boxes + classes + region_boxes


class DetrAttention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.q, self.k, self.v, self.proj = (nn.Linear(width, width) for _ in range(4))

    def forward(self, query, key, value):
        return self.proj(attend(self.q(query), self.k(key), self.v(value), self.heads))


class DetrLayer(nn.Module):
    def __init__(self, width, heads, cross):
        super().__init__()
        self.attention, self.norm1 = DetrAttention(width, heads), nn.LayerNorm(width)
        if cross:
            self.cross, self.norm2 = DetrAttention(width, heads), nn.LayerNorm(width)
        self.mlp, self.norm3 = nn.Sequential(nn.Linear(width, 4 * width), nn.ReLU(), nn.Linear(4 * width, width)), nn.LayerNorm(width)

    def forward(self, x, places, memory=None, memory_places=None):
        placed = x + places
        x = self.norm1(x + self.attention(placed, placed, x))
        if memory is not None:
            x = self.norm2(x + self.cross(x + places, memory + memory_places, memory))
        return self.norm3(x + self.mlp(x))


class Detr(Detector):
    sizes = {"layers": 3, "heads": 4, "width": 64, "queries": 12, "batch": 8}

    def __init__(self, flags):
        super().__init__()
        width, side = flags.width, SIDE // 8
        self.backbone, self.project = backbone(64, 8), nn.Linear(64, width)
        self.encoder = nn.ModuleList(DetrLayer(width, flags.heads, False) for _ in range(flags.layers))
        self.decoder = nn.ModuleList(DetrLayer(width, flags.heads, True) for _ in range(flags.layers))
        self.norm, self.queries = nn.LayerNorm(width), nn.Parameter(torch.randn(flags.queries, width))
        self.classes = nn.Linear(width, CLASSES + 1)
        self.boxes = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 4))
        turns = torch.arange(side)[:, None] * torch.exp(torch.arange(0, width // 2, 2) * (-math.log(10000) / (width // 2)))
        table = torch.stack([turns.sin(), turns.cos()], -1).flatten(1)
        self.register_buffer("places", torch.cat([table[:, None].expand(-1, side, -1), table[None].expand(side, -1, -1)], -1).reshape(side * side, width))
        self.register_buffer("weights", torch.ones(CLASSES + 1))
        self.weights[-1] = 0.1

    def loss(self, images, boxes, labels):
        memory = self.project(self.backbone(images).flatten(2).transpose(1, 2))
        for layer in self.encoder:
            memory = layer(memory, self.places)
        x, outputs = torch.zeros(len(images), *self.queries.shape), []
        for layer in self.decoder:
            x = layer(x, self.queries, memory, self.places)
            outputs.append(self.norm(x))
        outputs = torch.stack(outputs)  # what is said after every layer is computed at once
        shares = boxes / SIDE
        wanted = torch.cat([(shares[..., :2] + shares[..., 2:]) / 2, shares[..., 2:] - shares[..., :2]], -1)
        return sum(self.set_loss(*said, labels, shares, wanted) for said in zip(self.classes(outputs), self.boxes(outputs).sigmoid()))

    def set_loss(self, logits, found, labels, shares, wanted):
        corners = torch.cat([found[..., :2] - found[..., 2:] / 2, found[..., :2] + found[..., 2:] / 2], -1)
        with torch.no_grad():
            iou, bare = overlaps(corners, shares)
            said = logits.softmax(-1).gather(2, labels[:, None].expand(-1, logits.shape[1], -1))
            costs = (5 * torch.cdist(found, wanted, p=1) - said - 2 * (iou - bare)).numpy()
            pairs = [linear_sum_assignment(cost) for cost in costs]
        rows = torch.cat([torch.full((len(q),), b) for b, (q, _) in enumerate(pairs)])
        queries, objects = (torch.from_numpy(np.concatenate([pair[i] for pair in pairs])) for i in (0, 1))
        names = torch.full(logits.shape[:2], CLASSES)
        names[rows, queries] = labels[rows, objects]
        classes = F.cross_entropy(logits.flatten(0, 1), names.flatten(), self.weights)
        mine, theirs = corners[rows, queries], shares[rows, objects]
        iou, bare = pairwise(mine, theirs)
        placement = 5 * F.l1_loss(found[rows, queries], wanted[rows, objects], reduction="sum") + 2 * (1 - iou + bare).sum()
        return classes + placement / len(rows)


def pairwise(a, b):
    """overlaps() of row i with row i."""
    iou, bare = overlaps(a[:, None], b[:, None])
    return iou[:, 0, 0], bare[:, 0, 0]


MODELS = {"faster_rcnn": FasterRcnn, "detr": Detr}
