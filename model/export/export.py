"""A run's network for use elsewhere: a SavedModel, a Keras file or ONNX, held against the original before it is there.

N crops of (H, W), S stacks, K joints, heatmaps of (h, w).
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import keras
import msgspec
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from cocoprep.checks import require_choice
from cocoprep.errors import CocoprepError, ConfigError, OutputError
from cocoprep.model.export.forms import CONFIDENCE, HEATMAPS, INPUT, KEYPOINTS, Format, Reloaded, read_form, write_form
from cocoprep.model.export.place import ExportPlace
from cocoprep.model.input.config import ReadConfig
from cocoprep.model.input.dataset import eval_dataset
from cocoprep.model.input.failures import readable_errors
from cocoprep.model.predict.folder import check_geometry
from cocoprep.model.predict.predictor import Predictor, stack_heatmaps
from cocoprep.model.run.folder import RUN, RunFolder, version_of
from cocoprep.pose.heatmaps import decode_heatmaps
from cocoprep.shards.manifest import read_manifest
from cocoprep.shards.names import MANIFEST
from cocoprep.storage.by_scheme import AnyFiles
from cocoprep.storage.disk_errors import no_temporary
from cocoprep.storage.leftovers import sweep_beside
from cocoprep.storage.store import FileStore

NAMES: dict[Format, str] = {"savedmodel": "savedmodel", "keras": "network.keras", "onnx": "network.onnx"}
METADATA = "metadata.json"
PEOPLE = 16  # that an export is held against the original on
HEATMAP_TOLERANCE = 1e-4  # of maps of peak 1
JOINT_TOLERANCE_PX = 1e-3  # of the crop


@dataclass(frozen=True)
class Agreement:
    """How far an export is from the original on real crops.

    Attributes:
        people: that were compared.
        folder: where they are from.
        heatmaps: the largest difference of a heatmap's pixel.
        joints_px: the largest difference of a joint in pixels of the crop, of what the export decodes from its own
            heatmaps to what NumPy does; None where it holds no decoding.
        confidence: the same of a joint's confidence.
    """

    people: int
    folder: str
    heatmaps: float
    joints_px: float | None
    confidence: float | None


def export_network(
    predictor: Predictor,
    run_dir: str,
    *,
    form: Format,
    out: str | None,
    data: str | None,
    force: bool = False,
    files: FileStore = AnyFiles(),
) -> tuple[str, Agreement]:
    """Write a predictor's network in a form for use elsewhere.

    All take crops (N, H, W, 3) uint8 RGB, cut as the build does. `savedmodel` and `onnx` give joints, sub-pixel, in
    pixels of the crop, their confidences, and the last stack's heatmaps; `keras` is the network with normalisation in
    front, and gives every stack's heatmaps. What it holds is said in a JSON file within or beside it.

    Args:
        predictor: of the run; its flip test becomes part of the export.
        run_dir: the run's folder.
        form: `savedmodel`, `keras` or `onnx`.
        out: where to write; None for a name of its own in the run's folder.
        data: built folder whose people the export is checked on; None for the run's own, validation first.
        force: replace what is there.
        files: where all these lie; by default, on this machine or in a bucket, as each path says.

    Returns:
        The path, and how well it agrees with the original.

    Raises:
        ConfigError: a flip test in a Keras file, a package that is missing, or no people to check on.
        OutputError: something is there already, or the folder cannot be written.
        CocoprepError: the export does not agree with the original. It is removed again.
    """
    _check_form(form, flip_test=predictor.flip_test)
    folder = RunFolder(run_dir, files)
    place = ExportPlace.named(out or folder.at(f"export/{NAMES[form]}"), form, folder.files)
    place.check(force=force)
    crops, source = _real_crops(predictor, folder, data, files)
    try:
        with place.temporary() as temporary:
            write_form(predictor, form, temporary)
            with _exact_products():
                agreement = _compare(predictor, read_form(form, temporary), crops, source)
            _check_agreement(agreement, form)
            about = json.dumps(_about(predictor, folder, form, agreement), indent=1).encode() + b"\n"
            if form == "savedmodel":
                Path(temporary, METADATA).write_bytes(about)
            else:  # first, so that no export is without it, whatever ends this
                _write_beside(place, about)
            place.take(temporary)
    except OSError as error:
        if "://" in place.path:  # what goes into a bucket is written here first
            raise no_temporary(error) from error
        raise OutputError(
            f"cannot write {place.path}: {error.strerror or error}. Choose another place with --out."
        ) from error
    return place.path, agreement


def _write_beside(place: ExportPlace, about: bytes) -> None:
    path = f"{place.path}.json"
    sweep_beside(path, place.files)
    with place.files.create(path) as stream:
        stream.write(about)


@contextmanager
def _exact_products() -> Iterator[None]:
    """Keep GPUs from rounding the factors of float32 products: it would hide what is to be seen."""
    before = tf.config.experimental.tensor_float_32_execution_enabled()
    tf.config.experimental.enable_tensor_float_32_execution(False)
    try:
        yield
    finally:
        tf.config.experimental.enable_tensor_float_32_execution(before)


def _check_form(form: Format, *, flip_test: bool) -> None:
    require_choice("--format", form, get_args(Format))
    if form == "keras" and flip_test:
        raise ConfigError(
            "--flip-test: a Keras file holds the network alone. Leave it out, or take savedmodel or onnx."
        )
    missing = [name for name in ("tf2onnx", "onnxruntime") if importlib.util.find_spec(name) is None]
    if form == "onnx" and missing:
        raise ConfigError(f"--format onnx: needs {' and '.join(missing)}: pip install 'cocoprep[onnx]'.")


def _real_crops(
    predictor: Predictor, folder: RunFolder, data: str | None, files: FileStore
) -> tuple[NDArray[np.uint8], str]:
    """Return crops of the first people of a built folder, and the folder."""
    config = folder.read_config()
    known = [data] if data is not None else [*config.val_folders, *config.folders]
    source = next((path for path in known if files.exists(files.join(path, MANIFEST))), None)
    if source is None:
        raise ConfigError(
            "--data: expected a built folder whose people the export is checked on, found none at "
            f"{' or '.join(known)}."
        )
    check_geometry(predictor, read_manifest(source, files), source)
    batches = eval_dataset(source, ReadConfig(batch_size=PEOPLE, cache=False), files=files)
    with readable_errors():
        batch = next(batches.as_numpy_iterator())
    return batch["image"][batch["valid"]], source


def _compare(predictor: Predictor, reloaded: Reloaded, crops: NDArray[np.uint8], source: str) -> Agreement:
    outputs = reloaded(crops)
    expected = np.asarray(stack_heatmaps(predictor.network, crops, predictor.flip_index))
    if KEYPOINTS not in outputs:
        return Agreement(len(crops), source, _worst(outputs[HEATMAPS], expected), None, None)
    # From its own heatmaps: where two places are about as likely, the last bit of a heatmap may decide.
    points, peaks = decode_heatmaps(outputs[HEATMAPS])
    return Agreement(
        people=len(crops),
        folder=source,
        heatmaps=_worst(outputs[HEATMAPS], expected[-1]),
        joints_px=_worst(outputs[KEYPOINTS], points * predictor.crop.heatmap_stride),
        confidence=_worst(outputs[CONFIDENCE], np.maximum(peaks, 0)),
    )


def _worst(found: NDArray[Any], expected: NDArray[Any]) -> float:
    if found.shape != expected.shape:
        return float("inf")
    return float(np.abs(found.astype(np.float64) - expected).max())


def _check_agreement(agreement: Agreement, form: str) -> None:
    limits = (
        ("heatmaps", agreement.heatmaps, HEATMAP_TOLERANCE),
        ("joints", agreement.joints_px, JOINT_TOLERANCE_PX),
        ("confidences", agreement.confidence, HEATMAP_TOLERANCE),
    )
    for name, found, limit in limits:
        if found is not None and not found <= limit:
            raise CocoprepError(
                f"the {form} does not do what the network does: on {agreement.people} people of {agreement.folder} its "
                f"{name} differ by {found:.2g}, more than {limit:g}. It was removed again; this is a fault of ours."
            )


def _about(predictor: Predictor, folder: RunFolder, form: Format, agreement: Agreement) -> dict[str, Any]:
    """Return what one needs to know to use an export."""
    height, width = predictor.crop.input_size
    joints, stacks = len(predictor.table), len(keras.tree.flatten(predictor.network.outputs))
    h, w = predictor.crop.heatmap_size
    whom = predictor.table.noun.a
    outputs: dict[str, Any] = {
        KEYPOINTS: f"float32 (N, {joints}, 2): x, y in pixels of the crop, pixel centres at .5",
        CONFIDENCE: f"float32 (N, {joints}): peak of each joint's heatmap, about 1 at best, never below 0",
        HEATMAPS: f"float32 (N, {h}, {w}, {joints}): of the last stack, of peak about 1",
    }
    if form == "keras":
        outputs = {HEATMAPS: f"a list of {stacks}, one a stack, the last counts: float32 (N, {h}, {w}, {joints})"}
    return {
        "format": form,
        "input": {INPUT: f"uint8 (N, {height}, {width}, 3): RGB, {whom} a crop; normalisation is inside"},
        "outputs": outputs,
        "joints": list(predictor.table.names),
        "flip_test": predictor.flip_test,
        "crop": {
            "how": "the box grown about its centre to the crop's aspect ratio, then by bbox_scale; resized with "
            "antialiasing; filled with fill_rgb outside of the photograph",
            **msgspec.to_builtins(predictor.crop),
        },
        "checked_on": {"people": agreement.people, "heatmaps": agreement.heatmaps, "joints_px": agreement.joints_px},
        "shards": json.loads(folder.files.read_bytes(folder.at(RUN))).get("shards"),
        "versions": {name: version_of(name) for name in ("cocoprep", "keras", "tensorflow")},
    }
