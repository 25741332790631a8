"""Write the crops of a built folder as a data set that other tools read: JPEG files, and COCO's keypoints beside them.

Each person is a photograph of its own: the stored crop, its bytes unchanged. Joints, box and area are carried into its
frame; ids stay. Only the person whose crop it is is annotated on it, whoever else it shows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

import msgspec

from cocoprep.coco.converted import document, open_converted, plain_numbers
from cocoprep.errors import RecordError
from cocoprep.pose.affine import CropWindow, crop_scale, crop_to_stored, image_to_crop, point_to_index
from cocoprep.shards.manifest import Manifest, read_manifest
from cocoprep.shards.record import jpeg_size, parse_example
from cocoprep.shards.settings import table_of
from cocoprep.shards.tfrecord import read_record
from cocoprep.storage.spool import Spool
from cocoprep.storage.store import FileStore

_NEVER_CARRIED = (
    "heatmaps: they follow from the joints",
    "segments, sizes of heads, and whoever else a crop shows",
    "people whom the build dropped, and crowds",
)
_OF_SOURCES = "ids and categories of the sources' own files: all are of one category, and file names say the source"
_OF_CATEGORIES = "categories of the file: all are of one"


def not_carried(manifest: Manifest) -> tuple[str, ...]:
    """Return what the crops of a folder do not say of it, in sentences."""
    if not manifest.sources:
        return _NEVER_CARRIED
    return *_NEVER_CARRIED, _OF_SOURCES if manifest.sources[0].name else _OF_CATEGORIES


def write_crops(
    folder: str, out: str, files: FileStore, *, on_person: Callable[[int, int], None] = lambda done, total: None
) -> Manifest:
    """Write the people of a built folder into another, in COCO's layout; return the manifest.

    Args:
        folder: that `cocoprep build` has made.
        out: an empty folder, or one that an earlier call has written. Beside `annotations` it has a folder of the
            split's name, of one JPEG a person, called by the annotation's id.
        files: where both lie.
        on_person: told how many of all people are written.

    Raises:
        RecordError: the folder is not complete, or damaged.
        OutputError: `out` holds something else, or cannot be written.
        ConfigError: the folder lies in `out`.
    """
    manifest = read_manifest(folder, files)
    split = manifest.split
    told = {"crops_of": split, "not_carried": not_carried(manifest)}
    # A file has all images before all annotations, and a person gives one of either: these wait for those.
    with (
        open_converted(out, files, form="coco", source=folder, splits=[split], told=lambda: told) as converted,
        converted.create_annotations(split) as stream,
        converted.pictures(split) as write_picture,
        Spool() as waiting,
    ):
        people = _told(_people(folder, manifest, files), manifest.counts.people, folder, on_person)
        images = (_write(person, manifest, write_picture, waiting) for person in people)
        stream.writelines(document(images, _waited(waiting), [_category(manifest)]))
    return manifest


def _told(
    people: Iterator[dict[str, Any]], total: int, folder: str, on_person: Callable[[int, int], None]
) -> Iterator[dict[str, Any]]:
    """Yield people, each once, and tell of them. Raises RecordError where they are others than the manifest says."""
    seen = set[int]()
    for person in people:
        seen.add(person["annotation_id"])
        yield person
        on_person(len(seen), total)
    if len(seen) != total:
        raise RecordError(f"{folder}: {len(seen)} people, its manifest says {total}. Run `cocoprep verify {folder}`.")


def _waited(waiting: Spool) -> Iterator[msgspec.Raw]:
    for number in waiting.keys():  # noqa: SIM118 - no dict
        yield msgspec.Raw(waiting.get(number))


def _people(folder: str, manifest: Manifest, files: FileStore) -> Iterator[dict[str, Any]]:
    for shard in manifest.shards:
        path = files.join(folder, shard.name)
        try:
            with files.open_read(path) as stream:
                for _ in range(shard.examples):
                    yield _person(stream, manifest)
        except OSError as error:
            raise RecordError(f"{path}: cannot be read ({error.strerror or error}).") from error
        except RecordError as error:
            raise RecordError(f"{path}: {error}. Run `cocoprep verify {folder}` to find all damage.") from error


def _person(stream: BinaryIO, manifest: Manifest) -> dict[str, Any]:
    record = read_record(stream)
    if record is None:
        raise RecordError("the file ends before the record")
    person = parse_example(record, len(manifest.keypoints.names))
    if jpeg_size(person["image"]) != manifest.crop.stored_size:
        raise RecordError(f"expected a crop of {manifest.crop.stored_size}, found {jpeg_size(person['image'])}")
    if not (person["crop_window"][2:] > 0).all():
        raise RecordError(f"a crop window of {person['crop_window'].tolist()}")
    return person


def _write(
    person: dict[str, Any], manifest: Manifest, write_picture: Callable[[int, bytes], str], waiting: Spool
) -> dict[str, Any]:
    """Write a crop's picture, and have what is to be said of its person wait; return its image's entry."""
    number = person["annotation_id"]
    name = write_picture(number, person["image"])
    waiting.add(number, msgspec.json.encode(_annotation(person, manifest)))
    height, width = manifest.crop.stored_size
    return {
        "id": number, "file_name": name, "width": width, "height": height,
        "source_image_id": person["image_id"],
        "source_file_name": person["file_name"].decode("utf-8", "replace"),
        "crop_window": person["crop_window"].tolist(),
    }  # fmt: skip


def _annotation(person: dict[str, Any], manifest: Manifest) -> dict[str, Any]:
    margin, size = manifest.crop.margin, manifest.crop.input_size
    window, visibility = CropWindow(*person["crop_window"].tolist()), person["visibility"]
    joints = point_to_index(crop_to_stored(person["keypoints"], margin))
    joints[visibility == 0] = 0
    x_scale, y_scale = crop_scale(window, size).tolist()
    left, top, w, h = person["bbox"].tolist()
    x, y = crop_to_stored(image_to_crop([left, top], window, size), margin).tolist()
    triples = [n for (u, v), seen in zip(joints.tolist(), visibility.tolist(), strict=True) for n in (u, v, seen)]
    return {
        "id": person["annotation_id"],
        "image_id": person["annotation_id"],
        "category_id": 1,
        "bbox": [x, y, w * x_scale, h * y_scale],
        "area": person["area"] * x_scale * y_scale,
        "iscrowd": 0,
        "num_keypoints": int((visibility > 0).sum()),
        "keypoints": plain_numbers(triples),
    }


def _category(manifest: Manifest) -> dict[str, Any]:
    table = table_of(manifest.keypoints)
    return {
        "id": 1, "name": table.category, "supercategory": table.category, "keypoints": table.names,
        "skeleton": table.skeleton, "sigmas": table.oks_sigmas.tolist(),
    }  # fmt: skip
