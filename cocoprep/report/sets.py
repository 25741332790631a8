"""What the page says where joints are not those of the data, and as particular data sets count."""

from __future__ import annotations

from cocoprep.coco.entries import BOX_SHARE
from cocoprep.evaluation.across import Across
from cocoprep.evaluation.by_crowding import CROWDPOSE_FIGURES, HARD_FROM, MEDIUM_FROM, without_index
from cocoprep.evaluation.evaluate import Evaluation
from cocoprep.evaluation.pck import head_sizes
from cocoprep.pose.nouns import counted
from cocoprep.report.content import Table
from cocoprep.report.wording import NONE, count, people, share, words


def across_table(across: Across) -> Table:
    """Return which joint is scored as which, and of how many labels."""
    rows = [[words(name), words(theirs or NONE), by or NONE, count(n)] for name, theirs, by, n in across.rows()]
    caption = (
        "A joint of the data, the predicted joint that is scored as it, and how that was found: by name, by a synonym "
        "of either table, or as --map says. Figures, pictures and heatmaps are of the joints that have one."
    )
    return Table(["joint", "predicted as", "by", "labelled"], rows, caption, left=3)


def crowding_table(evaluation: Evaluation) -> Table | None:
    """Return OKS as CrowdPose counts it; None where no photograph says how crowded it is."""
    found, noun = evaluation.by_crowding, evaluation.truth.table.noun
    if found is None:
        return None
    rows = [
        [name, *(share(one.figures[figure]) for figure in CROWDPOSE_FIGURES), count(one.images), count(one.people)]
        for name, one in found.items()
    ]
    unsaid = without_index(evaluation.truth)
    caption = (
        f"OKS as CrowdPose's own code counts it: photographs are easy whose crowd index is below {MEDIUM_FROM:g}, "
        f"medium below {HARD_FROM:g}, hard from there on; a person is as large as {BOX_SHARE:g} of the box, and whom "
        "the file says to have no keypoints is ignored."
        + f" {counted(unsaid, 'photographs have no crowdIndex, which says how crowded they are')}."
        * bool(unsaid)
    )
    return Table(["crowding", *CROWDPOSE_FIGURES, "photographs", noun.many], rows, caption)


def pckh_table(evaluation: Evaluation) -> Table | None:
    """Return PCKh as papers on MPII print it; None where the data have no such joints."""
    pckh, noun = evaluation.pckh, evaluation.truth.table.noun
    if pckh is None:
        return None
    by = f" {head_sizes(pckh.stated, pckh.people, noun)}."
    caption = (
        "PCKh@0.5 as papers on MPII print it: a part is the mean of its left and its right joint, the total is over "
        f"{count(pckh.joints)} labelled joints of {people(pckh.people, noun)}, without pelvis and thorax. mmpose's "
        f"PCKh@0.1 is the total at 0.1, HRNet's Mean@0.1 that at 0.11.{by}"
    )
    rows = [["PCKh@0.5", *(share(value) for value in (*pckh.parts.values(), pckh.total, *pckh.fine.values()))]]
    return Table(["part", *pckh.parts, "Total", *(f"Total@{t:g}" for t in pckh.fine)], rows, caption)
