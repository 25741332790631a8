"""The forms that a network is exported in: how each is written and read.

N crops of (H, W), S stacks, K joints, heatmaps of (h, w).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import keras
import numpy as np
import tensorflow as tf
from keras import ops
from numpy.typing import NDArray

from cocoprep.model.export.decode import decode_taylor
from cocoprep.model.network.preprocess import MEAN_RGB, STDDEV_RGB
from cocoprep.model.predict.predictor import Predictor
from cocoprep.storage.held_folder import held_folder, temporaries_in

Format = Literal["savedmodel", "keras", "onnx"]
INPUT, KEYPOINTS, CONFIDENCE, HEATMAPS = "crops", "keypoints", "confidence", "heatmaps"
OPSET = 18
Reloaded = Callable[[NDArray[np.uint8]], dict[str, NDArray[Any]]]  # crops to outputs by name


def serve(predictor: Predictor, crops: Any) -> dict[str, Any]:
    """Return the operations from crops (N, H, W, 3) uint8 to joints.

    Returns:
        `keypoints` (N, K, 2) float32, x and y in pixels of the crop, pixel centres at .5; `confidence` (N, K) float32,
        the maps' peaks, never below 0; `heatmaps` (N, h, w, K) float32 of the last stack.
    """
    heatmaps = predictor.graph(crops)[-1]
    points, peaks = decode_taylor(heatmaps)
    return {
        KEYPOINTS: ops.cast(points * predictor.crop.heatmap_stride, "float32"),
        CONFIDENCE: ops.cast(ops.maximum(peaks, 0.0), "float32"),
        HEATMAPS: heatmaps,
    }


def _signature(predictor: Predictor) -> tf.TensorSpec:
    return tf.TensorSpec((None, *predictor.crop.input_size, 3), tf.uint8, name=INPUT)


def _write_savedmodel(predictor: Predictor, path: str) -> None:
    archive = keras.export.ExportArchive()
    archive.track(predictor.folded)

    def operations(crops: Any) -> dict[str, Any]:
        return serve(predictor, crops)

    archive.add_endpoint("serve", operations, input_signature=[_signature(predictor)])
    archive.write_out(path, verbose=False)


def _read_savedmodel(path: str) -> Reloaded:
    signature = tf.saved_model.load(path).signatures["serving_default"]
    return lambda crops: {name: value.numpy() for name, value in signature(**{INPUT: tf.constant(crops)}).items()}


def _write_keras(predictor: Predictor, path: str) -> None:
    crops = keras.Input((*predictor.crop.input_size, 3), dtype="uint8", name=INPUT)
    normalise = keras.layers.Rescaling(
        [1 / (255 * stddev) for stddev in STDDEV_RGB],
        [-mean / stddev for mean, stddev in zip(MEAN_RGB, STDDEV_RGB, strict=True)],
        dtype="float32",
        name="normalise",
    )
    model = keras.Model(crops, predictor.network(normalise(crops)), name="cocoprep")
    with held_folder() as temporary, temporaries_in(temporary):
        model.save(path)


def _read_keras(path: str) -> Reloaded:
    model = keras.saving.load_model(path, compile=False)
    return lambda crops: {HEATMAPS: np.stack(keras.tree.flatten(model(crops, training=False)))}


def _write_onnx(predictor: Predictor, path: str) -> None:
    import tf2onnx

    function = tf.function(lambda crops: serve(predictor, crops), autograph=False)
    tf2onnx.convert.from_function(function, [_signature(predictor)], opset=OPSET, output_path=path)


def _read_onnx(path: str) -> Reloaded:
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return lambda crops: dict(zip(names, session.run(names, {session.get_inputs()[0].name: crops}), strict=True))


def write_form(predictor: Predictor, form: Format, path: str) -> None:
    """Write a predictor's network to a path that is free."""
    {"savedmodel": _write_savedmodel, "keras": _write_keras, "onnx": _write_onnx}[form](predictor, path)


def read_form(form: Format, path: str) -> Reloaded:
    """Return what takes crops (N, H, W, 3) uint8 to the outputs of what `write_form` wrote."""
    return {"savedmodel": _read_savedmodel, "keras": _read_keras, "onnx": _read_onnx}[form](path)
