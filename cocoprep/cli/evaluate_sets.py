"""What `cocoprep evaluate` prints where joints or boxes are not those of the data, and as particular sets count."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Console

from cocoprep.cli.console import PlainConsole
from cocoprep.cli.figure_table import NONE, print_table, share
from cocoprep.coco.truth import Truth
from cocoprep.evaluation.across import Across
from cocoprep.evaluation.by_crowding import CrowdedAp, without_index
from cocoprep.evaluation.evaluate import Evaluation
from cocoprep.evaluation.oks import OKS_FIGURES
from cocoprep.evaluation.pckh import Pckh
from cocoprep.pose.nouns import Noun


def print_across(across: Across, console: Console) -> None:
    """Print which joint is scored as which, what is left out, and how much of the ground truth that covers."""
    rows = across.rows()
    columns = {
        "predicted as": [theirs or NONE for _, theirs, _, _ in rows],
        "by": [by or NONE for *_, by, _ in rows],
        "labelled": [str(labelled) for *_, labelled in rows],
    }
    print_table("joints of the data, and the predicted ones", [name for name, *_ in rows], columns, console)
    if across.joint_map.left_out:
        console.print(f"Predicted and not scored: {', '.join(across.joint_map.left_out)}.")
    console.print(f"{across.sentence}.")


def print_by_crowding(by_crowding: dict[str, CrowdedAp], truth: Truth, console: Console) -> None:
    """Print AP as CrowdPose prints it."""
    columns = {
        "AP": [share(one.ap) for one in by_crowding.values()],
        "images": [str(one.images) for one in by_crowding.values()],
        truth.table.noun.many: [str(one.people) for one in by_crowding.values()],
    }
    print_table("OKS by how crowded photographs are, as CrowdPose counts it", list(by_crowding), columns, console)
    if count := without_index(truth):
        console.print(f"{count} images do not say how crowded they are: in none of these.")


def print_pckh(pckh: Pckh, noun: Noun, console: Console) -> None:
    """Print PCKh as papers on MPII print it."""
    columns = {name: [share(value)] for name, value in {**pckh.parts, "Total": pckh.total}.items()}
    columns |= {"joints": [str(pckh.joints)], noun.many: [str(pckh.people)]}
    print_table("PCKh@0.5, as papers on MPII print it", ["all"], columns, console)


def print_by_boxes(evaluations: Mapping[str, Evaluation], console: Console | None = None) -> None:
    """Print OKS by whose boxes a network has looked at, a column each: no figure is of two."""
    columns = {
        boxes: [*(share(one.oks.figures[name]) for name in OKS_FIGURES), str(len(one.predictions))]
        for boxes, one in evaluations.items()
    }
    print_table("OKS by whose boxes these are", [*OKS_FIGURES, "predictions"], columns, console or PlainConsole())
