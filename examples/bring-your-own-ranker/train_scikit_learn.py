"""scikit-learn, a classifier. Usage: python train_scikit_learn.py rows.parquet --out scikit-learn.onnx"""

import numpy as np
from skl2onnx import to_onnx
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from training_set import parse_arguments, read_features, read_parts, report, save_model, write_golden_batch

arguments = parse_arguments(trees=100)
features = read_features(arguments.features)
parts = read_parts(arguments.rows, features)
train = parts["train"]

classifier = make_pipeline(
    StandardScaler(), LogisticRegression(max_iter=arguments.trees, C=0.1, random_state=42)
)
# Whole numbers: with texts as labels, the order of the two probabilities would be that of the alphabet.
classifier.fit(train.features, train.labels.astype(int), logisticregression__sample_weight=train.weights)
model = to_onnx(classifier, train.features[:1], options={"zipmap": False})
save_model(model, arguments.out)


def predict(inputs: np.ndarray) -> np.ndarray:
    return classifier.predict_proba(inputs)[:, 1]


report("scikit-learn", parts, predict)
write_golden_batch(arguments.out, parts["validation"], features, predict, output="probabilities")
