"""The figures of each source on the page."""

from __future__ import annotations

from cocoprep.evaluation.evaluate import Evaluation
from cocoprep.report.content import Table
from cocoprep.report.wording import count, share

_OKS = ("AP", "AP50", "AP75", "AR")


def source_table(evaluation: Evaluation) -> Table | None:
    """Return AP and PCK by box of each source; None where there is but one."""
    found, noun = evaluation.by_source, evaluation.truth.table.noun
    if found is None:
        return None
    whole = evaluation.pck["box"].pck
    rows = [
        [
            name, *(share(one.oks[figure]) for figure in _OKS), *(share(float(value)) for value in one.pck.pck.total),
            count(int(one.pck.pck.joints.sum())), count(one.predicted), count(one.people), count(one.images),
        ]
        for name, one in found.items()
    ]  # fmt: skip
    truth, matches = evaluation.truth, evaluation.matches
    rows.append(
        [
            "all", *(share(evaluation.oks.figures[figure]) for figure in _OKS),
            *(share(float(value)) for value in whole.total), count(int(whole.joints.sum())),
            count(int((truth.counts & (matches >= 0)).sum())), count(int(truth.counts.sum())),
            count(len(truth.images)),
        ]
    )  # fmt: skip
    caption = (
        "Average precision and recall by OKS on the photographs of each source, and PCK by the box over the labelled "
        "joints of its people. What is predicted on a photograph of one source counts in no other."
    )
    head = [
        "source", *_OKS, *(f"PCK@{threshold:g}" for threshold in whole.thresholds), "joints",
        f"{noun.many} predicted", noun.many, "photographs",
    ]  # fmt: skip
    return Table(head, rows, caption, mark="last")
