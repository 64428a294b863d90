"""BERT, the click models, skip-gram and the small CNN in PyTorch, float64, with weft's parameter names: values and gradients. BERT and BST are made of PyTorch's
own encoder layers, the others are written from the papers. Run by itself: it writes files/encoders.npz and files/click_models.npz.
"""
import pathlib

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

torch.set_default_dtype(torch.float64)


def randomize(shapes, scale=0.4):
    return {name: (torch.randn(shape) * scale + (1.0 if name.endswith("LayerNorm.weight") else 0.0)).requires_grad_() for name, shape in shapes.items()}


def bert_shapes(vocab, block, layers, width, hidden, classes):
    shapes = {"bert.embeddings.word_embeddings.weight": (vocab, width), "bert.embeddings.position_embeddings.weight": (block, width),
              "bert.embeddings.token_type_embeddings.weight": (2, width), "bert.embeddings.LayerNorm.weight": (width,), "bert.embeddings.LayerNorm.bias": (width,)}
    for i in range(layers):
        at = f"bert.encoder.layer.{i}."
        for name in ("query", "key", "value"):
            shapes[f"{at}attention.self.{name}.weight"], shapes[f"{at}attention.self.{name}.bias"] = (width, width), (width,)
        for name, (o, n) in {"attention.output.dense": (width, width), "intermediate.dense": (hidden, width), "output.dense": (width, hidden)}.items():
            shapes[f"{at}{name}.weight"], shapes[f"{at}{name}.bias"] = (o, n), (o,)
        for name in ("attention.output.LayerNorm", "output.LayerNorm"):
            shapes[f"{at}{name}.weight"], shapes[f"{at}{name}.bias"] = (width,), (width,)
    if classes:
        shapes.update({"bert.pooler.dense.weight": (width, width), "bert.pooler.dense.bias": (width,), "classifier.weight": (classes, width), "classifier.bias": (classes,)})
    else:
        shapes.update({"cls.predictions.bias": (vocab,), "cls.predictions.transform.dense.weight": (width, width), "cls.predictions.transform.dense.bias": (width,),
                       "cls.predictions.transform.LayerNorm.weight": (width,), "cls.predictions.transform.LayerNorm.bias": (width,)})
    return shapes


def bert(p, ids, layers, heads, classes):
    width = p["bert.embeddings.word_embeddings.weight"].shape[1]
    x = p["bert.embeddings.word_embeddings.weight"][ids] + p["bert.embeddings.position_embeddings.weight"][: ids.shape[1]] + p["bert.embeddings.token_type_embeddings.weight"][0]
    x = F.layer_norm(x, (width,), p["bert.embeddings.LayerNorm.weight"], p["bert.embeddings.LayerNorm.bias"], 1e-12)
    for i in range(layers):
        at = f"bert.encoder.layer.{i}."
        join = lambda kind: torch.cat([p[f"{at}attention.self.{name}.{kind}"] for name in ("query", "key", "value")])
        layer = nn.TransformerEncoderLayer(width, heads, p[at + "intermediate.dense.weight"].shape[0], dropout=0.0, activation=F.gelu, layer_norm_eps=1e-12, batch_first=True)
        values = {"self_attn.in_proj_weight": join("weight"), "self_attn.in_proj_bias": join("bias")}
        for theirs, ours in {"self_attn.out_proj": "attention.output.dense", "linear1": "intermediate.dense", "linear2": "output.dense", "norm1": "attention.output.LayerNorm", "norm2": "output.LayerNorm"}.items():
            values[theirs + ".weight"], values[theirs + ".bias"] = p[at + ours + ".weight"], p[at + ours + ".bias"]
        x = torch.nn.utils.stateless.functional_call(layer, values, x, {"src_key_padding_mask": ids == 0})
    if classes:
        pooled = torch.tanh(F.linear(x[:, 0], p["bert.pooler.dense.weight"], p["bert.pooler.dense.bias"]))
        return F.linear(pooled, p["classifier.weight"], p["classifier.bias"])
    x = F.gelu(F.linear(x, p["cls.predictions.transform.dense.weight"], p["cls.predictions.transform.dense.bias"]))
    x = F.layer_norm(x, (width,), p["cls.predictions.transform.LayerNorm.weight"], p["cls.predictions.transform.LayerNorm.bias"], 1e-12)
    return x @ p["bert.embeddings.word_embeddings.weight"].T + p["cls.predictions.bias"]


K, L = 3, 4  # embedding, history
ITEMS, CATEGORIES, USERS = 7, 4, 5


def click_ids():
    items = torch.tensor([[1, 2, 3, 4], [5, 6, 0, 0], [3, 0, 0, 0]])
    categories = torch.tensor([[1, 2, 3, 1], [2, 3, 0, 0], [3, 0, 0, 0]])
    head = torch.tensor([[1, 4, 1], [2, 6, 3], [4, 2, 2]])
    return torch.cat([head, items, categories], 1)


def click_shapes(model):
    tables = {"item.weight": (ITEMS, K), "category.weight": (CATEGORIES, K), "user.weight": (USERS, K)}
    if model in ("fm", "deepfm", "autoint"):
        for name, rows in {"history_item": ITEMS, "history_category": CATEGORIES}.items():
            tables[name + ".weight"] = (rows, K)
    if model == "autoint":
        for layer, width in enumerate((K, 2 * K)):
            tables.update({f"interacting.{layer}.{name}.weight": (2 * K, width) for name in ("query", "key", "value", "residual")})
        tables.update({"head.weight": (1, 5 * 2 * K), "head.bias": (1,)})
        return tables
    mlp = {"mlp.0.fc.weight": (6, 5 * K), "mlp.0.fc.bias": (6,), "mlp.0.dice.alpha": (6,), "head.weight": (1, 6), "head.bias": (1,)}
    if model in ("fm", "deepfm"):
        for name, rows in {"item": ITEMS, "category": CATEGORIES, "user": USERS, "history_item": ITEMS, "history_category": CATEGORIES}.items():
            tables[f"first_{name}.weight"] = (rows, 1)
        tables["bias"] = (1,)
        return {**tables, **mlp} if model == "deepfm" else tables
    if model == "din":
        tables.update({"unit.hidden.fc.weight": (4, 8 * K), "unit.hidden.fc.bias": (4,), "unit.hidden.dice.alpha": (4,), "unit.out.weight": (1, 4), "unit.out.bias": (1,)})
    if model == "bst":
        wide = 2 * K
        tables["position.weight"] = (L + 1, wide)
        for name, (o, n) in {"attn.c_attn": (3 * wide, wide), "attn.c_proj": (wide, wide), "mlp.c_fc": (4 * wide, wide), "mlp.c_proj": (wide, 4 * wide)}.items():
            tables[f"blocks.0.{name}.weight"], tables[f"blocks.0.{name}.bias"] = (o, n), (o,)
        for name in ("ln_1", "ln_2"):
            tables[f"blocks.0.{name}.weight"], tables[f"blocks.0.{name}.bias"] = (wide,), (wide,)
    return {**tables, **mlp}


def dice(x, alpha):
    p = torch.sigmoid((x - x.mean(0)) / torch.sqrt(x.var(0, unbiased=False) + 1e-8))
    return p * x + (1 - p) * alpha * x


def history_mean(table, ids, columns):
    there = (ids[:, 3 : 3 + L] > 0).double()
    return (table[columns] * there[..., None]).sum(1) / there.sum(1, keepdim=True)


def click_fields(p, ids):
    mean = lambda table, columns: history_mean(table, ids, columns)
    hi, hc = ids[:, 3 : 3 + L], ids[:, 3 + L :]
    return [p["item.weight"][ids[:, 1]], p["category.weight"][ids[:, 2]], mean(p["history_item.weight"], hi), mean(p["history_category.weight"], hc), p["user.weight"][ids[:, 0]]]


def fm(p, ids):
    """The double sum over all pairs of fields (Rendle 2010, eq. 1), not the identity."""
    mean = lambda table, columns: history_mean(table, ids, columns)
    hi, hc = ids[:, 3 : 3 + L], ids[:, 3 + L :]
    fields = click_fields(p, ids)
    pairs = sum((fields[i] * fields[j]).sum(-1) for i in range(5) for j in range(i + 1, 5))
    first = p["first_item.weight"][ids[:, 1]] + p["first_category.weight"][ids[:, 2]] + mean(p["first_history_item.weight"], hi) + mean(p["first_history_category.weight"], hc) + p["first_user.weight"][ids[:, 0]]
    return pairs + first[:, 0] + p["bias"]


def din(p, ids):
    """Zhou et al. 2018, eq. 2: the history weighted by an MLP on clicked item, candidate, difference and product."""
    candidate = torch.cat([p["item.weight"][ids[:, 1]], p["category.weight"][ids[:, 2]]], -1)
    rows, places = (ids[:, 3 : 3 + L] > 0).nonzero(as_tuple=True)
    clicked = torch.cat([p["item.weight"][ids[rows, 3 + places]], p["category.weight"][ids[rows, 3 + L + places]]], -1)
    mine = candidate[rows]
    hidden = dice(F.linear(torch.cat([clicked, mine, clicked - mine, clicked * mine], -1), p["unit.hidden.fc.weight"], p["unit.hidden.fc.bias"]), p["unit.hidden.dice.alpha"])
    weight = F.linear(hidden, p["unit.out.weight"], p["unit.out.bias"])
    interest = torch.stack([(weight * clicked)[rows == b].sum(0) for b in range(ids.shape[0])])
    x = torch.cat([candidate, interest, p["user.weight"][ids[:, 0]]], -1)
    x = dice(F.linear(x, p["mlp.0.fc.weight"], p["mlp.0.fc.bias"]), p["mlp.0.dice.alpha"])
    return F.linear(x, p["head.weight"], p["head.bias"])[:, 0]


def click_mlp(p, x):
    x = dice(F.linear(x, p["mlp.0.fc.weight"], p["mlp.0.fc.bias"]), p["mlp.0.dice.alpha"])
    return F.linear(x, p["head.weight"], p["head.bias"])[:, 0]


def deepfm(p, ids):
    """Guo et al. 2017, eq. 1 to 3: both parts read the same embeddings."""
    return fm(p, ids) + click_mlp(p, torch.cat(click_fields(p, ids), -1))


def clicked_pairs(p, ids):
    """Item and category side by side: of the candidate, and of each place of the history, zero where there is none."""
    candidate = torch.cat([p["item.weight"][ids[:, 1]], p["category.weight"][ids[:, 2]]], -1)
    there = (ids[:, 3 : 3 + L] > 0).double()[..., None]
    return candidate, torch.cat([p["item.weight"][ids[:, 3 : 3 + L]], p["category.weight"][ids[:, 3 + L :]]], -1) * there


def sum_pooling(p, ids):
    candidate, clicked = clicked_pairs(p, ids)
    return click_mlp(p, torch.cat([candidate, clicked.sum(1), p["user.weight"][ids[:, 0]]], -1))


def bst(p, ids):
    """Chen et al. 2019, section 2: a transformer layer over the history and the item behind it, read at the item."""
    candidate, clicked = clicked_pairs(p, ids)
    wide = candidate.shape[-1]
    layer = nn.TransformerEncoderLayer(wide, 2, 4 * wide, dropout=0.0, activation=F.relu, batch_first=True)
    names = {"self_attn.in_proj_": "attn.c_attn.", "self_attn.out_proj.": "attn.c_proj.", "linear1.": "mlp.c_fc.", "linear2.": "mlp.c_proj.", "norm1.": "ln_1.", "norm2.": "ln_2."}
    values = {theirs + kind: p[f"blocks.0.{ours}{kind}"] for theirs, ours in names.items() for kind in ("weight", "bias")}
    x = torch.cat([clicked, candidate[:, None]], 1) + p["position.weight"]
    padding = torch.cat([ids[:, 3 : 3 + L] == 0, torch.zeros(len(ids), 1, dtype=torch.bool)], 1)
    x = torch.nn.utils.stateless.functional_call(layer, values, x, {"src_key_padding_mask": padding})
    return click_mlp(p, torch.cat([candidate, x[:, -1], p["user.weight"][ids[:, 0]]], -1))


def skip_gram(p, ids):
    """Mikolov et al. 2013, eq. 4: the scores, context first."""
    return torch.stack([(p["input.weight"][row[0]] * p["output.weight"][row[1:]]).sum(-1) for row in ids])


CNN_SHAPES = {"convs.0.weight": (3, 2, 3, 3), "convs.0.bias": (3,), "convs.1.weight": (4, 3, 3, 3), "convs.1.bias": (4,), "fc.weight": (6, 4 * 2 * 1), "fc.bias": (6,),
              "head.weight": (5, 6), "head.bias": (5,)}


def cnn(p, x):
    for i in range(2):
        x = F.max_pool2d(F.relu(F.conv2d(x, p[f"convs.{i}.weight"], p[f"convs.{i}.bias"], padding=1)), 2)
    x = F.relu(F.linear(x.flatten(1), p["fc.weight"], p["fc.bias"]))
    return F.linear(x, p["head.weight"], p["head.bias"])


def autoint(p, ids):
    """Song et al. 2019, eq. 5 to 10, a head at a time."""
    x = torch.stack(click_fields(p, ids), 1)
    for layer in range(2):
        q, k, v, residual = (x @ p[f"interacting.{layer}.{name}.weight"].T for name in ("query", "key", "value", "residual"))
        heads = [torch.softmax(q[..., h] @ k[..., h].transpose(1, 2), -1) @ v[..., h] for h in (slice(0, K), slice(K, 2 * K))]
        x = torch.relu(torch.cat(heads, -1) + residual)
    return F.linear(x.flatten(1), p["head.weight"], p["head.bias"])[:, 0]


def make():
    torch.manual_seed(33)
    entries = {}
    padded = torch.tensor([[2, 5, 8, 7, 3], [2, 6, 3, 0, 0]])
    words = torch.tensor([[1, 2, 3, 3], [0, 5, 1, 2], [1, 0, 4, 5]])
    images = torch.rand(3, 2, 9, 7, generator=torch.Generator().manual_seed(7)) - 0.5
    runs = {"bert_tokens": (bert_shapes(9, 6, 2, 8, 16, 0), lambda p: bert(p, padded, 2, 2, 0), padded, None),
            "bert_classes": (bert_shapes(9, 6, 2, 8, 16, 3), lambda p: bert(p, padded, 2, 2, 3), padded, None),
            "fm": (click_shapes("fm"), lambda p: fm(p, click_ids()), click_ids(), None),
            "din": (click_shapes("din"), lambda p: din(p, click_ids()), click_ids(), None),
            "autoint": (click_shapes("autoint"), lambda p: autoint(p, click_ids()), click_ids(), None),
            "deepfm": (click_shapes("deepfm"), lambda p: deepfm(p, click_ids()), click_ids(), None),
            "sum": (click_shapes("sum"), lambda p: sum_pooling(p, click_ids()), click_ids(), None),
            "bst": (click_shapes("bst"), lambda p: bst(p, click_ids()), click_ids(), None),
            "skip_gram": ({"input.weight": (6, 3), "output.weight": (6, 3)}, lambda p: skip_gram(p, words), words, None),
            "cnn": (CNN_SHAPES, lambda p: cnn(p, images), images, None)}
    for name, (shapes, model, ids, _) in runs.items():
        p = randomize(shapes)
        out = model(p)
        if name == "bert_tokens":  # at padding PyTorch and weft compute something that nobody reads
            seen = (ids != 0)[..., None].expand_as(out)
            out = torch.where(seen, out, torch.zeros_like(out))
        g = torch.rand_like(out) - 0.3
        (out * g).sum().backward()
        entries.update({f"{name}/x": ids.numpy(), f"{name}/out": out.detach().numpy(), f"{name}/g": g.numpy()})
        for key, value in p.items():
            grad = value.grad if value.grad is not None else torch.zeros_like(value)
            entries[f"{name}/param/{key}"], entries[f"{name}/grad/{key}"] = value.detach().numpy(), grad.numpy()
    return entries


if __name__ == "__main__":
    entries = make()
    for name, of_clicks in (("encoders", False), ("click_models", True)):
        path = pathlib.Path(__file__).parent / "files" / f"{name}.npz"
        mine = {key: np.array(value, order="C") for key, value in entries.items() if (key.split("/")[0] in ("deepfm", "sum", "bst", "skip_gram", "cnn")) == of_clicks}
        np.savez(path, **mine)
        print(f"{path.name}: {len(mine)} arrays, {path.stat().st_size / 1024:.0f} KiB")
