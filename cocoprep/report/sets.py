"""What the page says where joints are not those of the data, and as particular data sets count."""

from __future__ import annotations

from cocoprep.evaluation.by_crowding import HARD_FROM, MEDIUM_FROM, without_index
from cocoprep.evaluation.evaluate import Evaluation
from cocoprep.evaluation.pck import head_sizes
from cocoprep.report.markup import NONE, Markup, count, element, join, people, share, table, words


def across_section(evaluation: Evaluation) -> Markup:
    """Return which joint is scored as which and how much that covers; nothing where all joints are the same."""
    across = evaluation.across
    if across is None:
        return Markup("")
    rows = [[words(name), words(theirs or NONE), by or NONE, count(n)] for name, theirs, by, n in across.rows()]
    caption = (
        "A joint of the data, the predicted joint that is scored as it, and how that was found: by name, by a synonym "
        "of either table, or as --map says. Figures, pictures and heatmaps are of the joints that have one."
    )
    left_out = across.joint_map.left_out
    rest = f"Predicted and not scored: {', '.join(map(words, left_out))}." if left_out else ""
    head = ["joint", "predicted as", "by", "labelled"]
    parts = [element("p", f"{across.sentence}."), table(head, rows, caption=caption, left=3)]
    return join([*parts, element("p", rest)] if rest else parts)


def crowding_table(evaluation: Evaluation) -> Markup:
    """Return AP by how crowded photographs are; nothing where none says so."""
    found, noun = evaluation.by_crowding, evaluation.truth.table.noun
    if found is None:
        return Markup("")
    rows = [[name, share(one.ap), count(one.images), count(one.people)] for name, one in found.items()]
    unsaid = without_index(evaluation.truth)
    caption = (
        f"AP by how crowded photographs are, as CrowdPose's own code counts it: easy below {MEDIUM_FROM:g}, medium "
        f"below {HARD_FROM:g}, hard from there on." + f" {count(unsaid)} photographs do not say." * bool(unsaid)
    )
    return table(["crowding", "AP", "photographs", noun.many], rows, caption=caption)


def pckh_table(evaluation: Evaluation) -> Markup:
    """Return PCKh as papers on MPII print it; nothing where the data have no such joints."""
    pckh, noun = evaluation.pckh, evaluation.truth.table.noun
    if pckh is None:
        return Markup("")
    by = f" {head_sizes(pckh.stated, pckh.people, noun)}."
    caption = (
        "PCKh@0.5 as papers on MPII print it: a part is the mean of its left and its right joint, the total is over "
        f"{count(pckh.joints)} labelled joints of {people(pckh.people, noun)}, without pelvis and thorax.{by}"
    )
    rows = [["PCKh@0.5", *(share(value) for value in (*pckh.parts.values(), pckh.total))]]
    return table(["part", *pckh.parts, "Total"], rows, caption=caption, mark="")
