"""What TensorFlow Datasets reads of a folder: `features.json` and `dataset_info.json`, by their public form.

`tfds.builder_from_directory` finds the shards by TFDS's own scheme of names, which is ours, and decodes every feature
but what lies around the canonical crop. Both files are the JSON of protocol buffers, `feature.proto` and
`dataset_info.proto` of TFDS 4.9: 64-bit numbers are text. They follow from the manifest alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from cocoprep.pose.crop_config import CropConfig
from cocoprep.shards.names import DATASET, DATASET_INFO, FEATURES_FILE
from cocoprep.shards.record import SCHEMA_VERSION
from cocoprep.shards.settings import FeatureRecord
from cocoprep.shards.sidecar import Sidecar

_CLASSES = "tensorflow_datasets.core.features."
_TEMPLATE = "{DATASET}-{SPLIT}.{FILEFORMAT}-{SHARD_X_OF_Y}"


def tfds_files(
    split: str, features: Sequence[FeatureRecord], crop: CropConfig, joints: int, shards: Sequence[Sidecar]
) -> dict[str, bytes]:
    """Return both files by name.

    Args:
        split: what the shards are of.
        features: of the records.
        crop: its sizes are those of image and heatmaps.
        joints: K.
        shards: in their order.
    """
    return {
        FEATURES_FILE: _encode(_all_features(features, crop, joints)),
        DATASET_INFO: _encode(_dataset_info(split, shards)),
    }


def _all_features(features: Sequence[FeatureRecord], crop: CropConfig, joints: int) -> dict[str, Any]:
    found = {one.name: {**_feature(one, crop, joints), "description": one.meaning} for one in features}
    return {
        "pythonClassName": f"{_CLASSES}features_dict.FeaturesDict",
        "featuresDict": {"features": found},
    }


def _feature(feature: FeatureRecord, crop: CropConfig, joints: int) -> dict[str, Any]:
    if feature.name == "image":
        image = {"dtype": "uint8", "encodingFormat": "jpeg", "shape": _shape(*crop.stored_size, 3)}
        return {"pythonClassName": f"{_CLASSES}image_feature.Image", "image": image}
    if feature.name == "heatmaps":
        return _tensor("uint8", _shape(*crop.heatmap_size, joints), encoding="zlib")
    if feature.kind == "bytes":
        return {"pythonClassName": f"{_CLASSES}text_feature.Text", "text": {}}
    return _tensor(feature.kind, _shape(*(joints if side == "K" else int(side) for side in feature.shape)))


def _tensor(dtype: str, shape: dict[str, Any], encoding: str = "none") -> dict[str, Any]:
    tensor = {"dtype": dtype, "encoding": encoding, "shape": shape}
    return {"pythonClassName": f"{_CLASSES}tensor_feature.Tensor", "tensor": tensor}


def _shape(*sides: int) -> dict[str, Any]:
    return {"dimensions": [str(side) for side in sides]} if sides else {}


def _dataset_info(split: str, shards: Sequence[Sidecar]) -> dict[str, Any]:
    return {
        "name": DATASET,
        "version": f"{SCHEMA_VERSION}.0.0",
        "description": "Crops of people with their keypoints and heatmaps, as `cocoprep build` writes them.",
        "fileFormat": "tfrecord",
        "splits": [
            {
                "name": split,
                "filepathTemplate": _TEMPLATE,
                "shardLengths": [str(shard.examples) for shard in shards],
                "numBytes": str(sum(shard.bytes for shard in shards)),
            }
        ],
    }


def _encode(content: dict[str, Any]) -> bytes:
    return msgspec.json.format(msgspec.json.encode(content, order="sorted"), indent=1) + b"\n"
