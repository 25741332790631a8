"""What `cocoprep evaluate` prints where joints are not those of the data, and as particular data sets count."""

from __future__ import annotations

from rich.console import Console

from cocoprep.cli.figure_table import NONE, print_table, share
from cocoprep.coco.truth import Truth
from cocoprep.evaluation.across import Across
from cocoprep.evaluation.by_crowding import CrowdedAp, without_index
from cocoprep.evaluation.pckh import Pckh
from cocoprep.pose.nouns import Noun


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


def print_by_crowding(by_crowding: dict[str, CrowdedAp], truth: Truth, console: Console) -> None:
    """Print AP as CrowdPose prints it."""
    columns = {
        "AP": [share(one.ap) for one in by_crowding.values()],
        "images": [str(one.images) for one in by_crowding.values()],
        truth.table.noun.many: [str(one.people) for one in by_crowding.values()],
    }
    print_table("OKS, as CrowdPose", list(by_crowding), columns, console)
    if count := without_index(truth):
        console.print(f"{count} images do not say how crowded they are: in none of these.")


def print_pckh(pckh: Pckh, noun: Noun, console: Console) -> None:
    """Print PCKh as papers on MPII print it."""
    columns = {name: [share(value)] for name, value in {**pckh.parts, "Total": pckh.total}.items()}
    columns |= {"joints": [str(pckh.joints)], noun.many: [str(pckh.people)]}
    print_table("PCKh@0.5, as MPII", ["all"], columns, console)
