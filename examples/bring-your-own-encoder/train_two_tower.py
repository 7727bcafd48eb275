"""PyTorch, a small two-tower model of any prepared dataset. Usage: python train_two_tower.py data/prepared/demo --out encoder"""

import argparse
import json
from datetime import datetime, timezone
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
import yaml
from torch import nn
from torch.nn.functional import cross_entropy

LENGTH = 20  # items of a history
WEEK = 7 * 86_400

parser = argparse.ArgumentParser()
parser.add_argument("prepared", type=Path)
parser.add_argument("--out", type=Path, required=True)
parser.add_argument("--weeks", type=int, default=10, help="learn from nothing of the last so many weeks")
parser.add_argument("--dimensions", type=int, default=16)
parser.add_argument("--epochs", type=int, default=15)
arguments = parser.parse_args()
torch.manual_seed(42)
torch.set_num_threads(1)

dataset = json.loads((arguments.prepared / "prepared.json").read_text())
interactions = pq.read_table(arguments.prepared / "interactions.parquet").to_pandas()
until = int(interactions["timestamp"].max() + 1 - arguments.weeks * WEEK)
interactions = interactions[interactions["timestamp"] < until].sort_values(["user_id", "timestamp"])
if not (interactions["user_id"].value_counts() > 1).any():
    raise SystemExit(f"Nothing to learn from before the last {arguments.weeks} weeks: say fewer --weeks, or bring interactions with times.")
users = pq.read_table(arguments.prepared / "users.parquet").to_pandas().set_index("user_id")
items = pq.read_table(arguments.prepared / "items.parquet").to_pandas().set_index("item_id")


def attributes(table: str, *roles: str) -> list[str]:
    """The attributes of a table that features may read, by role."""
    return [each["name"] for each in dataset[table] if each["feature"] and each["role"] in roles]


# Item numbers as the model knows them: 1 and up, those of the history first; 0 is padding. Items that nobody had taken by
# then have no embedding of their own, but their attributes give them a vector.
seen = interactions["item_id"].unique().tolist()
ids = seen + [item for item in items.index if item not in set(seen)]
number = {item: index + 1 for index, item in enumerate(ids)}


def describe_items() -> torch.Tensor:
    """[items, columns]: each value of a category as a column, numbers scaled, and a column of ones for all."""
    rows = items.reindex(ids)
    columns = [np.ones(len(ids))]
    for name in attributes("items", "categorical", "multi-valued"):
        values = [[] if each is None or isinstance(each, float) else each if isinstance(each, (list, np.ndarray)) else [each] for each in rows[name]]
        for value in sorted({value for each in values for value in each}):
            columns.append(np.array([(value in each) / max(1, len(each)) for each in values]))
    for name in attributes("items", "numeric", "boolean"):
        values = rows[name].astype(float)
        columns.append(((values - values.mean()) / (values.std() + 1e-6)).fillna(0).to_numpy())
    padding = np.zeros((1, len(columns)))
    return torch.tensor(np.concatenate([padding, np.stack(columns, axis=1)]), dtype=torch.float32)


content = describe_items()
numbers = attributes("users", "numeric", "boolean")
categories = {
    name: {value: code + 1 for code, value in enumerate(sorted(users[name].dropna().unique()))}
    for name in attributes("users", "categorical")
}
means = {name: float(users[name].astype(float).mean()) for name in numbers}
deviations = {name: float(users[name].astype(float).std()) + 1e-6 for name in numbers}
# What Shortlist has for a user of whom it does not know a number: the mean, or -1 for a boolean.
missing = {name: means[name] if name in attributes("users", "numeric") else -1.0 for name in numbers}


def describe(user: str) -> list[float]:
    """The columns of userFeatures: numbers as they are, then the codes of categories."""
    known = users.loc[user].to_dict() if user in users.index else {}
    given = [known.get(name) for name in numbers]
    return [
        *(missing[name] if value is None or value != value else float(value) for name, value in zip(numbers, given)),
        *(float(codes.get(known.get(name), 0)) for name, codes in categories.items()),
    ]


class ItemTower(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.own = nn.Embedding(len(seen) + 1, arguments.dimensions, padding_idx=0)
        self.content = nn.Linear(content.shape[1], arguments.dimensions, bias=False)
        nn.init.normal_(self.own.weight, std=0.1)

    def forward(self, numbers: torch.Tensor) -> torch.Tensor:
        own = self.own(torch.where(numbers > len(seen), 0, numbers))
        return own + self.content(content[numbers])


class UserTower(nn.Module):
    """What is exported: nothing in it needs the attributes of items, only the embeddings of those it knows."""

    def __init__(self) -> None:
        super().__init__()
        self.item = nn.Embedding(len(seen) + 1, arguments.dimensions, padding_idx=0)
        self.categories = nn.ModuleList(nn.Embedding(len(codes) + 1, 4) for codes in categories.values())
        width = arguments.dimensions + len(numbers) + 4 * len(categories)
        self.layers = nn.Sequential(nn.Linear(width, 32), nn.ReLU(), nn.Linear(32, arguments.dimensions))
        self.register_buffer("mean", torch.tensor([means[name] for name in numbers]))
        self.register_buffer("deviation", torch.tensor([deviations[name] for name in numbers]))
        nn.init.normal_(self.item.weight, std=0.1)

    def forward(self, history: torch.Tensor, features: torch.Tensor | None = None) -> torch.Tensor:
        is_item = (history != 0).float().unsqueeze(2)
        taste = (self.item(history) * is_item).sum(1) / is_item.sum(1).clamp(min=1)
        known = [taste]
        if numbers:
            known.append((features[:, : len(numbers)] - self.mean) / self.deviation)
        for column, embedding in enumerate(self.categories, start=len(numbers)):
            known.append(embedding(features[:, column].long()))
        return taste + self.layers(torch.cat(known, dim=1))


user_tower, item_tower = UserTower(), ItemTower()

# Every item that a user took, asked for from what the user took before it.
histories, features, targets, weights = [], [], [], []
for user, rows in interactions.groupby("user_id"):
    taken = [number[item] for item in rows["item_id"]]
    values = rows["value"].fillna(1).tolist() if dataset.get("weighted") else [1.0] * len(taken)
    for at in range(1, len(taken)):
        latest = taken[max(0, at - LENGTH) : at]
        histories.append(latest + [0] * (LENGTH - len(latest)))
        features.append(describe(user))
        targets.append(taken[at])
        weights.append(values[at])
histories, features, targets = torch.tensor(histories), torch.tensor(features), torch.tensor(targets)
weights = torch.tensor(weights) / np.mean(weights)  # what the weights of the dataset make a target count
has_features = features.shape[1] > 0

# Other targets of a batch are the negatives; popular ones come more often, for which log_share makes up.
log_share = torch.log(torch.bincount(targets, minlength=len(ids) + 1).float() / len(targets))
optimiser = torch.optim.Adam([*user_tower.parameters(), *item_tower.parameters()], lr=5e-3)
for epoch in range(arguments.epochs):
    losses = []
    for batch in torch.randperm(len(targets)).split(512):
        wanted = targets[batch]
        scores = user_tower(histories[batch], features[batch]) @ item_tower(wanted).T - log_share[wanted]
        is_same = (wanted.unsqueeze(0) == wanted.unsqueeze(1)) & ~torch.eye(len(batch), dtype=torch.bool)
        each = cross_entropy(scores.masked_fill(is_same, -1e9), torch.arange(len(batch)), reduction="none")
        loss = (weights[batch] * each).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    print(f"epoch {epoch + 1}: loss {np.mean(losses):.4f}")

arguments.out.mkdir(parents=True, exist_ok=True)
inputs = {"history": histories[:2], **({"user": features[:2]} if has_features else {})}
torch.onnx.export(
    user_tower.eval(),
    tuple(inputs.values()),
    str(arguments.out / "encoder.onnx"),
    input_names=list(inputs),
    output_names=["vector"],
    dynamic_axes={name: {0: "users"} for name in [*inputs, "vector"]},
    dynamo=False,
)
with torch.no_grad():
    vectors = item_tower(torch.arange(1, len(ids) + 1)).numpy()
table = pa.table({"item_id": ids, "vector": pa.array(list(vectors), pa.list_(pa.float32()))})
pq.write_table(table, arguments.out / "vectors.parquet")


def golden(user: str) -> dict:
    """What the model gives for a user here: import-encoder compares it with what it gives there."""
    taken = interactions.loc[interactions["user_id"] == user, "item_id"].tolist()
    latest = [number[item] for item in taken[-LENGTH:]]
    row = torch.tensor([latest + [0] * (LENGTH - len(latest))])
    with torch.no_grad():
        vector = user_tower(row, torch.tensor([describe(user)]))[0].tolist()
    return {"history": taken, **({"features": describe(user)} if has_features else {}), "vector": vector}


fields = [
    *({"view": "users", "field": name} for name in numbers),
    *({"view": "users", "field": name, "codes": codes, "otherwise": 0} for name, codes in categories.items()),
]
spec = {
    "history": {
        "input": "history",
        "length": LENGTH,
        "order": "oldest-first",
        "padding": 0,
        "padSide": "end",
        "firstItem": 1,
        "vocabulary": len(seen),
    },
    **({"userFeatures": {"input": "user", "fields": fields}} if has_features else {}),
    "output": "vector",
    "similarity": "dot",
    "trainedUntil": datetime.fromtimestamp(until, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
    "golden": [golden(user) for user in interactions["user_id"].unique()[:3]],
}
(arguments.out / "encoder.yaml").write_text(yaml.safe_dump(spec, sort_keys=False))
print(f"{len(ids)} item vectors, {len(seen)} of them of items that the history may name; trained until {spec['trainedUntil']}")
