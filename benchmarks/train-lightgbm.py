"""Trains LightGBM for benchmarks/lightgbm.ts: rows in, scores out, with the very options of the other trainer.

Usage: train-lightgbm.py <folder>, which holds options.json, train.f32, train-labels.f32, train-groups.u32, test.f32.
Writes test-scores.f32 and prints the seconds of processor time that training took, binning included.
"""

import json
import sys
import time
from pathlib import Path

import lightgbm as lgb
import numpy as np

folder = Path(sys.argv[1])
options = json.loads((folder / "options.json").read_text())
columns = options["columns"]


def matrix(name):
    return np.fromfile(folder / name, np.float32).reshape(-1, columns)


train, test = matrix("train.f32"), matrix("test.f32")
labels = np.fromfile(folder / "train-labels.f32", np.float32)
groups = np.diff(np.fromfile(folder / "train-groups.u32", np.uint32).astype(np.int64))

parameters = {
    "objective": {"logistic": "binary", "lambdarank": "lambdarank"}[options["objective"]],
    "num_leaves": options["maxLeaves"],
    "learning_rate": options["learningRate"],
    "min_data_in_leaf": options["minRowsPerLeaf"],
    "min_sum_hessian_in_leaf": options["minHessianPerLeaf"],
    "lambda_l2": options["l2"],
    "max_bin": options["maxBins"],
    "lambdarank_truncation_level": options["truncation"],
    "feature_fraction": options["featureFraction"],
    "bagging_fraction": options["rowFraction"],
    "bagging_freq": 1 if options["rowFraction"] < 1 else 0,
    "seed": options["seed"],
    "num_threads": 1,
    "verbosity": -1,
}
start = time.process_time()
dataset = lgb.Dataset(train, labels, group=groups, params=parameters)
booster = lgb.train(parameters, dataset, num_boost_round=options["maxTrees"])
seconds = time.process_time() - start
booster.predict(test, raw_score=True, num_threads=1).astype(np.float32).tofile(folder / "test-scores.f32")
print(json.dumps({"version": lgb.__version__, "trees": booster.num_trees(), "seconds": seconds}))
