"""The record: person crop <-> tf.train.Example bytes, without TensorFlow.

`FEATURES` is the one table of names, types, shapes and units; writer, readers, feature specs and docs follow it. Those
of a build of several sources or categories have `ORIGIN_FEATURES` besides, all of them or none of a folder. The
Example message is built at run time in a descriptor pool of its own, so that it never meets TensorFlow's in one
process; its bytes are those of `tf.train.Example.SerializeToString(deterministic=True)`.
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import numpy as np
from google.protobuf import descriptor_pb2, descriptor_pool, message, message_factory
from numpy.typing import NDArray

from cocoprep.coco.annotations import Origin
from cocoprep.crops.person import PersonCrop
from cocoprep.errors import RecordError
from cocoprep.pose.crop_config import CropConfig

try:  # unpacks in half the time; training installs it, a worker that only writes does without
    from zlib_ng import zlib_ng as inflate
except ImportError:
    import zlib as inflate  # type: ignore[no-redef]

SCHEMA_VERSION = 1

Kind = Literal["bytes", "float32", "int64"]


@dataclass(frozen=True, slots=True)
class Feature:
    """One named value of a record: its type, its shape in terms of K, and what it is."""

    name: str
    kind: Kind
    shape: tuple[int | Literal["K"], ...]
    meaning: str
    get: Callable[[PersonCrop], Any]

    def count(self, joints: int) -> int:
        """Return how many numbers the feature holds for K `joints`."""
        total = 1
        for side in self.shape:
            total *= joints if side == "K" else side
        return total


FEATURES = (
    Feature("annotation_id", "int64", (), "id of the annotation", lambda p: p.annotation_id),
    Feature("area", "float32", (), "area of the segment as annotated, in image pixels squared", lambda p: p.area_px2),
    Feature("bbox", "float32", (4,), "x, y, width, height as annotated, in image pixels", lambda p: p.bbox),
    Feature(
        "crop_window", "float32", (4,),
        "x0, y0, width, height of the canonical crop, in image pixels: the way back", lambda p: p.window,
    ),
    Feature("file_name", "bytes", (), "file name of the photograph, UTF-8", lambda p: p.image.file_name.encode()),
    Feature(
        "heatmaps", "bytes", (),
        "targets of the canonical crop: zlib of uint8 (h, w, K), value * 255 rounded",
        lambda p: pack_heatmaps(p.heatmaps),
    ),
    Feature(
        "image", "bytes", (),
        "JPEG of the stored crop: the canonical crop plus `margin` pixels on every side", lambda p: p.jpeg,
    ),
    Feature("image_height", "int64", (), "height of the photograph in pixels", lambda p: p.image.height),
    Feature("image_id", "int64", (), "id of the photograph", lambda p: p.image.image_id),
    Feature("image_width", "int64", (), "width of the photograph in pixels", lambda p: p.image.width),
    Feature(
        "keypoints", "float32", ("K", 2),
        "x, y in pixels of the canonical crop, not clipped; 0, 0 where not labelled", lambda p: p.keypoints,
    ),
    Feature(
        "visibility", "int64", ("K",),
        "0 not labelled, 1 labelled but hidden, 2 visible", lambda p: p.visibility,
    ),
)  # fmt: skip


def _origin(person: PersonCrop) -> Origin:
    if person.origin is None:
        raise ValueError("a person of no source, where the record has room for one")
    return person.origin


ORIGIN_FEATURES = (
    Feature("category_id", "int64", (), "id of the category in its annotation file", lambda p: _origin(p).category_id),
    Feature("source", "int64", (), "place among the manifest's sources", lambda p: _origin(p).source),
)
_LIST_OF = {"bytes": "bytes_list", "float32": "float_list", "int64": "int64_list"}


def _example_class() -> type[message.Message]:
    field = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="cocoprep_example.proto", package="cocoprep", syntax="proto3")
    for name, kind in (
        ("BytesList", field.TYPE_BYTES),
        ("FloatList", field.TYPE_FLOAT),
        ("Int64List", field.TYPE_INT64),
    ):
        file.message_type.add(name=name).field.add(name="value", number=1, type=kind, label=field.LABEL_REPEATED)
    feature = file.message_type.add(name="Feature")
    feature.oneof_decl.add(name="kind")
    for number, name in enumerate(("BytesList", "FloatList", "Int64List"), start=1):
        feature.field.add(
            name=name.removesuffix("List").lower() + "_list", number=number, type=field.TYPE_MESSAGE,
            type_name=f".cocoprep.{name}", label=field.LABEL_OPTIONAL, oneof_index=0,
        )  # fmt: skip
    features = file.message_type.add(name="Features")
    entry = features.nested_type.add(name="FeatureEntry")
    entry.options.map_entry = True
    entry.field.add(name="key", number=1, type=field.TYPE_STRING, label=field.LABEL_OPTIONAL)
    entry.field.add(
        name="value", number=2, type=field.TYPE_MESSAGE, type_name=".cocoprep.Feature", label=field.LABEL_OPTIONAL
    )
    features.field.add(
        name="feature", number=1, type=field.TYPE_MESSAGE, label=field.LABEL_REPEATED,
        type_name=".cocoprep.Features.FeatureEntry",
    )  # fmt: skip
    file.message_type.add(name="Example").field.add(
        name="features", number=1, type=field.TYPE_MESSAGE, type_name=".cocoprep.Features", label=field.LABEL_OPTIONAL
    )
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("cocoprep.Example"))


_Example: Any = _example_class()


@cache
def features_of(*, has_origin: bool) -> tuple[Feature, ...]:
    """Return the features of a record, by name: with `ORIGIN_FEATURES` where its build has several of either."""
    return tuple(sorted((*FEATURES, *(ORIGIN_FEATURES if has_origin else ())), key=lambda feature: feature.name))


def encode_example(person: PersonCrop) -> bytes:
    """Return the record of one person: a serialized tf.train.Example, the same bytes every time."""
    example = _Example()
    features = example.features.feature
    for feature in features_of(has_origin=person.origin is not None):
        values = getattr(features[feature.name], _LIST_OF[feature.kind]).value
        value = feature.get(person)
        if feature.kind == "bytes":
            values.append(value)
        else:
            values.extend(np.ravel(value).tolist())
    data: bytes = example.SerializeToString(deterministic=True)
    return data


def decode_example(record: bytes, crop: CropConfig, joints: int) -> dict[str, Any]:
    """Parse a record and check it against the schema; the image stays JPEG.

    Returns:
        A dict by feature name: bytes as bytes, `file_name` as str, scalars as int or float, the rest as arrays of the
        schema's shape and type, `heatmaps` unpacked to (h, w, K) uint8.

    Raises:
        RecordError: not an Example, or a feature is missing, of another type or another size.
    """
    values = parse_example(record, joints)
    values["heatmaps"] = unpack_heatmaps(values["heatmaps"], (*crop.heatmap_size, joints))
    values["file_name"] = values["file_name"].decode("utf-8", errors="replace")
    return values


def parse_example(record: bytes, joints: int) -> dict[str, Any]:
    """Parse a record as `decode_example` does, but leave all bytes as they are: the heatmaps packed, too."""
    try:
        features = _Example.FromString(record).features.feature
    except message.DecodeError as error:
        raise RecordError(f"not a tf.train.Example ({error})") from error
    schema = features_of(has_origin="source" in features)
    names, expected = sorted(features), [feature.name for feature in schema]
    if names != expected:
        raise RecordError(f"expected the features {expected}, found {names!r:.500}")
    return {feature.name: _parse(feature, features[feature.name], joints) for feature in schema}


def _parse(feature: Feature, found: Any, joints: int) -> Any:
    kind, count = _LIST_OF[feature.kind], feature.count(joints)
    if found.WhichOneof("kind") != kind:
        raise RecordError(f"feature {feature.name!r}: expected a {kind}, found {found.WhichOneof('kind')}")
    values = getattr(found, kind).value
    if len(values) != count:
        raise RecordError(f"feature {feature.name!r}: expected {count} values, found {len(values)}")
    if kind == "float_list" and not math.isfinite(sum(values)):
        raise RecordError(f"feature {feature.name!r}: expected finite numbers, found others")
    if not feature.shape:
        return values[0]
    shape = [joints if side == "K" else side for side in feature.shape]
    return np.array(values, feature.kind).reshape(shape)


def pack_heatmaps(heatmaps: NDArray[np.uint8]) -> bytes:
    """Pack (h, w, K) uint8 heatmaps as a zlib stream."""
    # Heatmaps are runs of zeros between small hills. The run-length strategy of zlib packs them tighter than level 6
    # and faster than level 1 of the default one (benchmarks/heatmap_packing.py); every zlib reader unpacks it.
    packer = zlib.compressobj(strategy=zlib.Z_RLE)
    return packer.compress(heatmaps.tobytes()) + packer.flush()


def unpack_heatmaps(data: bytes, shape: tuple[int, int, int]) -> NDArray[np.uint8]:
    """Unpack a zlib stream into (h, w, K) uint8 heatmaps. Raises RecordError where it is damaged or of another size."""
    expected = shape[0] * shape[1] * shape[2]
    unpacker = inflate.decompressobj()
    try:
        raw = unpacker.decompress(data, expected + 1)
    except inflate.error as error:  # type: ignore[misc]
        raise RecordError(f"feature 'heatmaps': not zlib data ({error})") from error
    if len(raw) != expected or not unpacker.eof:
        raise RecordError(f"feature 'heatmaps': expected {expected} bytes for {shape}, found {len(raw)} or more")
    return np.frombuffer(raw, np.uint8).reshape(shape)


def jpeg_size(data: bytes) -> tuple[int, int]:
    """Return the (H, W) that a JPEG's frame header states, without decoding it.

    Raises:
        RecordError: no JPEG, or one without a frame header.
    """
    # Pillow takes some fifteen times as long to open a picture: half of what checking a record takes.
    if data[:2] != b"\xff\xd8":
        raise RecordError("feature 'image': not a JPEG")
    position = 2
    while position + 9 <= len(data) and data[position] == 0xFF:
        marker, length = data[position + 1], struct.unpack(">H", data[position + 2 : position + 4])[0]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", data[position + 5 : position + 9])
            return height, width
        position += 2 + length
    raise RecordError("feature 'image': a JPEG without a frame header")
