"""What a team would build for itself: FastAPI, faiss and ONNX Runtime over the very bundle that Shortlist serves.

PEER_BUNDLE is the folder of the bundle, PEER_USERS a file with the vectors of its users. Run it with uvicorn.
"""

import os
from pathlib import Path

import faiss
import numpy as np
import onnxruntime
import orjson
import pyarrow.parquet as parquet
from fastapi import FastAPI, HTTPException, Response
from safetensors.numpy import load_file

CANDIDATES = 200
DAY = 86_400
BUNDLE = Path(os.environ["PEER_BUNDLE"])
# What Shortlist counts days from: answers stay the same however old the bundle is.
NOW = orjson.loads((BUNDLE / "manifest.json").read_bytes())["knownUntil"]


def read_view(name: str) -> tuple[list[str], np.ndarray]:
    """The ids of a view, and its fields as one matrix of a row for each."""
    key, *fields = parquet.read_table(BUNDLE / "features" / f"{name}.parquet").columns
    return key.to_pylist(), np.column_stack([field.to_numpy() for field in fields]).astype(np.float32)


item_ids, item_stats = read_view("item_stats")
user_ids, user_stats = read_view("user_stats")
titles = parquet.read_table(BUNDLE / "catalogue.parquet")["title"].to_pylist()
row_of = {user_id: row for row, user_id in enumerate(user_ids)}
user_vectors = load_file(os.environ["PEER_USERS"])["users"]
histories = load_file(BUNDLE / "histories.safetensors")
offsets, history_items = histories["offsets"].tolist(), histories["items"]
timestamps, values = histories["timestamps"], histories["values"]

# Two processes share two cores: more threads in each are slower.
faiss.omp_set_num_threads(1)
index = faiss.IndexFlatIP(user_vectors.shape[1])
index.add(load_file(BUNDLE / "candidates" / "als.safetensors")["factors"])
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = options.inter_op_num_threads = 1
ranker = onnxruntime.InferenceSession(BUNDLE / "ranker.onnx", options, providers=["CPUExecutionProvider"])
ranks = np.arange(1, CANDIDATES + 1, dtype=np.float32)
is_seen = np.zeros(len(item_ids), bool)
app = FastAPI(openapi_url=None)


def describe_activity(times: np.ndarray, weights: np.ndarray) -> np.ndarray:
    counts = len(times) - np.array([0, *np.searchsorted(times, [NOW - 7 * DAY, NOW - 30 * DAY], "right")])
    gaps = np.array([NOW - times[-1], times[-1] - times[0], times[-1] - times[-10:][0]]) / DAY
    (length, week, month), (since, span, recent) = np.log1p(counts), np.log1p(gaps)
    return np.array([length, since, weights.mean(), week, month, span, recent], np.float32)


@app.get("/recommendations/{user_id}")
async def recommend(user_id: str, limit: int = 10) -> Response:
    if (user := row_of.get(user_id)) is None:
        raise HTTPException(404)
    entries = slice(offsets[user], offsets[user + 1])
    seen = history_items[entries]
    scores, found = index.search(user_vectors[user : user + 1], CANDIDATES + len(seen))
    is_seen[seen] = True
    kept = np.flatnonzero(~is_seen[found[0]])[:CANDIDATES]
    is_seen[seen] = False
    items, scores = found[0, kept], scores[0, kept]
    features = np.empty((len(items), 32), np.float32)
    features[:, 0], features[:, 1] = scores, (scores - scores.mean()) / scores.std()
    features[:, 2], features[:, 3], features[:, 4] = 1 / ranks[: len(items)], 1 / (60 + ranks[: len(items)]), 1
    features[:, 5:17], features[:, 17:25] = item_stats[items], user_stats[user]
    features[:, 25:] = describe_activity(timestamps[entries], values[entries])
    ranked = ranker.run(None, {"features": features})[0][:, 0]
    best = [(int(items[row]), float(ranked[row])) for row in np.argsort(-ranked, kind="stable")[:limit]]
    answer = [{"itemId": item_ids[item], "score": score, "attributes": {"title": titles[item]}} for item, score in best]
    return Response(orjson.dumps({"userId": user_id, "items": answer}), media_type="application/json")
