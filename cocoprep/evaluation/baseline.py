"""What guessing scores: the mean heatmap of each joint, and the PCK of always answering with its peak.

A trainer needs it to tell learning from guessing.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from cocoprep.coco.results import Predictions
from cocoprep.coco.truth import Truth
from cocoprep.errors import RecordError
from cocoprep.evaluation.pck import Pck, pck
from cocoprep.pose import affine
from cocoprep.pose.boxes import box_fault, canonical_window
from cocoprep.pose.crop_config import CropConfig
from cocoprep.pose.heatmaps import PEAK, decode_heatmaps
from cocoprep.shards.manifest import Manifest
from cocoprep.shards.names import BASELINE
from cocoprep.shards.sidecar import Sidecar, unpack_array
from cocoprep.storage.npz import decode_npz
from cocoprep.storage.store import FileStore


@dataclass(frozen=True)
class Baseline:
    """The mean guess over `people` records.

    Attributes:
        mean_heatmaps: (h, w, K) float32, the mean of the maps of labelled joints, peak of a single map 1.
        labelled: (K,) int64, how many people have the joint labelled.
        guess: (K, 2) float64, the peak of each mean map in pixels of the canonical crop.
        pck: of answering `guess` for everybody.
    """

    people: int
    mean_heatmaps: NDArray[np.float32]
    labelled: NDArray[np.int64]
    guess: NDArray[np.float64]
    pck: Pck

    def to_npz(self) -> bytes:
        """Return the content of `baseline.npz`: the attributes by name, `labelled_fraction`, and the PCK."""
        stream = io.BytesIO()
        np.savez(
            stream,
            people=np.int64(self.people),
            mean_heatmaps=self.mean_heatmaps,
            labelled=self.labelled,
            labelled_fraction=self.labelled / self.people,
            guess=self.guess,
            pck_thresholds=np.array(self.pck.thresholds),
            pck_total=self.pck.total,
            pck_per_joint=self.pck.per_joint,
        )
        return stream.getvalue()

    @classmethod
    def from_npz(cls, data: bytes, path: str, shape: tuple[int, int, int]) -> Baseline:
        """Return what `to_npz` wrote.

        Args:
            data: the file's content.
            path: its name in errors.
            shape: (h, w, K) of its mean heatmaps.

        Raises:
            RecordError: it is damaged, or of another build.
        """
        try:
            arrays = decode_npz(data, path)
        except RecordError as error:
            raise RecordError(f"{error} Build the folder again.") from error
        joints, thresholds = shape[-1], len(arrays.get("pck_thresholds", np.empty(0)).ravel())
        expected: dict[str, tuple[str, tuple[int, ...]]] = {
            "people": ("i8", ()),
            "mean_heatmaps": ("f4", shape),
            "labelled": ("i8", (joints,)),
            "guess": ("f8", (joints, 2)),
            "pck_thresholds": ("f8", (thresholds,)),
            "pck_total": ("f8", (thresholds,)),
            "pck_per_joint": ("f8", (thresholds, joints)),
        }
        for name, kind in expected.items():
            found = (arrays[name].dtype.str[1:], arrays[name].shape) if name in arrays else None
            if found != kind:
                raise RecordError(
                    f"{path}: expected {name} of {kind}, found {found or 'none'}. It is another build's: copy the "
                    "folder again, or build it again."
                )
        people = int(arrays["people"])
        finite = all(np.isfinite(arrays[name]).all() for name in ("mean_heatmaps", "guess", "pck_thresholds"))
        if people < 1 or not finite:
            raise RecordError(f"{path}: no build has written this: copy the folder again, or build it again.")
        score = Pck(
            tuple(arrays["pck_thresholds"].tolist()), arrays["pck_total"], arrays["pck_per_joint"], arrays["labelled"]
        )
        return cls(people, arrays["mean_heatmaps"], arrays["labelled"], arrays["guess"], score)


def read_baseline(folder: str, manifest: Manifest, files: FileStore) -> Baseline:
    """Read the baseline of a built folder.

    Raises:
        RecordError: it is missing or damaged, or of other joints or sizes than the manifest says.
    """
    path = files.join(folder, BASELINE)
    try:
        data = files.read_bytes(path)
    except OSError as error:
        raise RecordError(f"{path}: cannot be read ({error.strerror or error}). Build the folder again.") from error
    return Baseline.from_npz(data, path, (*manifest.crop.heatmap_size, len(manifest.keypoints.names)))


def measure_baseline(sidecars: Sequence[Sidecar], crop: CropConfig, joints: int) -> Baseline:
    """Measure the mean guess over all people of the shards, from their sidecars alone."""

    def gather(name: str, dtype: DTypeLike, *shape: int) -> NDArray[Any]:
        return np.concatenate([unpack_array(getattr(s, name), dtype, (s.examples, *shape)) for s in sidecars])

    labelled = gather("labelled_joints", bool, joints)
    counts = labelled.sum(axis=0)
    sums = np.zeros((*crop.heatmap_size, joints), np.int64)
    for sidecar in sidecars:
        sums += unpack_array(sidecar.heatmap_sums, np.uint32, sums.shape)
    mean = (sums / (PEAK * np.maximum(counts, 1))).astype(np.float32)
    guess = affine.heatmap_to_crop(decode_heatmaps(mean, decoder="argmax")[0], crop.heatmap_stride)
    truth, sides = gather("keypoints", np.float32, joints, 2), gather("box_sides", np.float32)
    score = pck(np.broadcast_to(guess, truth.shape), truth, labelled, unit=sides)
    return Baseline(len(labelled), mean, counts, guess, score)


def guess_people(truth: Truth, baseline: Baseline, crop: CropConfig) -> Predictions:
    """Predict, for every counting person with a sound box, the same joints in the box's crop.

    Args:
        truth: whose boxes; its images must have sizes, as the ground truth of a built folder has.
        baseline: the guess.
        crop: how a box becomes a crop.

    Returns:
        One prediction a person, all of one score; a joint's confidence is how often it is labelled.
    """
    sizes = {image["id"]: (image["width"], image["height"]) for image in truth.images}
    rows, windows = [], []
    for row in np.flatnonzero(truth.counts).tolist():
        x, y, w, h = truth.bbox[row].tolist()
        width, height = sizes[int(truth.image_ids[row])]
        if box_fault((x, y, w, h), width, height) is None:
            rows.append(row)
            windows.append(canonical_window((x, y, w, h), (height, width), crop))
    guesses = np.broadcast_to(baseline.guess, (len(rows), *baseline.guess.shape))
    return Predictions(
        image_ids=truth.image_ids[rows],
        keypoints=affine.crop_to_index(guesses, windows, crop.input_size),
        confidence=np.broadcast_to(baseline.labelled / baseline.people, guesses.shape[:2]),
        scores=np.ones(len(rows)),
        annotation_ids=truth.annotation_ids[rows],
    )
