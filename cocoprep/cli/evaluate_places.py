"""Where `cocoprep evaluate` writes to, and what could not be written, found out before the work."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from itertools import chain, count
from typing import TYPE_CHECKING

from cocoprep.cli.evaluate_options import TRUTH, EvaluateOptions
from cocoprep.cli.paths import check_output_file
from cocoprep.coco.layout import split_of_file
from cocoprep.coco.truth import Truth
from cocoprep.errors import ConfigError
from cocoprep.evaluation.across import find_map
from cocoprep.evaluation.output import ERRORS, FIGURES, PAGE, RESULTS, evaluation_name
from cocoprep.pose.keypoints import KeypointTable
from cocoprep.storage.leftovers import sweep_folder
from cocoprep.storage.paths import real_path
from cocoprep.storage.store import FileStore
from cocoprep.storage.user_file import check_output_folder

if TYPE_CHECKING:
    from cocoprep.shards.manifest import Manifest


def output_folders(
    options: EvaluateOptions, truth: Truth, manifest: Manifest | None, of_run: KeypointTable | None, files: FileStore
) -> dict[str, str | None]:
    """Return the folder to write to by whose boxes are looked at; of results, which are of no boxes, by "".

    No evaluation replaces one of another kind: across data sets, of photographs in place of a built folder's crops, in
    the boxes of a detector.

    Args:
        options: the options.
        truth: the ground truth.
        manifest: of a built folder.
        of_run: the joints that a run predicts.
        files: where the folders lie.
    """
    if options.run_dir is None or of_run is None:
        return {"": options.out}
    names = dict(zip(options.box_sets, _names(options.box_sets), strict=True))
    if options.out is not None and len(names) == 1:
        return dict.fromkeys(names, options.out)
    if options.out is not None:
        return {boxes: files.join(options.out, name) for boxes, name in names.items()}
    split = split_of_file(options.annotations or "") if manifest is None else manifest.split
    is_across = find_map(of_run, truth.table, options.joint_map) is not None
    split = evaluation_name(split, truth.table.name if is_across else None, options.joint_map)
    on_photographs = "photographs" if manifest is None else ""
    kinds = {boxes: on_photographs if boxes == TRUTH else f"boxes-{name}" for boxes, name in names.items()}
    home = files.join(options.run_dir, "evaluation")
    return {boxes: files.join(home, f"{split}-{kind}" if kind else split) for boxes, kind in kinds.items()}


def _names(box_sets: Sequence[str]) -> list[str]:
    """Return names for whose boxes they are: of a file, without its ending; a number behind where two are alike."""
    names: list[str] = []
    for boxes in box_sets:
        stem = re.sub(r"\.(json|gz|zip)\b", "", os.path.basename(boxes))
        name = _plain(stem)[:80] or "boxes"
        candidates = chain([name], (f"{name}-{n}" for n in count(2)))
        names.append(next(one for one in candidates if one not in names))
    return names


def _plain(text: str) -> str:
    return re.sub("[^A-Za-z0-9_.-]+", "-", text).lstrip(".")


def make_room(options: EvaluateOptions, outs: Sequence[str], files: FileStore) -> None:
    """Make the folders to write to, and find out before the work what could not be written after it.

    Args:
        options: the options.
        outs: the folders to write.
        files: where all these lie.

    Raises:
        ConfigError: something that is read would be overwritten, an output would be written over by another, or the
            report's library is missing.
        OutputError: a folder cannot be made.
    """
    json_file = options.json_file
    if json_file is not None:
        check_output_file("--json", json_file, files)
        files.make_folder(os.path.dirname(json_file) or ".")
    if outs:
        _check_report()
    for out in outs:
        check_output_folder(out, files)
        files.make_folder(out)
        sweep_folder(out, files)
        if (
            json_file is not None
            and os.path.basename(json_file) in (RESULTS, ERRORS, PAGE)
            and real_path(os.path.dirname(json_file) or ".") == real_path(out)
        ):
            raise ConfigError(f"--json: {json_file} is a file that --out writes too. Choose another name.")
    outputs = [files.join(out, name) for out in outs for name in (RESULTS, FIGURES)]
    outputs += [] if json_file is None else [json_file]
    there = [path for path in outputs if files.exists(path)]
    for read in _files_of(options.inputs(files) if there else [], files):
        if any(_same(path, read) for path in there):
            raise ConfigError(f"{read} would be overwritten. Choose another --out or --json.")


def _files_of(inputs: list[str], files: FileStore) -> Iterator[str]:
    for path in inputs:
        if files.is_folder(path):
            yield from (files.join(path, name) for name in files.list_names(path))
        else:
            yield path


def _same(path: str, other: str) -> bool:
    if real_path(path) == real_path(other):
        return True
    return os.path.exists(path) and os.path.exists(other) and os.path.samefile(path, other)  # by a hard link


def _check_report() -> None:
    try:
        import cocoprep.report.evaluation  # noqa: F401 - to see whether it can be
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] != "matplotlib":
            raise
        raise ConfigError(
            "the report needs matplotlib: pip install 'cocoprep[report]'. Without it, --results without --out gives "
            "all figures."
        ) from error
