"""CatBoost, YetiRank. Usage: python train_catboost.py rows.parquet --out catboost.onnx"""

import numpy as np
from catboost import CatBoostRanker, Pool

from training_set import parse_arguments, read_features, read_parts, report, write_golden_batch

arguments = parse_arguments(trees=100)
features = read_features(arguments.features)
parts = read_parts(arguments.rows, features)
train = parts["train"]

ranker = CatBoostRanker(
    iterations=arguments.trees, learning_rate=0.1, depth=4, random_seed=42, verbose=False, allow_writing_files=False
)
ranker.fit(
    Pool(
        train.features,
        train.labels,
        group_id=np.repeat(np.arange(len(train.groups)), train.groups),
        group_weight=np.repeat(train.group_weights(), train.groups),  # CatBoost weighs queries, not rows
    )
)
ranker.save_model(str(arguments.out), format="onnx")

report("CatBoost", parts, ranker.predict)
write_golden_batch(arguments.out, parts["validation"], features, ranker.predict, output="predictions")
