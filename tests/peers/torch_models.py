"""The models of `weft bench` beyond gpt and vit in PyTorch, as torch_peer.py runs them: each a module with its sizes, a random batch, and the loss of one.

Written plainly, with what PyTorch does fastest: nn.EmbeddingBag for averages, fused projections, packed histories. No dropout; the same parameters in number
as weft's. Needs no torchvision.
"""
import math

import torch
from torch import nn
from torch.nn import functional as F

TEXTS = {"layers": 2, "heads": 4, "width": 128}
CLICKS = {"items": 601, "categories": 11, "history": 30, "width": 8}


def attend(q, k, v, heads, padding=None, scale=None):
    """q (B, T, C), k and v (B, S, C) by heads; padding (B, S) is true where nobody looks."""
    batch, length, width = q.shape
    q, k, v = (x.view(batch, x.shape[1], heads, -1).transpose(1, 2) for x in (q, k, v))
    if hasattr(F, "scaled_dot_product_attention") and scale is None:
        mask = None if padding is None else ~padding[:, None, None]
        out = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
    else:
        scores = q @ k.transpose(-2, -1) * ((width // heads) ** -0.5 if scale is None else scale)
        if padding is not None:
            scores = scores.masked_fill(padding[:, None, None], float("-inf"))
        out = scores.softmax(-1) @ v
    return out.transpose(1, 2).reshape(batch, length, width)


class SelfAttention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads, self.qkv, self.proj = heads, nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, x, padding=None):
        return self.proj(attend(*self.qkv(x).chunk(3, -1), self.heads, padding))


class CrossAttention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads, self.q, self.kv, self.proj = heads, nn.Linear(width, width), nn.Linear(width, 2 * width), nn.Linear(width, width)

    def forward(self, x, memory):
        return self.proj(attend(self.q(x), *self.kv(memory).chunk(2, -1), self.heads))


class PostNormBlock(nn.Module):
    """The original transformer's layer, with attention to a memory where there is one."""

    def __init__(self, width, heads, activation, cross=False, eps=1e-5):
        super().__init__()
        self.attention, self.norm1 = SelfAttention(width, heads), nn.LayerNorm(width, eps)
        if cross:
            self.cross, self.norm2 = CrossAttention(width, heads), nn.LayerNorm(width, eps)
        self.mlp, self.norm3 = nn.Sequential(nn.Linear(width, 4 * width), activation, nn.Linear(4 * width, width)), nn.LayerNorm(width, eps)

    def forward(self, x, padding=None, memory=None):
        x = self.norm1(x + self.attention(x, padding))
        if memory is not None:
            x = self.norm2(x + self.cross(x, memory))
        return self.norm3(x + self.mlp(x))


class Bert(nn.Module):
    sizes = {**TEXTS, "context": 128, "vocab": 4000, "batch": 32}

    def __init__(self, flags):
        super().__init__()
        width = flags.width
        self.words, self.positions, self.segments = nn.Embedding(flags.vocab, width), nn.Embedding(flags.context, width), nn.Embedding(2, width)
        self.norm = nn.LayerNorm(width, 1e-12)
        self.blocks = nn.ModuleList(PostNormBlock(width, flags.heads, nn.GELU(), eps=1e-12) for _ in range(flags.layers))
        self.transform = nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.LayerNorm(width, 1e-12))
        self.bias = nn.Parameter(torch.zeros(flags.vocab))
        for table in (self.words, self.positions, self.segments):
            nn.init.normal_(table.weight, 0, 0.02)

    @staticmethod
    def random_batch(flags):
        rows = flags.batch * flags.context
        count = max(1, rows * 15 // 100)
        return torch.randint(1, flags.vocab, (flags.batch, flags.context)), torch.arange(count) * rows // count, torch.randint(1, flags.vocab, (count,))

    def loss(self, ids, hidden, targets):
        x = self.norm(self.words(ids) + (self.positions.weight[: ids.shape[1]] + self.segments.weight[0]))
        padding = ids == 0
        for block in self.blocks:
            x = block(x, padding)
        x = self.transform(x.flatten(0, 1)[hidden])
        return F.cross_entropy(F.linear(x, self.words.weight, self.bias), targets)


class EncoderDecoder(nn.Module):
    sizes = {**TEXTS, "context": 16, "vocab": 3500, "batch": 64}

    def __init__(self, flags):
        super().__init__()
        width = flags.width
        self.words = nn.Embedding(flags.vocab, width)
        nn.init.normal_(self.words.weight, 0, width**-0.5)
        turns = torch.arange(flags.context)[:, None] * torch.exp(torch.arange(0, width, 2) * (-math.log(10000) / width))
        self.register_buffer("places", torch.stack([turns.sin(), turns.cos()], -1).flatten(1))
        self.encoder = nn.ModuleList(PostNormBlock(width, flags.heads, nn.ReLU()) for _ in range(flags.layers))
        self.decoder = nn.ModuleList(CausalBlock(width, flags.heads, flags.context) for _ in range(flags.layers))

    @staticmethod
    def random_batch(flags):
        return tuple(torch.randint(flags.vocab, (flags.batch, flags.context)) for _ in range(3))

    def embed(self, ids):
        return self.words(ids) * self.words.weight.shape[1] ** 0.5 + self.places[: ids.shape[1]]

    def loss(self, source, inputs, targets):
        memory, x = self.embed(source), self.embed(inputs)
        for block in self.encoder:
            memory = block(memory)
        for block in self.decoder:
            x = block(x, memory=memory)
        return F.cross_entropy(F.linear(x, self.words.weight).flatten(0, 1), targets.flatten(), label_smoothing=0.1)


class CausalBlock(PostNormBlock):
    def __init__(self, width, heads, longest):
        super().__init__(width, heads, nn.ReLU(), cross=True)
        from torch_peer import Attention

        self.attention = Attention(width, heads, True, longest)

    def forward(self, x, padding=None, memory=None):
        x = self.norm1(x + self.attention(x))
        x = self.norm2(x + self.cross(x, memory))
        return self.norm3(x + self.mlp(x))


class Classifier(nn.Module):
    """Of images of one channel in ten classes: `layers` is what a model adds."""

    @staticmethod
    def random_batch(flags):
        return torch.rand(flags.batch, 1, flags.image, flags.image), torch.randint(10, (flags.batch,))

    def loss(self, images, classes):
        return F.cross_entropy(self.layers(images), classes)


class Lenet(Classifier):
    sizes = {"image": 28, "batch": 128}

    def __init__(self, flags):
        super().__init__()
        side = (flags.image // 2 - 4) // 2
        self.layers = nn.Sequential(nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
                                    nn.Linear(16 * side * side, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10))


class Cnn(Classifier):
    sizes = {"width": 128, "image": 28, "batch": 128}

    def __init__(self, flags):
        super().__init__()
        side = flags.image // 2 // 2
        self.layers = nn.Sequential(nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
                                    nn.Flatten(), nn.Linear(64 * side * side, flags.width), nn.ReLU(), nn.Linear(flags.width, 10))


class BasicBlock(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs)
        self.conv2, self.bn2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False), nn.BatchNorm2d(outputs)
        same = stride == 1 and inputs == outputs
        self.shortcut = nn.Identity() if same else nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x):
        return F.relu(self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)), inplace=True))) + self.shortcut(x), inplace=True)


class Resnet(Classifier):
    sizes = {"layers": 1, "width": 16, "image": 28, "batch": 128}

    def __init__(self, flags):
        super().__init__()
        width = flags.width
        blocks, inputs = [], width
        for outputs, stride in ((width, 1), (2 * width, 2), (4 * width, 2)):
            for i in range(flags.layers):
                blocks.append(BasicBlock(inputs, outputs, stride if i == 0 else 1))
                inputs = outputs
        self.layers = nn.Sequential(nn.Conv2d(1, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU(inplace=True), *blocks, nn.AdaptiveAvgPool2d(1),
                                    nn.Flatten(), nn.Linear(4 * width, 10))


class SkipGram(nn.Module):
    sizes = {"vocab": 3300, "width": 64, "negatives": 5, "batch": 512}

    def __init__(self, flags):
        super().__init__()
        self.inputs, self.outputs = nn.Embedding(flags.vocab, flags.width), nn.Embedding(flags.vocab, flags.width)
        nn.init.uniform_(self.inputs.weight, -0.5 / flags.width, 0.5 / flags.width)
        nn.init.zeros_(self.outputs.weight)
        self.register_buffer("wanted", torch.zeros(1 + flags.negatives))
        self.wanted[0] = 1

    @staticmethod
    def random_batch(flags):
        return (torch.randint(flags.vocab, (flags.batch, 2 + flags.negatives)),)

    def loss(self, ids):
        scores = torch.bmm(self.outputs(ids[:, 1:]), self.inputs(ids[:, :1]).transpose(1, 2)).squeeze(2)
        return F.binary_cross_entropy_with_logits(scores, self.wanted.expand_as(scores), reduction="sum") / len(ids)


class Dice(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.alpha, self.norm = nn.Parameter(torch.full((width,), 0.25)), nn.BatchNorm1d(width, eps=1e-8, affine=False)

    def forward(self, x):
        gate = torch.sigmoid(self.norm(x))
        return x * (self.alpha + gate * (1 - self.alpha))


def hidden_layer(inputs, outputs):
    return nn.Sequential(nn.Linear(inputs, outputs), Dice(outputs))


def click_mlp(inputs, hidden):
    return nn.Sequential(hidden_layer(inputs, hidden), hidden_layer(hidden, hidden // 2), nn.Linear(hidden // 2, 1))


class ClickModel(nn.Module):
    """Item and category tables; a batch is item, category, the history's items and categories with 0 behind it, and clicks."""

    def __init__(self, flags):
        super().__init__()
        self.item, self.category = nn.Embedding(flags.items, flags.width), nn.Embedding(flags.categories, flags.width)
        for table in (self.item, self.category):
            nn.init.normal_(table.weight, 0, 0.05)

    @staticmethod
    def random_batch(flags):
        there = torch.arange(flags.history) < torch.randint(1, flags.history + 1, (flags.batch, 1))
        items = torch.randint(1, flags.items, (flags.batch, flags.history)) * there
        categories = torch.randint(1, flags.categories, (flags.batch, flags.history)) * there
        return torch.randint(1, flags.items, (flags.batch,)), torch.randint(1, flags.categories, (flags.batch,)), items, categories, torch.randint(2, (flags.batch,)).float()

    def loss(self, *batch):
        return F.binary_cross_entropy_with_logits(self(*batch[:-1]), batch[-1])

    def candidate(self, item, category):
        return torch.cat([self.item(item), self.category(category)], -1)


class Fields(ClickModel):
    """Item, category and the averages of the history, each with a table of its own."""

    def __init__(self, flags):
        super().__init__(flags)
        self.history_item = nn.EmbeddingBag(flags.items, flags.width, mode="mean", padding_idx=0)
        self.history_category = nn.EmbeddingBag(flags.categories, flags.width, mode="mean", padding_idx=0)
        for table in (self.history_item, self.history_category):
            nn.init.normal_(table.weight, 0, 0.05)

    def fields(self, item, category, items, categories):
        return torch.stack([self.item(item), self.category(category), self.history_item(items), self.history_category(categories)], 1)


class FactorizationMachine(Fields):
    sizes = {**CLICKS, "batch": 128}

    def __init__(self, flags):
        super().__init__(flags)
        self.first_item, self.first_category = nn.Embedding(flags.items, 1), nn.Embedding(flags.categories, 1)
        self.first_history_item = nn.EmbeddingBag(flags.items, 1, mode="mean", padding_idx=0)
        self.first_history_category = nn.EmbeddingBag(flags.categories, 1, mode="mean", padding_idx=0)
        for table in (self.first_item, self.first_category, self.first_history_item, self.first_history_category):
            nn.init.zeros_(table.weight)
        self.bias = nn.Parameter(torch.zeros(1))

    def wide(self, x, item, category, items, categories):
        pairs = 0.5 * (x.sum(1).square() - x.square().sum(1)).sum(1)
        first = self.first_item(item) + self.first_category(category) + self.first_history_item(items) + self.first_history_category(categories)
        return pairs + first.squeeze(1) + self.bias

    def forward(self, *ids):
        return self.wide(self.fields(*ids), *ids)


class DeepFm(FactorizationMachine):
    sizes = {**CLICKS, "hidden": 80, "batch": 128}

    def __init__(self, flags):
        super().__init__(flags)
        self.deep = click_mlp(4 * flags.width, flags.hidden)

    def forward(self, *ids):
        x = self.fields(*ids)
        return self.wide(x, *ids) + self.deep(x.flatten(1)).squeeze(1)


class SumPooling(ClickModel):
    sizes = {**CLICKS, "hidden": 80, "batch": 128}

    def __init__(self, flags):
        super().__init__(flags)
        self.deep = click_mlp(4 * flags.width, flags.hidden)

    def forward(self, item, category, items, categories):
        history = [F.embedding_bag(ids, table.weight, mode="sum", padding_idx=0) for ids, table in ((items, self.item), (categories, self.category))]
        return self.deep(torch.cat([self.candidate(item, category), *history], -1)).squeeze(1)


class Din(ClickModel):
    sizes = {**CLICKS, "hidden": 80, "unit": 36, "batch": 128}

    def __init__(self, flags):
        super().__init__(flags)
        self.unit = nn.Sequential(hidden_layer(8 * flags.width, flags.unit), nn.Linear(flags.unit, 1))
        self.deep = click_mlp(4 * flags.width, flags.hidden)

    def forward(self, item, category, items, categories):
        """The history without its empty places: row p belongs to example owner[p]."""
        candidate = self.candidate(item, category)
        there = items > 0
        owner = there.nonzero()[:, 0]
        clicked, mine = self.candidate(items[there], categories[there]), candidate[owner]
        weight = self.unit(torch.cat([clicked, mine, clicked - mine, clicked * mine], -1))
        interest = torch.zeros_like(candidate).index_add(0, owner, clicked * weight)
        return self.deep(torch.cat([candidate, interest], -1)).squeeze(1)


class Bst(ClickModel):
    sizes = {**CLICKS, "hidden": 80, "layers": 1, "heads": 2, "batch": 128}

    def __init__(self, flags):
        super().__init__(flags)
        self.places = nn.Parameter(torch.randn(flags.history + 1, 2 * flags.width) * 0.05)
        self.blocks = nn.ModuleList(PostNormBlock(2 * flags.width, flags.heads, nn.ReLU()) for _ in range(flags.layers))
        self.deep = click_mlp(4 * flags.width, flags.hidden)

    def forward(self, item, category, items, categories):
        items, categories = torch.cat([items, item[:, None]], 1), torch.cat([categories, category[:, None]], 1)
        there = self.candidate(items, categories)
        x, padding = there + self.places, items == 0
        for block in self.blocks:
            x = block(x, padding)
        return self.deep(torch.cat([there[:, -1], x[:, -1]], -1)).squeeze(1)


class AutoInt(Fields):
    sizes = {**CLICKS, "layers": 1, "heads": 2, "batch": 128}

    def __init__(self, flags):
        super().__init__(flags)
        self.heads, wide = flags.heads, flags.heads * flags.width
        self.maps = nn.ModuleList(nn.Linear(flags.width if i == 0 else wide, 4 * wide, bias=False) for i in range(flags.layers))
        self.head = nn.Linear(4 * wide, 1)

    def forward(self, *ids):
        x = self.fields(*ids)
        for layer in self.maps:
            q, k, v, residual = layer(x).chunk(4, -1)
            x = F.relu(attend(q, k, v, self.heads, scale=1.0) + residual)
        return self.head(x.flatten(1)).squeeze(1)


MODELS = {"bert": Bert, "translate": EncoderDecoder, "lenet": Lenet, "cnn": Cnn, "resnet": Resnet, "embedding": SkipGram, "fm": FactorizationMachine, "deepfm": DeepFm,
          "sum": SumPooling, "din": Din, "bst": Bst, "autoint": AutoInt}
