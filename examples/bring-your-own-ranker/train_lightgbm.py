"""LightGBM, LambdaRank. Usage: python train_lightgbm.py rows.parquet --out lightgbm.onnx"""

import lightgbm as lgb
import numpy as np
from onnxmltools import convert_lightgbm
from onnxmltools.convert.common.data_types import FloatTensorType

from training_set import parse_arguments, read_features, read_parts, report, save_model, write_golden_batch

arguments = parse_arguments(trees=300)
features = read_features(arguments.features)
parts = read_parts(arguments.rows, features)
train, validation = parts["train"], parts["validation"]

rows = lgb.Dataset(train.features, train.labels, weight=train.weights, group=train.groups, params={"max_bin": 255})
booster = lgb.train(
    {
        "objective": "lambdarank",
        "metric": "ndcg",
        "eval_at": [10],
        "learning_rate": 0.05,
        "num_leaves": 15,
        "min_data_in_leaf": 50,
        "lambda_l2": 5,
        "feature_fraction": 0.7,
        "seed": 42,
        "verbosity": -1,
    },
    rows,
    num_boost_round=arguments.trees,
    valid_sets=[
        lgb.Dataset(
            validation.features, validation.labels, weight=validation.weights, group=validation.groups, reference=rows
        )
    ],
    callbacks=[lgb.early_stopping(30, verbose=False)],
)
# The converter knows LightGBM's ranking trees as a regression: both are a sum of leaves.
text = booster.model_to_string(num_iteration=booster.best_iteration).replace("objective=lambdarank", "objective=regression")
model = convert_lightgbm(
    lgb.Booster(model_str=text), initial_types=[("features", FloatTensorType([None, len(features)]))]
)
save_model(model, arguments.out)


def predict(inputs: np.ndarray) -> np.ndarray:
    return booster.predict(inputs, num_iteration=booster.best_iteration)


report("LightGBM", parts, predict)
write_golden_batch(arguments.out, validation, features, predict, output="variable")
