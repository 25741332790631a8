"""The sources of a build: each one's annotations read, and its photographs found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from cocoprep.builder.config import SHARED, BuildConfig
from cocoprep.coco.annotations import AnnotationFile, parse_annotation_file
from cocoprep.coco.sources import Source
from cocoprep.coco.suspicions import WARNING
from cocoprep.crops.file_names import FoundNames, find_names
from cocoprep.crops.image_source import ImageSource
from cocoprep.crops.photographs import open_images
from cocoprep.crops.sourced_images import open_all_images, together
from cocoprep.errors import ConfigError
from cocoprep.pose.joint_map import JointMap, map_joints, subset_table
from cocoprep.pose.keypoints import KeypointTable
from cocoprep.pose.tables import COCO_17
from cocoprep.shards.exclude_list import Excluded, ExcludeList, read_exclude_list
from cocoprep.shards.leak_list import LeakList, read_leaks
from cocoprep.storage.store import FileStore
from cocoprep.storage.user_file import read_user_file

_OF_SOURCE = "Say where it is: --source NAME=ANNOTATIONS,PHOTOGRAPHS, or `annotations` in the .toml file."
_OF_ONE = (
    "Give its path with --annotations, or the folder that holds annotations/person_keypoints_<split>.json with "
    "--data-dir."
)


@dataclass(frozen=True)
class OpenSource:
    """One source of a build.

    Attributes:
        source: what was said of it.
        file: its annotations, of which no entry has been parsed; its images have the photographs' own names.
        images: its photographs.
        names: what the file names mean.
        leaked: images whose photograph another data set has too, and is left out for it; and why.
        excluded: annotations that are left out, by their own ids.
        listed_names: file names of images as the annotation file has them, by id, where annotations are left out.
        exclude_path: of the list that says so, for errors.
    """

    source: Source
    file: AnnotationFile
    images: ImageSource
    names: FoundNames
    leaked: Mapping[int, str] = field(default_factory=dict)
    excluded: Mapping[str, Excluded] = field(default_factory=dict)
    listed_names: Mapping[int, str] = field(default_factory=dict)
    exclude_path: str = ""


def open_sources(config: BuildConfig, files: FileStore) -> list[OpenSource]:
    """Read the annotations of every source of a build, and find its photographs.

    Raises:
        ConfigError: there is no such file, or it cannot be read; or no photographs are there that are to be looked at.
        AnnotationError: a file as a whole cannot be used.
        CocoprepError: the list of leaks or of annotations cannot be read, or is of other annotation files.
    """
    leaks = None if config.drop_leaks is None else read_leaks(config.drop_leaks, files)
    excluded = None if config.exclude is None else read_exclude_list(config.exclude, files)
    if excluded is not None:
        excluded.check_sources([source.name for source in config.each_source])
    return [_open(source, config, files, leaks, excluded) for source in config.each_source]


def open_photographs(config: BuildConfig, files: FileStore) -> ImageSource:
    """Open the photographs of a build: of several sources, each source's below its name.

    Raises:
        ConfigError: none are there, or an archive cannot be read.
    """
    paths = {source.name: source.images for source in config.each_source}
    return open_all_images(paths, files, follow_links=config.follow_links)


def photographs_of(opened: Sequence[OpenSource]) -> ImageSource:
    """Return the photographs of a build as `open_photographs` does, where they have been opened."""
    return together({one.source.name: one.images for one in opened})


def names_of(opened: Sequence[OpenSource]) -> FoundNames:
    """Return what the file names of a build mean: of several sources, each name below its source's."""
    if not opened[0].source.name:
        return opened[0].names
    joined = FoundNames({}, {}, {}, tuple(told_by(one.source.name, note) for one in opened for note in one.names.notes))
    for one in opened:
        name = one.source.name
        joined.own.update((f"{name}/{key}", f"{name}/{own}") for key, own in one.names.own.items())
        joined.refused.update((f"{name}/{key}", why) for key, why in one.names.refused.items())
        joined.absent.update((f"{name}/{key}", why) for key, why in one.names.absent.items())
    return joined


def told_by(name: str, note: str) -> str:
    """Return a note with the name of the source that it is of; a warning stays one."""
    warning = WARNING if note.startswith(WARNING) else ""
    return f"{warning}{name}: {note.removeprefix(WARNING)}"


def _open(
    source: Source, config: BuildConfig, files: FileStore, leaks: LeakList | None, excludes: ExcludeList | None
) -> OpenSource:
    file = _read(source, config, files)
    leaked = {} if leaks is None else _leaked(source, file, leaks)
    option = f"--source {source.name}" if source.name else "--images"
    images = open_images(source.images, files, follow_links=config.follow_links, option=option)
    names = find_names((image.file_name for image in file.images.values()), images)
    renamed = replace(file, images=names.rename(file.images))
    excluded = {} if excludes is None else excludes.of_source(source.name)
    if excludes is None or not excluded:
        return OpenSource(source, renamed, images, names, leaked)
    listed = {number: image.file_name for number, image in file.images.items()}
    return OpenSource(source, renamed, images, names, leaked, excluded, listed, excludes.path)


def _leaked(source: Source, file: AnnotationFile, leaks: LeakList) -> dict[int, str]:
    return leaks.dropped_of(source.name or leaks.source_of(source.annotations), file.images)


def _read(source: Source, config: BuildConfig, files: FileStore) -> AnnotationFile:
    """Read an annotation file: one without a name must have the joints that are asked for; others are mapped later."""
    data = read_user_file(
        source.annotations, files, "a COCO keypoints file", refusal=ConfigError,
        option=f"--source {source.name}" if source.name else "--annotations",
        cure=_OF_SOURCE if source.name else _OF_ONE,
    )  # fmt: skip
    table = config.keypoints if isinstance(config.keypoints, KeypointTable) else None
    return parse_annotation_file(
        data,
        source.annotations,
        None if source.name else table,
        source.category,
        meanings=source.visibility,
        unlisted=(table if source.name else None) or COCO_17,
    )


def map_sources(opened: Sequence[OpenSource], config: BuildConfig) -> list[JointMap]:
    """Return the map of each source's joints onto those of a build of several sources, which all have as `target`.

    Raises:
        ConfigError: sources have different joints, and it was not said which are built; one has none of them; a map of
            joints names one that there is not; or none is in all sources.
    """
    first = opened[0].file.joints.table
    target = config.keypoints if isinstance(config.keypoints, KeypointTable) else first
    maps = [
        map_joints(one.file.joints.table, target, one.source.joints, option=f"--source {one.source.name}")
        for one in opened
    ]
    if target is config.keypoints:
        return maps
    places = tuple(k for k in range(len(first)) if all(found.places[k] is not None for found in maps))
    shared = ", ".join(first.names[k] for k in places[:20]) or "none"
    tables = "; ".join(f"{one.source.name}: {one.file.joints.table.name}" for one in opened)
    if config.keypoints == SHARED:
        if not places:
            raise ConfigError(f"--keypoints {SHARED}: no joint is in all sources ({tables:.700}). Leave some out.")
        table = first if len(places) == len(first) else subset_table(first, places, f"{SHARED}-{len(places)}")
        return [found.narrowed(places, table) for found in maps]
    if any(one.file.joints.table.names != first.names for one in opened):
        raise ConfigError(
            f"--source: the sources have different joints ({tables:.700}). Say which are built: --keypoints with a "
            f"table's name, to which they are mapped by name, or --keypoints {SHARED} for those that all have "
            f"({shared})."
        )
    return maps
