"""What the training scripts share: rows in, a model and its golden batch out."""

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pandas as pd
import yaml

GOLDEN_ROWS = 100

# The newest ONNX IR version that `shortlist import-ranker` reads; the onnx package writes a newer one by default.
NEWEST_IR_VERSION = 13


@dataclass
class Part:
    """Rows of whole queries, those of a query together."""

    features: np.ndarray  # float32 [rows, features]
    labels: np.ndarray  # float32 [rows], 1 where the candidate was taken, else 0
    weights: np.ndarray  # float32 [rows], what the dataset's weights make a taken row count, else 1
    groups: np.ndarray  # int64 [queries], how many rows each has

    def group_weights(self) -> np.ndarray:
        """float32 [queries]: the mean weight of what was taken, for libraries that weigh whole queries only."""
        starts = np.cumsum(self.groups) - self.groups
        taken = np.add.reduceat(self.labels, starts)
        return (np.add.reduceat(self.labels * self.weights, starts) / np.maximum(taken, 1)).astype(np.float32)


def parse_arguments(trees: int) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("rows", type=Path, help="what `shortlist export-training-set` wrote")
    parser.add_argument("--features", type=Path, help="default: features.yaml beside the rows")
    parser.add_argument("--out", type=Path, default=Path("model.onnx"))
    parser.add_argument("--trees", type=int, default=trees, help="trees, or epochs")
    arguments = parser.parse_args()
    arguments.features = arguments.features or arguments.rows.with_name("features.yaml")
    return arguments


def read_features(file: Path) -> list[str]:
    return yaml.safe_load(file.read_text())["features"]


def read_parts(rows: Path, features: list[str]) -> dict[str, Part]:
    """`train`, `validation`, and `test` where the rows have one."""
    frame = pd.read_parquet(rows)
    return {
        split: Part(
            part[features].to_numpy(np.float32),
            part["label"].to_numpy(np.float32),
            part["weight"].to_numpy(np.float32),
            part.groupby("query", sort=False).size().to_numpy(),
        )
        for split, part in frame.groupby("split", sort=False)
    }


def save_model(model: onnx.ModelProto, out: Path) -> None:
    model.ir_version = min(model.ir_version, NEWEST_IR_VERSION)
    onnx.save_model(model, str(out))


def ndcg(part: Part, scores: np.ndarray, k: int = 10) -> float:
    """Over the rows: an item that no candidate source found counts for nothing here, and in `shortlist evaluate` it does."""
    discounts = 1 / np.log2(np.arange(2, k + 2))
    values = []
    for labels, query in zip(*(np.split(each, np.cumsum(part.groups)[:-1]) for each in (part.labels, scores))):
        found = labels[np.argsort(-query, kind="stable")][:k]
        best = np.sort(labels)[::-1][:k]
        values.append((found * discounts[: len(found)]).sum() / (best * discounts[: len(best)]).sum())
    return float(np.mean(values))


def report(name: str, parts: dict[str, Part], predict) -> None:
    for split, part in parts.items():
        print(f"{name}: nDCG@10 of the {split} rows {ndcg(part, predict(part.features)):.4f}")


def write_golden_batch(out: Path, part: Part, features: list[str], predict, output: str) -> None:
    """Writes `<model>.golden.parquet`: rows, and what the model gave them here, not in ONNX. Compares the two."""
    inputs = part.features[np.linspace(0, len(part.features) - 1, GOLDEN_ROWS, dtype=int)]
    scores = np.asarray(predict(inputs), np.float64).reshape(-1)
    frame = pd.DataFrame(inputs, columns=features)
    frame["score"] = scores
    frame.to_parquet(out.with_suffix(".golden.parquet"), index=False)
    session = onnxruntime.InferenceSession(str(out))
    [served] = session.run([output], {session.get_inputs()[0].name: inputs})
    served = served[:, -1] if served.ndim == 2 else served
    print(f"{out}: output '{output}', largest difference from the trainer {np.abs(served - scores).max():.1e}")
