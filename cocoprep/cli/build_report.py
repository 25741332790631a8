"""The tables that `build`, `build --dry-run` and `info` print."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from rich.table import Table

from cocoprep.builder.config import BuildConfig
from cocoprep.builder.start import JudgedBuild
from cocoprep.cli.console import PlainConsole
from cocoprep.cli.say import say
from cocoprep.coco.suspicions import WARNING
from cocoprep.evaluation.baseline import read_baseline
from cocoprep.evaluation.ceiling import Ceiling
from cocoprep.pipelines.monitor import Progress
from cocoprep.pose.crop_config import estimated_record_bytes
from cocoprep.pose.nouns import Noun
from cocoprep.shards.ledger import CategoryCounts, count_categories, count_source, read_ledger
from cocoprep.shards.manifest import Manifest
from cocoprep.shards.names import DATASET_INFO
from cocoprep.shards.settings import SourceRecord, table_of
from cocoprep.storage.sizes import format_bytes
from cocoprep.storage.store import FileStore

if TYPE_CHECKING:
    import pyarrow as pa

MOST_CATEGORIES = 30  # that have a row of their own


def print_plan(config: BuildConfig, judged: JudgedBuild, json_file: str | None = None) -> None:
    """Print what a build would do; `json_file` is the file that has the same."""
    table, selection, joints = _table("would build"), judged.selection, judged.annotations.joints.table
    dropped = {str(reason): amount for reason, amount in selection.dropped.items()}
    noun = joints.noun
    _add_selection(table, len(selection.entries), selection.people, dropped, len(selection.groups), noun=noun)
    _add_sources(
        table, [count_source(one, judged.foreseen) for one in judged.annotations.sources], noun, lambda: judged.foreseen
    )
    _add_joints(table, joints.name, len(joints), judged.notes)
    record = estimated_record_bytes(config.crop)
    table.add_row("shards", str(selection.num_shards))
    table.add_row("size, estimated", f"{format_bytes(record * selection.people)}, {format_bytes(record)} {noun.a}")
    table.add_row("into", config.out)
    _print(table)
    say("Nothing was written." if json_file is None else f"Nothing but this was written: {json_file}")


def print_report(
    folder: str,
    manifest: Manifest,
    files: FileStore,
    *,
    ceiling: Ceiling | None,
    ceiling_s: float | None = None,
    build_s: float | None = None,
    reused: Progress | None = None,
) -> None:
    """Print what a built folder holds, and how the build went where it has just run."""
    counts, crop = manifest.counts, manifest.crop
    table = _table(f"{manifest.split}")
    noun = table_of(manifest.keypoints).noun
    _add_selection(table, counts.annotations, counts.people, counts.dropped, counts.images, noun=noun)
    _add_sources(table, manifest.sources, noun, lambda: read_ledger(folder, files))
    _add_joints(table, manifest.keypoints.table, len(manifest.keypoints.names), manifest.notes)
    if counts.joints and counts.joints_outside_crop is not None:
        share = counts.joints_outside_crop / counts.joints
        table.add_row("joints outside crops", f"{counts.joints_outside_crop} of {counts.joints} labelled, {share:.1%}")
    size = sum(shard.bytes for shard in manifest.shards)
    kept = f", {reused.reused_shards} kept from an earlier run" if reused and reused.reused_shards else ""
    table.add_row("shards", f"{len(manifest.shards)}{kept}")
    table.add_row("bytes", f"{format_bytes(size)}, {format_bytes(size / max(counts.people, 1))} {noun.a}")
    height, width = crop.input_size
    table.add_row(
        "crop",
        f"{height} x {width}, margin {crop.margin}, heatmaps {crop.heatmap_size[0]} x {crop.heatmap_size[1]}",
    )
    if build_s is not None:
        made = counts.people - (reused.reused_crops if reused else 0)
        table.add_row(
            "time", f"{build_s:.1f} s" + (f", {made / build_s:.0f} crops/s" if made else ", nothing to build")
        )
    if ceiling is not None:
        took = "" if ceiling_s is None else f"  (took {ceiling_s:.1f} s)"
        table.add_row(
            f"codec ceiling, kept {noun.many}", f"AP {ceiling.kept['AP']:.4f}  AR {ceiling.kept['AR']:.4f}{took}"
        )
        table.add_row("codec ceiling, all truth", f"AP {ceiling.full['AP']:.4f}  AR {ceiling.full['AR']:.4f}")
        if ceiling.without_scale:
            table.add_row(
                "OKS HAS NO SCALE",
                f"for {ceiling.without_scale} {noun.many}, whose area is next to nothing of their box's",
            )
    table.add_row("mean guess", _guess(folder, manifest, files))
    readers = ["cocoprep.open_dataset", *(["tfds.builder_from_directory"] if DATASET_INFO in manifest.files else [])]
    table.add_row("opened by", ", ".join(readers))
    table.add_row("in", folder)
    _print(table)


def _guess(folder: str, manifest: Manifest, files: FileStore) -> str:
    score = read_baseline(folder, manifest, files).pck
    pairs = zip(score.thresholds, score.total, strict=True)
    return "  ".join(f"PCK@{t:g} {value:.3f}" for t, value in pairs if t in (0.1, 0.2))


def _add_selection(table: Table, read: int, people: int, dropped: dict[str, int], images: int, *, noun: Noun) -> None:
    table.add_row("annotations read", str(read))
    table.add_row(f"{noun.many} kept", str(people))
    for reason, amount in dropped.items():
        if amount:
            table.add_row(f"  dropped: {reason}", str(amount))
    table.add_row(f"images with {noun.many} kept", str(images))


def _add_sources(table: Table, sources: Sequence[SourceRecord], noun: Noun, read_lines: Callable[[], pa.Table]) -> None:
    """Say what became of each source's entries, and of each category's where it has several.

    Of one source alone the first is said already. `read_lines` gives the ledger.
    """
    for source in sources:
        if len(sources) > 1:
            told = [*_counts(source.people, source.annotations_read, source.dropped)]
            told.append(f"{len(source.joints)} joints labelled")
            if source.weight != 1:
                told.append(f"weight {source.weight:g}")
            table.add_row(f"{noun.many} of {source.name}", "; ".join(told))
        if len(source.categories) > 1:
            _add_categories(table, count_categories(source, read_lines()))


def _add_categories(table: Table, categories: Sequence[CategoryCounts]) -> None:
    """Say what became of the entries of each category, the most frequent first; of one without any, nothing."""
    ordered = sorted((one for one in categories if one.read), key=lambda one: -one.read)
    for one in ordered[:MOST_CATEGORIES]:
        table.add_row(f"  category {one.name:.40}", "; ".join(_counts(one.people, one.read, one.dropped)))
    if rest := ordered[MOST_CATEGORIES:]:
        read, people = sum(one.read for one in rest), sum(one.people for one in rest)
        table.add_row(f"  {len(rest)} categories more", "; ".join(_counts(people, read, {})))
    if nothing := [one.name for one in categories if not one.read]:
        more = f" and {len(nothing) - MOST_CATEGORIES} more" if len(nothing) > MOST_CATEGORIES else ""
        table.add_row("  categories without any", ", ".join(f"{n:.40}" for n in nothing[:MOST_CATEGORIES]) + more)


def _counts(people: int, read: int, dropped: Mapping[str, int]) -> Iterator[str]:
    yield f"{people} of {read} annotation{'s' * (read != 1)}"
    if any(dropped.values()):
        yield "dropped: " + ", ".join(f"{amount} {reason}" for reason, amount in dropped.items() if amount)


def _add_joints(table: Table, name: str, count: int, notes: Sequence[str]) -> None:
    table.add_row("joints", f"{count}, {name}")
    for note in notes:
        kind = "  warning" if note.startswith(WARNING) else "  note"
        table.add_row(kind, note.removeprefix(WARNING))


def _table(title: str) -> Table:
    table = Table(title=title, show_header=False, title_justify="left")
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    return table


def _print(table: Table) -> None:
    PlainConsole().print(table)
