"""XGBoost, LambdaMART. Usage: python train_xgboost.py rows.parquet --out xgboost.onnx"""

import numpy as np
import xgboost as xgb
from onnxmltools import convert_xgboost
from onnxmltools.convert.common.data_types import FloatTensorType

from training_set import parse_arguments, read_features, read_parts, report, save_model, write_golden_batch

arguments = parse_arguments(trees=300)
features = read_features(arguments.features)
parts = read_parts(arguments.rows, features)
train, validation = parts["train"], parts["validation"]

ranker = xgb.XGBRanker(
    objective="rank:ndcg",
    eval_metric="ndcg@10",
    n_estimators=arguments.trees,
    learning_rate=0.05,
    max_leaves=15,
    grow_policy="lossguide",
    reg_lambda=5,
    colsample_bytree=0.7,
    early_stopping_rounds=30,
    random_state=42,
)
ranker.fit(
    train.features,
    train.labels,
    group=train.groups,
    eval_set=[(validation.features, validation.labels)],
    eval_group=[validation.groups],
    sample_weight=train.group_weights(),  # XGBoost weighs queries, not rows
    sample_weight_eval_set=[validation.group_weights()],
    verbose=False,
)
trees = ranker.get_booster()[: ranker.best_iteration + 1]
regressor = xgb.XGBRegressor()  # the converter knows a sum of leaves as a regression
regressor.load_model(trees.save_raw("json"))
model = convert_xgboost(regressor, initial_types=[("features", FloatTensorType([None, len(features)]))])
save_model(model, arguments.out)


def predict(inputs: np.ndarray) -> np.ndarray:
    return trees.predict(xgb.DMatrix(inputs), output_margin=True)


report("XGBoost", parts, predict)
write_golden_batch(arguments.out, validation, features, predict, output="variable")
