"""PyTorch, a small two-tower model. Usage: python train_two_tower.py data/prepared/demo --out encoder"""

import argparse
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

interactions = pq.read_table(arguments.prepared / "interactions.parquet").to_pandas()
until = int(interactions["timestamp"].max() + 1 - arguments.weeks * WEEK)
interactions = interactions[interactions["timestamp"] < until].sort_values(["user_id", "timestamp"])
users = pq.read_table(arguments.prepared / "users.parquet").to_pandas().set_index("user_id")
items = pq.read_table(arguments.prepared / "items.parquet").to_pandas().set_index("item_id")

# Item numbers as the model knows them: 1 and up, those of the history first; 0 is padding. Items that nobody had taken by
# then have no embedding of their own, but their genres give them a vector.
seen = interactions["item_id"].unique().tolist()
ids = seen + [item for item in items.index if item not in set(seen)]
number = {item: index + 1 for index, item in enumerate(ids)}
genres = sorted({genre for each in items["genres"].dropna() for genre in each})
has_genre = torch.zeros(len(ids) + 1, len(genres))
for item, each in items["genres"].dropna().items():
    has_genre[number[item], [genres.index(genre) for genre in each]] = 1 / max(1, len(each))
countries = {country: index + 1 for index, country in enumerate(sorted(users["country"].dropna().unique()))}


def describe(user: str) -> list[float]:
    """The columns of userFeatures: age, and the code of the country."""
    known = users.loc[user] if user in users.index else {}
    age = known.get("age")
    return [mean_age if age is None or np.isnan(age) else float(age), float(countries.get(known.get("country"), 0))]


class ItemTower(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.own = nn.Embedding(len(seen) + 1, arguments.dimensions, padding_idx=0)
        self.genre = nn.Linear(len(genres), arguments.dimensions, bias=False)
        nn.init.normal_(self.own.weight, std=0.1)

    def forward(self, numbers: torch.Tensor) -> torch.Tensor:
        own = self.own(torch.where(numbers > len(seen), 0, numbers))
        return own + self.genre(has_genre[numbers])


class UserTower(nn.Module):
    """What is exported: nothing in it needs the genres of items, only the embeddings of those it knows."""

    def __init__(self) -> None:
        super().__init__()
        self.item = nn.Embedding(len(seen) + 1, arguments.dimensions, padding_idx=0)
        self.country = nn.Embedding(len(countries) + 1, 4)
        self.layers = nn.Sequential(nn.Linear(arguments.dimensions + 5, 32), nn.ReLU(), nn.Linear(32, arguments.dimensions))
        nn.init.normal_(self.item.weight, std=0.1)

    def forward(self, history: torch.Tensor, features: torch.Tensor) -> torch.Tensor:
        is_item = (history != 0).float().unsqueeze(2)
        taste = (self.item(history) * is_item).sum(1) / is_item.sum(1).clamp(min=1)
        age = (features[:, :1] - mean_age) / 20
        country = self.country(features[:, 1].long())
        return taste + self.layers(torch.cat([taste, age, country], dim=1))


mean_age = float(users["age"].mean())
user_tower, item_tower = UserTower(), ItemTower()

# Every item that a user took, asked for from what the user took before it.
histories, features, targets = [], [], []
for user, rows in interactions.groupby("user_id"):
    taken = [number[item] for item in rows["item_id"]]
    for at in range(1, len(taken)):
        latest = taken[max(0, at - LENGTH) : at]
        histories.append(latest + [0] * (LENGTH - len(latest)))
        features.append(describe(user))
        targets.append(taken[at])
histories, features, targets = torch.tensor(histories), torch.tensor(features), torch.tensor(targets)

# Other targets of a batch are the negatives; popular ones come more often, for which log_share makes up.
log_share = torch.log(torch.bincount(targets, minlength=len(ids) + 1).float() / len(targets))
optimiser = torch.optim.Adam([*user_tower.parameters(), *item_tower.parameters()], lr=5e-3)
for epoch in range(arguments.epochs):
    losses = []
    for batch in torch.randperm(len(targets)).split(512):
        wanted = targets[batch]
        scores = user_tower(histories[batch], features[batch]) @ item_tower(wanted).T - log_share[wanted]
        is_same = (wanted.unsqueeze(0) == wanted.unsqueeze(1)) & ~torch.eye(len(batch), dtype=torch.bool)
        loss = cross_entropy(scores.masked_fill(is_same, -1e9), torch.arange(len(batch)))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    print(f"epoch {epoch + 1}: loss {np.mean(losses):.4f}")

arguments.out.mkdir(parents=True, exist_ok=True)
torch.onnx.export(
    user_tower.eval(),
    (histories[:2], features[:2]),
    str(arguments.out / "encoder.onnx"),
    input_names=["history", "user"],
    output_names=["vector"],
    dynamic_axes={"history": {0: "users"}, "user": {0: "users"}, "vector": {0: "users"}},
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
    return {"history": taken, "features": describe(user), "vector": vector}


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
    "userFeatures": {
        "input": "user",
        "fields": [
            {"view": "users", "field": "age"},
            {"view": "users", "field": "country", "codes": countries, "otherwise": 0},
        ],
    },
    "output": "vector",
    "similarity": "dot",
    "trainedUntil": datetime.fromtimestamp(until, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
    "golden": [golden(user) for user in interactions["user_id"].unique()[:3]],
}
(arguments.out / "encoder.yaml").write_text(yaml.safe_dump(spec, sort_keys=False))
print(f"{len(ids)} item vectors, {len(seen)} of them of items that the history may name; trained until {spec['trainedUntil']}")
