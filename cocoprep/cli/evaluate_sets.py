"""What `cocoprep evaluate` prints where joints or boxes are not those of the data, and as particular sets count."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Console

from cocoprep.cli.console import PlainConsole
from cocoprep.cli.figure_table import NONE, print_table, share
from cocoprep.coco.truth import Truth
from cocoprep.evaluation.across import Across
from cocoprep.evaluation.by_crowding import CROWDPOSE_FIGURES, CrowdedOks, without_index
from cocoprep.evaluation.by_source import SourceFigures
from cocoprep.evaluation.evaluate import Evaluation
from cocoprep.evaluation.oks import OKS_FIGURES
from cocoprep.evaluation.pckh import Pckh
from cocoprep.pose.nouns import Noun, counted


def print_across(across: Across, console: Console) -> None:
    """Print which joint is scored as which, what is left out, and how much of the ground truth that covers."""
    rows = [(ours, theirs or NONE, by or NONE, str(labelled)) for ours, theirs, by, labelled in across.rows()]
    others = [row for row in rows if row[0] != row[1]]
    if others:
        names, predicted, by, labelled = zip(*others, strict=True)
        columns = {"predicted as": predicted, "by": by, "labelled": labelled}
        print_table("joints of the data", names, columns, console)
    if len(others) < len(rows):
        console.print(f"Predicted by {'the same name' if others else 'their names'}: {len(rows) - len(others)} joints.")
    if across.joint_map.left_out:
        console.print(f"Predicted and not scored: {', '.join(across.joint_map.left_out)}.")
    console.print(f"{across.sentence}.")


def print_by_crowding(by_crowding: dict[str, CrowdedOks], truth: Truth, console: Console) -> None:
    """Print OKS as CrowdPose counts it."""
    columns = {
        **{name: [share(one.figures[name]) for one in by_crowding.values()] for name in CROWDPOSE_FIGURES},
        "images": [str(one.images) for one in by_crowding.values()],
        truth.table.noun.many: [str(one.people) for one in by_crowding.values()],
    }
    print_table("OKS, as CrowdPose", list(by_crowding), columns, console)
    if count := without_index(truth):
        says = "images have no crowdIndex, which says how crowded they are: among all, in none of the others"
        console.print(f"{counted(count, says)}.")


def print_by_source(by_source: dict[str, SourceFigures], truth: Truth, console: Console) -> None:
    """Print AP and PCK by box of each source."""
    figures = list(by_source.values())
    columns = {name: [share(one.oks[name]) for one in figures] for name in ("AP", "AP50", "AP75", "AR")}
    for n, threshold in enumerate(figures[0].pck.pck.thresholds):
        columns[f"PCK@{threshold:g}"] = [share(float(one.pck.pck.total[n])) for one in figures]
    columns["joints"] = [str(int(one.pck.pck.joints.sum())) for one in figures]
    columns["predicted"] = [str(one.predicted) for one in figures]
    columns[truth.table.noun.many] = [str(one.people) for one in figures]
    columns["images"] = [str(one.images) for one in figures]
    print_table("by source: OKS, and PCK by box", list(by_source), columns, console)


def print_pckh(pckh: Pckh, noun: Noun, console: Console) -> None:
    """Print PCKh as papers on MPII print it."""
    columns = {name: [share(value)] for name, value in {**pckh.parts, "Total": pckh.total}.items()}
    columns |= {f"Total@{threshold:g}": [share(value)] for threshold, value in pckh.fine.items()}
    columns |= {"joints": [str(pckh.joints)], noun.many: [str(pckh.people)]}
    print_table("PCKh@0.5, as MPII", ["all"], columns, console)


def print_by_boxes(evaluations: Mapping[str, Evaluation], console: Console | None = None) -> None:
    """Print OKS by whose boxes a network has looked at, a column each: no figure is of two."""
    columns = {
        boxes: [*(share(one.oks.figures[name]) for name in OKS_FIGURES), str(len(one.predictions))]
        for boxes, one in evaluations.items()
    }
    print_table("OKS by whose boxes these are", [*OKS_FIGURES, "predictions"], columns, console or PlainConsole())
