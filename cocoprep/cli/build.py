"""`cocoprep build`."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from cocoprep.builder.config import SHARED, BuildConfig, SelectConfig
from cocoprep.cli.input_size import InputSize
from cocoprep.cli.json_option import json_option, make_room_for_json
from cocoprep.cli.paths import check_paths, tell_of_tar
from cocoprep.cli.say import say
from cocoprep.cli.sources import source_option
from cocoprep.cli.visibility import visibility_option
from cocoprep.crops.exif_rule import EXIF_RULES
from cocoprep.errors import BuildError, ConfigError
from cocoprep.pose.crop_config import CropConfig
from cocoprep.storage.paths import BUCKET_SCHEME

if TYPE_CHECKING:
    from types import FrameType

    from cocoprep.coco.sources import Source
    from cocoprep.pipelines.monitor import Progress
    from cocoprep.pipelines.remote.run import RemoteBuild
    from cocoprep.storage.store import FileStore

LOCAL = "local"


@click.command("build", context_settings={"show_default": True})
@click.option("--split", help="Name of the split, for example train2017; names the shards.")
@click.option("--data-dir", default="data/coco", metavar="DIR", help="Folder in COCO's official layout.")
@click.option("--annotations", metavar="FILE", help="Keypoint annotations, instead of those in --data-dir.")
@click.option("--images", metavar="PATH", help="Folder, zip or tar of photographs, instead of that in --data-dir.")
@source_option
@click.option("--follow-links", is_flag=True, help="Links in the folder of photographs may lead out of it.")
@click.option("--category", metavar="NAME", help="Category to build, or 'all'.  [default: person, or that with joints]")
@click.option(
    "--keypoints", metavar="TABLE",
    help="Joints: a table's name, or its TOML file; 'shared' for those that all sources have.  [default: the file's "
    "own]",
)  # fmt: skip
@visibility_option
@click.option(
    "--exif", type=click.Choice(EXIF_RULES), default="auto",
    help="Pixels that the labels are of: as stored, upright as EXIF says, or whichever has the stated size.",
)  # fmt: skip
@click.option("--out", metavar="DIR", help="Folder to write.  [default: data/shards/<split>]")
@click.option("--input-size", type=InputSize(), default="256", help="Network input: pixels, or HxW such as 256x192.")
@click.option("--heatmap-stride", type=int, default=4, help="Input pixels per heatmap pixel.")
@click.option("--sigma", type=float, default=2.0, help="Standard deviation of a joint's Gaussian, in heatmap pixels.")
@click.option("--bbox-scale", type=float, default=1.25, help="Size of the crop relative to the box.")
@click.option(
    "--margin", type=int, help="Real pixels kept around the crop.  [default: as wide windows need, 26 at 256]"
)
@click.option("--jpeg-quality", type=int, default=90, help="JPEG quality of the stored crops, 1 to 100.")
@click.option("--min-keypoints", type=int, default=1, help="Drop people with fewer labelled keypoints.")
@click.option("--drop-leaks", metavar="FILE", help="Drop people on the photographs that a list of `leaks` drops.")
@click.option("--exclude", metavar="FILE", help="Drop the annotations that a list, such as one of `check`, names.")
@click.option("--shards", type=int, help="Number of shards.  [default: about 100 MB each, at least 16]")
@click.option("--seed", type=int, default=0, help="Seed of the order of people and shards.")
@click.option("--limit", type=int, help="Take only so many photographs, for a quick look.")
@click.option("--max-bad-fraction", type=float, default=0.01, help="Give up above this share of faulty annotations.")
@click.option("--workers", type=click.IntRange(min=1), help="Worker processes.  [default: one a core]")
@click.option("--runner", default=LOCAL, help="'local', or any Beam runner by its name.")
@click.option("--force", is_flag=True, help="Replace shards in --out that were made in another way.")
@click.option("--dry-run", is_flag=True, help="Check everything and say what would be done; write nothing.")
@click.option("--no-ceiling", is_flag=True, help="Do not measure the codec ceiling.")
@json_option("what the report says, and the mean guess by joint, for programs")
@click.argument("beam_options", nargs=-1, type=click.UNPROCESSED)
def command(**options: Any) -> None:
    """Build verified TFRecord shards from COCO keypoints and photographs.

    After `--`, any Beam option in Beam's own spelling.
    """
    from cocoprep.storage.by_scheme import AnyFiles

    config = _build_config(options)
    for source in config.each_source:
        tell_of_tar(source.images, AnyFiles())
    json_file = options["json_file"]
    make_room_for_json(json_file, AnyFiles(), reads=_paths_of(config, options))
    if options["dry_run"]:
        _dry_run(config, options["runner"], options["workers"], options["beam_options"], json_file=json_file)
        return
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _end_by_signal)
    if options["runner"] == LOCAL:
        seconds, done, counters = _build_here(config, options["workers"], options["beam_options"])
    else:
        if options["workers"] is not None:
            raise ConfigError("--workers is for the local build; give the runner's own option after --.")
        build = _build_there(config, options["runner"], options["beam_options"])
        if build is None:
            if json_file is not None:
                say(f"{json_file} is not written: nothing was built.", err=True)
            return
        seconds, done, counters = build.seconds, None, build.counters
    _report(config, seconds, done, ceiling=not options["no_ceiling"], json_file=json_file)
    _say_counters(config, counters)


def _paths_of(config: BuildConfig, options: dict[str, Any]) -> list[str]:
    """Return what is read or written: over none of it may anything else be written."""
    photographs = [path for one in config.each_source for path in (one.annotations, one.images)]
    given = [config.drop_leaks, config.exclude, options["keypoints"], *options["sources"]]
    return [config.out, *photographs, *(path for path in given if path is not None)]


def _end_by_signal(number: int, _: FrameType | None) -> None:
    raise SystemExit(128 + number)  # unwinds, so that the workers are ended too


def _build_config(options: dict[str, Any]) -> BuildConfig:
    from cocoprep.cli.keypoints import open_table
    from cocoprep.storage.by_scheme import AnyFiles

    files, keypoints = AnyFiles(), options["keypoints"]
    split, sources = _inputs(options, files)
    return BuildConfig(
        split=split,
        **sources,
        out=_path("--out", options["out"] or os.path.join("data", "shards", split)),
        crop=CropConfig(
            input_size=options["input_size"],
            heatmap_stride=options["heatmap_stride"],
            sigma_px=options["sigma"],
            bbox_scale=options["bbox_scale"],
            margin=options["margin"],
            jpeg_quality=options["jpeg_quality"],
        ),
        select=SelectConfig(
            min_keypoints=options["min_keypoints"],
            seed=options["seed"],
            shards=options["shards"],
            limit=options["limit"],
            max_bad_fraction=options["max_bad_fraction"],
        ),
        keypoints=keypoints if keypoints in (None, SHARED) else open_table(keypoints, files),
        category=options["category"],
        visibility=options["visibility"],
        exif=options["exif"],
        force=options["force"],
        follow_links=options["follow_links"],
        drop_leaks=options["drop_leaks"] and _path("--drop-leaks", options["drop_leaks"]),
        exclude=options["exclude"] and _path("--exclude", options["exclude"]),
    )


def _inputs(options: dict[str, Any], files: FileStore) -> tuple[str, dict[str, Any]]:
    """Return the name of the split, and what says where the annotations and photographs lie."""
    from cocoprep.cli.sources import open_sources
    from cocoprep.coco.layout import annotations_path, as_split, find_photographs, split_of_file

    split, data = options["split"], options["data_dir"]
    annotations, images = options["annotations"], options["images"]
    if options["sources"]:
        if annotations or images:
            raise ConfigError("--source: names annotations and photographs; leave --annotations and --images away.")
        if click.get_current_context().get_parameter_source("data_dir") is not ParameterSource.DEFAULT:
            raise ConfigError("--source: names folders too, as NAME=FOLDER; leave --data-dir away.")
        sources = tuple(map(_absolute, open_sources(options["sources"], split, files)))
        return split or as_split("_".join(source.name for source in sources)), {"sources": sources}
    if split is None:
        if annotations is None:
            raise ConfigError("--split: expected the name of a split, for example train2017, found nothing.")
        split = split_of_file(annotations)
    if not images:
        _path("--data-dir", data)
        images = find_photographs(data, split, files)
    return split, {
        "annotations": _path("--annotations", annotations or annotations_path(data, split, files)),
        "images": _path("--images", images),
    }


def _absolute(source: Source) -> Source:
    from dataclasses import replace

    annotations, images = _path("--source", source.annotations), _path("--source", source.images)
    return replace(source, annotations=annotations, images=images)


def _path(option: str, path: str) -> str:
    check_paths({option: path})
    return path.rstrip("/") if path.startswith(BUCKET_SCHEME) else os.path.abspath(path)


def _check_engine(config: BuildConfig, runner: str, workers: int | None, beam_options: tuple[str, ...]) -> None:
    """Refuse options that do not go with the runner. The local build without any needs no Beam for that."""
    if runner != LOCAL:
        from cocoprep.pipelines.remote.run import check_remote_build

        if workers is not None:
            raise ConfigError("--workers is for the local build; give the runner's own option after --.")
        check_remote_build(config, runner, beam_options)
    elif beam_options:
        from cocoprep.pipelines.options import LOCAL_REFUSED, parse_beam_options

        parse_beam_options(beam_options, refused=LOCAL_REFUSED)


def _dry_run(
    config: BuildConfig, runner: str, workers: int | None, beam_options: tuple[str, ...], *, json_file: str | None
) -> None:
    from cocoprep.builder.start import judge_build, refusal
    from cocoprep.cli.build_json import plan_as_json
    from cocoprep.cli.build_report import print_plan
    from cocoprep.cli.progress import warn_of_few_shards
    from cocoprep.shards.ledger import has_too_many_faults
    from cocoprep.storage.by_scheme import AnyFiles
    from cocoprep.storage.json_file import write_json
    from cocoprep.workers import default_workers

    _check_engine(config, runner, workers, beam_options)
    judged = judge_build(config, AnyFiles())
    if has_too_many_faults(judged.foreseen, config.select.max_bad_fraction):
        raise refusal(config, judged)
    if json_file is not None:
        write_json(json_file, plan_as_json(config, judged), AnyFiles())
    print_plan(config, judged, json_file)
    warn_of_few_shards(judged.selection.num_shards, workers or default_workers())


def _build_there(config: BuildConfig, runner: str, beam_options: tuple[str, ...]) -> RemoteBuild | None:
    """Build on an engine of Beam's. Return None where a template was all that was asked for."""
    from cocoprep.pipelines.remote.run import JobProgress, run_remote_build

    def say_aside(line: str) -> None:
        say(line, err=True)

    def show(progress: JobProgress) -> None:
        shards = f"{progress.done} of {progress.shards} shards are there" if progress.shards else "no shard yet"
        say_aside(f"building on {runner}: {shards}, {progress.seconds:.0f} s")

    say_aside(f"building on {runner}")
    build = run_remote_build(config, runner, beam_options, on_progress=show, say=say_aside)
    if build.template is not None:
        say_aside(f"{build.template}: the job's template. Nothing was built.")
        return None
    return build


def _say_counters(config: BuildConfig, counters: dict[str, int]) -> None:
    from cocoprep.pipelines.counters import disagreements
    from cocoprep.shards.manifest import read_manifest
    from cocoprep.storage.by_scheme import AnyFiles

    counted = ", ".join(f"{name} {amount}" for name, amount in counters.items() if amount)
    say(f"counted: {counted}", err=True)
    if different := disagreements(counters, read_manifest(config.out, AnyFiles())):
        say(
            f"warning: the engine counted otherwise ({'; '.join(different)}). Engines may count work twice that they "
            "had to repeat; what is in the ledger holds.",
            err=True,
        )


def _build_here(
    config: BuildConfig, workers: int | None, beam_options: tuple[str, ...]
) -> tuple[float, Progress, dict[str, int]]:
    """Build, showing progress. Return the seconds it took, the last counts of progress, and the counters."""
    from cocoprep.cli.progress import BuildProgress
    from cocoprep.pipelines.local.run import run_local_build
    from cocoprep.workers import default_workers

    workers = workers or default_workers()
    with BuildProgress(workers) as progress:
        try:
            counters = run_local_build(config, workers=workers, beam_options=beam_options, on_progress=progress.update)
        except KeyboardInterrupt:
            progress.stop()
            say("stopped. Finished shards are kept: the same command goes on where it stopped.", err=True)
            raise
    return progress.seconds, progress.done, counters


def _report(
    config: BuildConfig, seconds: float, done: Progress | None, *, ceiling: bool, json_file: str | None
) -> None:
    import time

    from cocoprep.cli.build_json import write_folder_json
    from cocoprep.cli.build_report import print_report
    from cocoprep.evaluation.ceiling import measure_ceiling
    from cocoprep.shards.manifest import read_manifest
    from cocoprep.shards.settings import table_of
    from cocoprep.storage.by_scheme import AnyFiles

    files = AnyFiles()
    manifest = read_manifest(config.out, files)
    started = time.monotonic()
    figures = measure_ceiling(config.out, manifest, files) if ceiling else None
    if manifest.counts.people == 0:
        raise BuildError(f"{config.out}: no {table_of(manifest.keypoints).noun.one} is in the shards.")
    ceiling_s = time.monotonic() - started
    if json_file is not None:
        times = {"seconds": seconds, "ceiling_seconds": ceiling_s}
        write_folder_json(json_file, config.out, manifest, files, ceiling=figures, build=times)
    print_report(config.out, manifest, files, ceiling=figures, ceiling_s=ceiling_s, build_s=seconds, reused=done)
    if json_file is not None:
        say(json_file)
