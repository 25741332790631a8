"""The steps of `cocoprep compare`: get the predictions of each, compare them, write and print what was found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cocoprep.cli.compare_report import print_compared
from cocoprep.cli.evaluate_job import crops_of, open_data, read_ground
from cocoprep.cli.evaluate_options import EvaluateOptions
from cocoprep.cli.evaluate_predictions import make_predictions
from cocoprep.cli.json_option import make_room_for_json
from cocoprep.cli.paths import check_paths
from cocoprep.cli.say import say, say_note
from cocoprep.errors import ConfigError
from cocoprep.evaluation.across import find_map
from cocoprep.evaluation.bootstrap import check_draws
from cocoprep.evaluation.compare import Compared, compare, compared_as_json
from cocoprep.storage.by_scheme import AnyFiles
from cocoprep.storage.json_file import write_json
from cocoprep.storage.leftovers import sweep_folder
from cocoprep.storage.user_file import check_output_folder

if TYPE_CHECKING:
    from cocoprep.coco.results import Predictions
    from cocoprep.coco.truth import Truth
    from cocoprep.shards.dataset import ShardDataset
    from cocoprep.storage.store import FileStore

COMPARE = "compare.json"
_UNASKED: dict[str, Any] = {
    "results_keypoints": None,
    "joint_map": {},
    "boxes": (),
    "box_rules": {},
    "batch_size": None,
    "thresholds": (),
}


def run_job(
    paths: Sequence[str], *, draws: int, seed: int, json_file: str | None, out: str | None, **options: Any
) -> None:
    """Do all that was asked for; `options` are those of `evaluate` that both commands have."""
    files = AnyFiles()
    check_draws(draws, seed)
    names = _names(paths)
    asked = _options(names, out, options, files)
    first = next((one for one in asked.values() if one.images is not None), next(iter(asked.values())))
    reads = sorted({path for one in asked.values() for path in one.inputs(files)})
    make_room_for_json(json_file, files, reads=reads)
    if out is not None:
        _make_folder(out, files)
    dataset = None if first.data is None else open_data(first.data, files)
    truth = read_ground(first, dataset, files)
    for note in truth.notes:
        say_note(note)
    results = {name: _predictions(one, truth, dataset, files) for name, one in asked.items()}
    compared = compare(truth, results, truth.table, draws=draws, seed=seed)
    written = _write(compared, names, first, dataset, json_file=json_file, out=out, files=files)
    print_compared(compared)
    for path in written:
        say(path)


def _names(paths: Sequence[str]) -> dict[str, str]:
    """Return paths by short names: a run's or a file's own, or those of the folders by which two such differ."""
    for path in paths:
        check_paths({"RUN_OR_RESULTS": path})
    if len(paths) < 2:
        raise ConfigError("expected two runs or results files at least to compare, found one.")
    if len(set(paths)) < len(paths):
        raise ConfigError("expected each run or results file once, found one more than once.")
    parts = [[part for part in path.split("/") if part] or [path] for path in paths]
    for most in range(1, 1 + max(map(len, parts))):
        names = [one[-most:] for one in parts]
        if len(set(map(tuple, names))) == len(names):
            while len({one[-1] for one in names}) == 1 and all(one[1:] for one in names):
                names = [one[:-1] for one in names]
            return {"/".join(name): path for name, path in zip(names, paths, strict=True)}
    return {path: path for path in paths}


def _options(
    names: Mapping[str, str], out: str | None, options: Mapping[str, Any], files: FileStore
) -> dict[str, EvaluateOptions]:
    """Return what `evaluate` would be told of each."""
    runs = {name for name, path in names.items() if files.is_folder(path)}
    _refuse(next(iter(runs), None), options)
    shared = {**_UNASKED, **options, "json_file": None, "out": out}
    of_results: dict[str, Any] = {"flip_test": False, "decode": None}
    if runs and out is None:  # then photographs are for the runs alone
        of_results |= {"images": None, "follow_links": False, "exif": None}
    return {
        name: EvaluateOptions(**{**shared, "run_dir": path, "results": None})
        if name in runs
        else EvaluateOptions(**{**shared, **(of_results if runs else {}), "run_dir": None, "results": path})
        for name, path in names.items()
    }


def _refuse(run: str | None, options: Mapping[str, Any]) -> None:
    """Refuse what `evaluate` would refuse with the names of options that are its own alone."""
    of_run = {"--flip-test": options["flip_test"], "--decode": options["decode"]}
    found = next((option for option, value in of_run.items() if value), None)
    if found is not None and run is None:
        raise ConfigError(
            f"{found} is for runs, found results files alone, whose predictions are made already. Leave it out, or "
            "name a folder that `cocoprep train` has made."
        )
    if options["images"] is not None and options["data"] is not None:
        raise ConfigError("--images goes with --annotations: with --data the pictures are the folder's.")
    if run is not None and options["annotations"] is not None and options["images"] is None:
        raise ConfigError(
            f"{run} is a run, which needs --data, a built folder whose people it predicts, or --annotations with "
            "--images, the photographs of their people."
        )


def _make_folder(out: str, files: FileStore) -> None:
    check_paths({"--out": out})
    check_output_folder(out, files)
    files.make_folder(out)
    sweep_folder(out, files)


def _predictions(options: EvaluateOptions, truth: Truth, dataset: ShardDataset | None, files: FileStore) -> Predictions:
    theirs = truth.table
    if options.run_dir is not None:
        from cocoprep.model.run.folder import RunFolder

        theirs = RunFolder(options.run_dir, files).read_geometry()[1]
    if find_map(theirs, truth.table, {}) is not None:
        raise ConfigError(
            f"{options.run_dir}: predicts the joints of {theirs.name}, where the data have those of "
            f"{truth.table.name}. Expected the same joints of all that is compared; `cocoprep evaluate` scores a run "
            "over the joints that both have."
        )
    (made,) = make_predictions(options, truth, dataset, theirs, files)
    for note in made.notes:
        say_note(f"{options.run_dir or options.results}: {note}")
    return made.predictions


def _write(
    compared: Compared, names: Mapping[str, str], options: EvaluateOptions, dataset: ShardDataset | None, *,
    json_file: str | None, out: str | None, files: FileStore,
) -> list[str]:  # fmt: skip
    context = {"data": options.data, "annotations": options.annotations, "paths": dict(names)}
    content = compared_as_json(compared, context=context)
    written = [path for path in (json_file, None if out is None else files.join(out, COMPARE)) if path is not None]
    for path in written:
        write_json(path, content, files)
    if out is None:
        return written
    from cocoprep.draw.saving import save_picture
    from cocoprep.report.differences import draw_differences

    with crops_of(options, compared.truth, dataset, files) as crops:
        for n, other in enumerate(compared.differences if crops is not None else (), start=1):
            sheet = draw_differences(compared, other, crops) if crops is not None else None
            if sheet is not None:
                name = "differences.png" if len(compared.differences) == 1 else f"differences-{n}.png"
                save_picture(sheet, files.join(out, name), files)
                written.append(files.join(out, name))
    if len(written) == 1 + (json_file is not None):
        say_note("no pictures: there are no photographs (--images), or nobody on whom two differ")
    return written
