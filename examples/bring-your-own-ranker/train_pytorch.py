"""PyTorch, a small network with a softmax loss per query. Usage: python train_pytorch.py rows.parquet --out pytorch.onnx"""

import numpy as np
import torch
from torch import nn

from training_set import Part, ndcg, parse_arguments, read_features, read_parts, report, write_golden_batch

arguments = parse_arguments(trees=20)
features = read_features(arguments.features)
parts = read_parts(arguments.rows, features)
train, validation = parts["train"], parts["validation"]
torch.manual_seed(42)
torch.set_num_threads(1)


class Ranker(nn.Module):
    """The scaling is part of the model: serving gives it features as they are."""

    def __init__(self, rows: np.ndarray) -> None:
        super().__init__()
        self.register_buffer("mean", torch.from_numpy(rows.mean(axis=0)))
        self.register_buffer("scale", torch.from_numpy(1 / (rows.std(axis=0) + 1e-3)))
        self.layers = nn.Sequential(
            nn.Linear(rows.shape[1], 32), nn.ReLU(), nn.Linear(32, 16), nn.ReLU(), nn.Linear(16, 1)
        )

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        scaled = ((features - self.mean) * self.scale).clamp(-5, 5)
        return self.layers(scaled).squeeze(1)


def split_queries(part: Part) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Rows and what each counts for, by query: 0 where it was not taken."""
    sizes = part.groups.tolist()
    counts = torch.from_numpy(part.labels * part.weights)
    return list(zip(torch.from_numpy(part.features).split(sizes), counts.split(sizes)))


def predict(inputs: np.ndarray) -> np.ndarray:
    with torch.no_grad():
        return ranker(torch.from_numpy(inputs)).numpy()


ranker = Ranker(train.features)
optimiser = torch.optim.AdamW(ranker.parameters(), lr=2e-3, weight_decay=1e-3)
queries = split_queries(train)
best = -1.0
for epoch in range(arguments.trees):
    for index in torch.randperm(len(queries)).tolist():
        rows, counts = queries[index]
        loss = -(counts / counts.sum() * torch.log_softmax(ranker(rows), 0)).sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    quality = ndcg(validation, predict(validation.features))
    if quality > best:
        best, kept = quality, {name: value.clone() for name, value in ranker.state_dict().items()}
ranker.load_state_dict(kept)

torch.onnx.export(
    ranker,
    (torch.zeros(2, len(features)),),
    str(arguments.out),
    input_names=["features"],
    output_names=["scores"],
    dynamic_axes={"features": {0: "rows"}, "scores": {0: "rows"}},
    dynamo=False,
)
report("PyTorch", parts, predict)
write_golden_batch(arguments.out, validation, features, predict, output="scores")
