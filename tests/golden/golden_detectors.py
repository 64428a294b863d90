"""Faster R-CNN and DETR in PyTorch, float64, with weft's parameter names: every loss, output and gradient. Written from the papers, a box at a time.
Everything that a loss could draw at random is taken: the limits are above what there is. Run by itself: it writes files/faster_rcnn.npz and files/detr.npz.
"""
import math
import pathlib

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment
from torch.nn import functional as F

torch.set_default_dtype(torch.float64)

SIDE, CLASSES, FEATURES = 32, 3, 8
BOXES = [[(2, 3.0, 4.0, 13.0, 20.0), (0, 15.0, 8.0, 29.0, 30.0)], [(1, 6.5, 2.0, 16.0, 17.5)]]


class Parameters:
    """Makes what is asked for once, at random: the model below is its list of parameters."""

    def __init__(self):
        self.values = {}

    def __call__(self, name, *shape, spread=None, around=0.0):
        if name not in self.values:
            size = math.prod(shape[1:]) if len(shape) > 1 else 25
            self.values[name] = (around + torch.randn(*shape) * (spread or size**-0.5)).requires_grad_()
        return self.values[name]

    def linear(self, name, x, out, spread=None):
        return F.linear(x, self(name + ".weight", out, x.shape[-1], spread=spread), self(name + ".bias", out))

    def conv(self, name, x, out, kernel, stride=1, bias=True, spread=None):
        weight = self(name + ".weight", out, x.shape[1], kernel, kernel, spread=spread)
        return F.conv2d(x, weight, self(name + ".bias", out) if bias else None, stride, kernel // 2)

    def layer_norm(self, name, x):
        return F.layer_norm(x, x.shape[-1:], self(name + ".weight", x.shape[-1], around=1.0), self(name + ".bias", x.shape[-1]))

    def batch_norm(self, name, x):
        """By the batch's own statistics (Ioffe and Szegedy 2015, algorithm 1)."""
        column = lambda v: v[None, :, None, None]
        mean, var = x.mean((0, 2, 3)), x.var((0, 2, 3), unbiased=False)
        y = (x - column(mean)) / (column(var) + 1e-5).sqrt()
        return column(self(name + ".weight", x.shape[1], around=1.0)) * y + column(self(name + ".bias", x.shape[1]))


def basic_block(p, name, x, out, stride):
    y = F.relu(p.batch_norm(name + ".bn1", p.conv(name + ".conv1", x, out, 3, stride, bias=False)))
    y = p.batch_norm(name + ".bn2", p.conv(name + ".conv2", y, out, 3, bias=False))
    return F.relu(y + p.batch_norm(name + ".downsample.1", p.conv(name + ".downsample.0", x, out, 1, stride, bias=False)))


def backbone(p, images, stride):
    x = F.relu(p.batch_norm("backbone.bn1", p.conv("backbone.conv1", images, FEATURES // 4, 3, 2, bias=False)))
    return basic_block(p, "backbone.layer2", basic_block(p, "backbone.layer1", x, FEATURES // 2, 2), FEATURES, stride // 4)


def iou(a, b):
    wide, high = max(0.0, min(a[2], b[2]) - max(a[0], b[0])), max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    area = lambda c: (c[2] - c[0]) * (c[3] - c[1])
    return wide * high / (area(a) + area(b) - wide * high)


def encode(anchor, box, weights=(1, 1, 1, 1)):
    """Girshick et al. 2014, eq. 6 to 9."""
    (px, py, pw, ph), (gx, gy, gw, gh) = ([(c[0] + c[2]) / 2, (c[1] + c[3]) / 2, c[2] - c[0], c[3] - c[1]] for c in (anchor, box))
    return [w * t for w, t in zip(weights, ((gx - px) / pw, (gy - py) / ph, math.log(gw / pw), math.log(gh / ph)))]


def decode(anchor, code, weights=(1, 1, 1, 1)):
    tx, ty, tw, th = (t / w for t, w in zip(code, weights))
    px, py, pw, ph = (anchor[0] + anchor[2]) / 2, (anchor[1] + anchor[3]) / 2, anchor[2] - anchor[0], anchor[3] - anchor[1]
    x, y, w, h = px + tx * pw, py + ty * ph, pw * math.exp(min(tw, math.log(62.5))), ph * math.exp(min(th, math.log(62.5)))
    return [min(max(v, 0.0), float(SIDE)) for v in (x - w / 2, y - h / 2, x + w / 2, y + h / 2)]


def suppress(boxes, scores, threshold, most):
    kept = []
    for i in sorted(range(len(boxes)), key=lambda i: -scores[i]):
        if len(kept) < most and all(iou(boxes[i], boxes[k]) <= threshold for k in kept):
            kept.append(i)
    return kept


def roi_align(features, box, grid, samples, stride):
    """He et al. 2017, section 3: the mean of points in each cell, read between pixels whose centers are at halves."""
    height, width = features.shape[1:]

    def line(low, high, size):
        at = [(low + (high - low) * (i + 0.5) / (grid * samples)) / stride - 0.5 for i in range(grid * samples)]
        weights = torch.zeros(len(at), size)
        for row, t in zip(weights, at):
            t = min(max(t, 0.0), size - 1.0)
            first = min(int(t), size - 2)
            row[first], row[first + 1] = 1 - (t - first), t - first
        return weights

    points = torch.einsum("yh,chw,xw->cyx", line(box[1], box[3], height), features, line(box[0], box[2], width))
    return points.reshape(-1, grid, samples, grid, samples).mean((2, 4))


def smooth_l1(x, bend):
    return torch.where(x.abs() < bend, x * x / (2 * bend), x.abs() - bend / 2).sum()


ANCHORS = [(x - h / r / 2, y - h / 2, x + h / r / 2, y + h / 2) for y in range(2, SIDE, 4) for x in range(2, SIDE, 4) for h in (10, 18) for r in (1, 2)]
GRID, HIDDEN, REGION = 3, 12, (10, 10, 5, 5)


def faster_rcnn(p, images):
    """The four losses, and what the second stage says of each region: classes and codes."""
    features = backbone(p, images, 4)
    x = F.relu(p.conv("rpn.conv", features, FEATURES, 3))
    logits = p.conv("rpn.cls_logits", x, 4, 1, spread=0.3).permute(0, 2, 3, 1).reshape(len(images), -1)
    codes = p.conv("rpn.bbox_pred", x, 16, 1, spread=0.1).permute(0, 2, 3, 1).reshape(len(images), -1, 4)

    def stage(rows, bend):
        """Loss of the codes of the rows that are objects, over the number of all rows."""
        wanted = [(code, target) for _, code, target in rows if target is not None]
        return smooth_l1(torch.stack([code for code, _ in wanted]) - torch.tensor([target for _, target in wanted]), bend) / len(rows)

    # Ren et al. 2015, section 3.1.2: an anchor is an object from 0.7 on, or if it is the best of an object; background below 0.3.
    first, said, truth = [], [], []
    for b, objects in enumerate(BOXES):
        table = [[iou(a, o[1:]) for o in objects] for a in ANCHORS]
        top = [max(row[t] for row in table) for t in range(len(objects))]
        for i, row in enumerate(table):
            best = max(row)
            target = row.index(best) if best >= 0.7 else next((t for t in range(len(objects)) if row[t] == top[t] > 0), None)
            if target is None and best >= 0.3:
                continue
            first.append((i, codes[b, i], None if target is None else encode(ANCHORS[i], objects[target][1:])))
            said.append(logits[b, i])
            truth.append(0.0 if target is None else 1.0)
    losses = {"objectness": F.binary_cross_entropy_with_logits(torch.stack(said), torch.tensor(truth)), "proposal_boxes": stage(first, 1 / 9)}

    proposals, regions, names, wanted = propose(logits, codes, 20), [], [], []
    for b, objects in enumerate(BOXES):
        for box in proposals[b] + [list(o[1:]) for o in objects]:
            overlap = [iou(box, o[1:]) for o in objects]
            target = overlap.index(max(overlap)) if max(overlap) >= 0.5 else None
            regions.append((b, box))
            names.append(0 if target is None else objects[target][0] + 1)
            wanted.append(None if target is None else encode(box, objects[target][1:], REGION))
    classes, boxes = read(p, features, regions)
    losses["classes"] = F.cross_entropy(classes, torch.tensor(names))
    losses["boxes"] = stage([(i, boxes[i, name - 1], target) for i, (name, target) in enumerate(zip(names, wanted))], 1.0)
    return losses, classes, boxes


def propose(logits, codes, most):
    proposals = []
    for b in range(len(logits)):
        order = sorted(range(len(ANCHORS)), key=lambda i: -logits[b, i].item())[:100]
        boxes = [(decode(ANCHORS[i], codes[b, i].tolist()), logits[b, i].item()) for i in order]
        boxes = [(box, score) for box, score in boxes if box[2] - box[0] >= 2 and box[3] - box[1] >= 2]
        proposals.append([boxes[i][0] for i in suppress([box for box, _ in boxes], [score for _, score in boxes], 0.7, most)])
    return proposals


def read(p, features, regions):
    cells = torch.stack([roi_align(features[b], box, GRID, 2, 4).flatten() for b, box in regions])
    x = F.relu(p.linear("roi_heads.fc7", F.relu(p.linear("roi_heads.fc6", cells, HIDDEN)), HIDDEN))
    return p.linear("roi_heads.cls_score", x, CLASSES + 1), p.linear("roi_heads.bbox_pred", x, 4 * CLASSES, spread=0.1).view(len(regions), CLASSES, 4)


def attention(p, name, query, key, value, heads=2):
    q, k, v = (p.linear(f"{name}.{n}", x, x.shape[-1]) for n, x in (("q", query), ("k", key), ("v", value)))
    size = q.shape[-1] // heads
    cut = [slice(h * size, (h + 1) * size) for h in range(heads)]
    parts = [torch.softmax(q[..., c] @ k[..., c].transpose(1, 2) / math.sqrt(size), -1) @ v[..., c] for c in cut]
    return p.linear(name + ".out_proj", torch.cat(parts, -1), q.shape[-1])


def feed_forward(p, name, x):
    return p.linear(name + ".linear2", F.relu(p.linear(name + ".linear1", x, 16)), 8)


def sinusoids(count, width):
    """Vaswani et al. 2017, section 3.5."""
    return torch.tensor([[(math.sin if i % 2 == 0 else math.cos)(t / 10000 ** (i // 2 * 2 / width)) for i in range(width)] for t in range(count)])


def detr(p, images):
    """Carion et al. 2020, figure 10 and section A.4: the loss of each layer, and the last one's logits and boxes."""
    side, width, queries = SIDE // 8, 8, 5
    memory = p.linear("input_proj", backbone(p, images, 8).flatten(2).transpose(1, 2), width)
    places = torch.stack([torch.cat([sinusoids(side, width // 2)[y], sinusoids(side, width // 2)[x]]) for y in range(side) for x in range(side)])
    places = places.float().double()  # weft's table is in f32
    for i in range(2):
        at, placed = f"encoder.{i}", memory + places
        memory = p.layer_norm(at + ".norm1", memory + attention(p, at + ".self_attn", placed, placed, memory))
        memory = p.layer_norm(at + ".norm2", memory + feed_forward(p, at, memory))
    x, asked = torch.zeros(len(images), queries, width), p("query_embed", queries, width, spread=1.0)
    losses = []
    for i in range(2):
        at, placed = f"decoder.{i}", x + asked
        x = p.layer_norm(at + ".norm1", x + attention(p, at + ".self_attn", placed, placed, x))
        x = p.layer_norm(at + ".norm2", x + attention(p, at + ".cross_attn", x + asked, memory + places, memory))
        x = p.layer_norm(at + ".norm3", x + feed_forward(p, at, x))
        y = p.layer_norm("norm", x)
        logits = p.linear("class_embed", y, CLASSES + 1)
        boxes = torch.sigmoid(p.linear("bbox_embed3", F.relu(p.linear("bbox_embed2", F.relu(p.linear("bbox_embed1", y, width)), width)), 4))
        losses.append(set_loss(logits, boxes))
    return {f"layer{i}": loss for i, loss in enumerate(losses)}, logits, boxes


def giou(a, b):
    """Rezatofighi et al. 2019, algorithm 1, of boxes by center and size."""
    a, b = (torch.cat([c[:2] - c[2:] / 2, c[:2] + c[2:] / 2]) for c in (a, b))
    common = (torch.minimum(a[2:], b[2:]) - torch.maximum(a[:2], b[:2])).clamp(min=0).prod()
    union = (a[2:] - a[:2]).prod() + (b[2:] - b[:2]).prod() - common
    hull = (torch.maximum(a[2:], b[2:]) - torch.minimum(a[:2], b[:2])).prod()
    return common / union - (hull - union) / hull


def set_loss(logits, boxes):
    names, placement, count = torch.full(logits.shape[:2], CLASSES), 0.0, 0
    for b, objects in enumerate(BOXES):
        wanted = [torch.tensor([(o[1] + o[3]) / 2, (o[2] + o[4]) / 2, o[3] - o[1], o[4] - o[2]]) / SIDE for o in objects]
        costs = [[(5 * (boxes[b, q] - w).abs().sum() - 2 * giou(boxes[b, q], w) - logits[b, q].softmax(-1)[o[0]]).item() for q in range(logits.shape[1])]
                 for o, w in zip(objects, wanted)]
        for t, q in zip(*linear_sum_assignment(np.array(costs))):
            names[b, q] = objects[t][0]
            placement = placement + 5 * (boxes[b, q] - wanted[t]).abs().sum() + 2 * (1 - giou(boxes[b, q], wanted[t]))
            count += 1
    weights = torch.ones(CLASSES + 1)
    weights[-1] = 0.1
    return F.cross_entropy(logits.flatten(0, 1), names.flatten(), weights) + placement / count


def make(model):
    torch.manual_seed(41)
    p, images = Parameters(), torch.rand(2, 1, SIDE, SIDE)
    losses, logits, out = model(p, images)
    sum(losses.values()).backward()
    entries = {"images": images, "boxes": torch.tensor([BOXES[0], BOXES[1] + [(-1, 0, 0, 0, 0)]]), "logits": logits.detach(), "out": out.detach()}
    entries.update({f"loss/{key}": value.detach() for key, value in losses.items()})
    for key, value in p.values.items():
        entries[f"param/{key}"], entries[f"grad/{key}"] = value.detach(), value.grad
    return entries


if __name__ == "__main__":
    for model in (faster_rcnn, detr):
        path = pathlib.Path(__file__).parent / "files" / f"{model.__name__}.npz"
        entries = make(model)
        np.savez(path, **{key: np.array(value, order="C") for key, value in entries.items()})
        print(f"{path.name}: {len(entries)} arrays, {path.stat().st_size / 1024:.0f} KiB")
