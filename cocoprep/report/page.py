"""The page: every figure, chart and picture in one file that needs nothing else."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from PIL import Image

from cocoprep.evaluation.beside import FiguresBeside
from cocoprep.evaluation.evaluate import Evaluation
from cocoprep.pose.keypoints import KeypointTable
from cocoprep.report import sets, tables
from cocoprep.report.by_source import source_table
from cocoprep.report.css import CSS
from cocoprep.report.markup import (
    Content,
    Markup,
    count,
    data_uri,
    element,
    join,
    people,
    picture,
    share,
    table,
    text,
    words,
)
from cocoprep.report.people import Portrait
from cocoprep.report.style import KIND_COLOURS, Chart
from cocoprep.report.worst_errors import ListedError

# Nothing is loaded from anywhere and nothing runs, whatever the data held.
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
JPEG_QUALITY = 82
KINDS_IN_WORDS = {
    "good": "where it belongs, within what people themselves differ by (similarity of at least 0.85)",
    "jitter": "near, but off (similarity of at least 0.5)",
    "inversion": "on the same joint of the {one}'s other side: left and right exchanged",
    "swap": "on that joint, or its mirror partner, of another {one} in the photograph",
    "miss": "on nothing of the kind",
    "undetected": "of {a} whom nobody predicted",
}


@dataclass(frozen=True)
class Grid:
    """A grid of heatmaps, and whose."""

    annotation_id: int
    title: str
    file_name: str
    picture: Image.Image


@dataclass(frozen=True)
class Report:
    """All that is on the page.

    Attributes:
        evaluation: the figures.
        joints: the K joints.
        title: the heading.
        notes: loud lines below it.
        beside: figures of others by name, to stand beside the result's.
        charts: by file name without its ending.
        worst: people with the lowest OKS, lowest first.
        best: people with the highest OKS, highest first.
        errors: the worst errors.
        errors_in_all: how many there are.
        behind: people of the worst errors who are not shown otherwise.
        grids: of heatmaps.
    """

    evaluation: Evaluation
    joints: KeypointTable
    title: str
    notes: Sequence[str]
    beside: FiguresBeside
    charts: Mapping[str, Chart]
    worst: Sequence[Portrait]
    best: Sequence[Portrait]
    errors: Sequence[ListedError]
    errors_in_all: int
    behind: Sequence[Portrait]
    grids: Sequence[Grid]


def render_page(report: Report) -> str:
    """Return the page as HTML."""
    sections = [
        ("across", "Across data sets", sets.across_section(report.evaluation)),
        ("oks", "OKS", _oks(report)),
        ("pck", "PCK", _pck(report)),
        ("sources", "Source by source", source_table(report.evaluation)),
        ("joints", "Joint by joint", _joints(report)),
        ("errors", "Kinds of errors", _errors(report)),
        ("confidence", "Confidence", _confidence(report)),
        ("worst", "The worst", _worst(report)),
        ("best", "The best", _best(report)),
        ("worst-errors", "The worst errors", _worst_errors(report)),
        ("heatmaps", "Heatmaps through the stacks", _heatmaps(report)),
    ]
    there = [(name, title, content) for name, title, content in sections if content.html]
    links = element("nav", join((element("a", title, href=f"#{name}") for name, title, _ in there)))
    body = [
        element("header", join([element("h1", report.title), _counts(report), *_notes(report), links])),
        element(
            "main",
            join(
                [
                    tables.headline(report.evaluation),
                    *(element("section", join([element("h2", h), c]), id=name) for name, h, c in there),
                ]
            ),
        ),
    ]
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{text(report.title)}</title>\n<style>{CSS}</style>\n</head>\n"
        f"<body>\n{join(body).html}\n</body>\n</html>\n"
    )


def _counts(report: Report) -> Markup:
    truth, matches, noun = report.evaluation.truth, report.evaluation.matches, report.joints.noun
    looked_for, predicted = int(truth.counts.sum()), int((truth.counts & (matches >= 0)).sum())
    line = (
        f"{people(looked_for, noun)} with labelled joints on {count(len(truth.document['images']))} photographs; "
        f"{count(len(report.evaluation.predictions))} predictions, which cover {count(predicted)} of these {noun.many}."
    )
    return element("p", line, class_="dim")


def _notes(report: Report) -> list[Markup]:
    lines = join(element("p", note) for note in report.notes)
    return [element("div", lines, class_="loud", role="note")] if report.notes else []


def _oks(report: Report) -> Markup:
    caption = (
        "Precision against recall: from left to right, ever less sure predictions are let in. Blue and orange: one OKS "
        "threshold each, thin: the other thresholds from 0.50 to 0.95, thick: their mean. The farther up and right, "
        "the better; AP is the area below."
    )
    chart = _chart(report, "oks-precision-recall", caption)
    both = element("div", join([chart, tables.oks_table(report.evaluation, report.beside)]), class_="two")
    return join(one for one in (both, sets.crowding_table(report.evaluation)) if one.html)


def _pck(report: Report) -> Markup:
    total = "How PCK grows as the threshold is loosened, by each unit. The steeper from the left, the more exact."
    by_joint = "The same by box, joint by joint: "
    if report.joints.has_pairs:
        by_joint += (
            f"orange the {report.joints.noun.one}'s left, blue the right, grey all joints together. Two lines apart "
            "mean that one side is found worse than the other."
        )
    else:
        by_joint += "green the joint, grey all joints together."
    both = [_chart(report, "pck-curves", total), tables.pck_table(report.evaluation, report.beside)]
    parts = [
        element("div", join(both), class_="two"),
        sets.pckh_table(report.evaluation),
        _chart(report, "pck-curves-by-joint", by_joint, wide=True),
    ]
    return join(part for part in parts if part.html)


def _joints(report: Report) -> Markup:
    caption = (
        "Left: how many of each joint are right. Right: what became of all of them; only the first, grey part is "
        "good. The kinds are explained below."
    )
    return join([_chart(report, "joints", caption, wide=True), tables.joint_table(report.evaluation, report.joints)])


def _errors(report: Report) -> Markup:
    noun = report.joints.noun
    kinds = [
        join(
            [element("dt", join([_swatch(kind), kind], "")), element("dd", meaning.format(one=noun.one, a=noun.a))], ""
        )
        for kind, meaning in KINDS_IN_WORDS.items()
    ]
    intro = (
        "Every labelled joint is of one kind (after Ronchi and Perona 2017). Similarity falls from 1 with the "
        f"distance, by the size of the {noun.one} and by how exactly people place that joint themselves."
    )
    chart = (
        f"Each bar is a group of joints, whose number stands beside it. Size: COCO's, by the area of the {noun.one}. "
        f"Crowding: how many other {noun.their} boxes overlap. Occlusion: whether the joint is marked as hidden."
    )
    parts = [element("p", intro), element("dl", join(kinds), class_="kinds")]
    parts.append(_chart(report, "errors", chart, wide=True))
    numbers = [
        tables.error_table(report.evaluation, grouping, caption=f"By {grouping}")
        for grouping in report.evaluation.errors.tables
    ]
    parts.append(element("details", join([element("summary", "All of it in numbers"), *numbers])))
    return join(parts)


def _swatch(kind: str) -> Markup:
    return element(
        "i",
        class_="swatch hatched" if kind == "undetected" else "swatch",
        style=f"background-color: {KIND_COLOURS[kind]}",
    )


def _confidence(report: Report) -> Markup:
    return tables.confidence_table(report.evaluation, report.joints)


HOW_TO_READ = (
    "Truth on the left, prediction on the right, with the joints that are labelled; {sides}a hollow dot a hidden "
    "joint. A white ring marks a joint in a wrong place, its line leads to where it "
    "belongs. "
)


def _worst(report: Report) -> Markup:
    if not report.worst:
        return Markup("")
    undetected = int((report.evaluation.truth.counts & (report.evaluation.matches < 0)).sum())
    noun = report.joints.noun
    left_out = f"Not among them: {people(undetected, noun)} whom nobody predicted. " * bool(undetected)
    sides = f"orange is the {noun.one}'s left, blue the right, " if report.joints.has_pairs else ""
    how = HOW_TO_READ.format(sides=sides)
    intro = f"The {people(len(report.worst), noun)} with the lowest OKS, lowest first. {left_out}{how}"
    return join([_with_command(intro), _people(report.worst)])


def _best(report: Report) -> Markup:
    if not report.best:
        return Markup("")
    intro = f"The {people(len(report.best), report.joints.noun)} with the highest OKS, highest first, shown as above."
    return join([element("p", intro), _people(report.best)])


def _with_command(intro: str) -> Markup:
    command = element("code", "cocoprep show DIR ID")
    return element("p", join([intro, command, " draws any annotation of a built folder, by its id."], ""))


def _people(portraits: Sequence[Portrait]) -> Markup:
    return element("div", join(_portrait(one) for one in portraits), class_="people")


def _portrait(one: Portrait) -> Markup:
    head = element("b", f"{one.annotation_id} · OKS {share(one.oks)}")
    caption = element("figcaption", join([head, element("bdi", one.file_name), one.wrong], "<br>"))
    alternative = f"annotation {one.annotation_id}, truth and prediction"
    image = [] if one.picture is None else [_photo(one.picture, alternative)]
    return element("figure", join([*image, caption]), id=f"person-{one.annotation_id}")


def _worst_errors(report: Report) -> Markup:
    if not report.errors:
        return Markup("")
    one = report.joints.noun.one
    intro = (
        f"The {count(len(report.errors))} joints farthest from where they belong, of {count(report.errors_in_all)} "
        f"inversions, swaps and misses, by their distance as a fraction of the {one}'s box. A number leads to the "
        f"{one}'s picture. "
    )
    head = ["annotation", "photograph", "joint", "kind", "distance, px", "of the box", "confidence"]
    rows = [_error_row(report, one) for one in report.errors]
    parts = [_with_command(intro), table(head, rows, left=4)]
    if report.behind:
        title = f"{report.joints.noun.many.capitalize()} of these errors who are not shown above"
        parts += [element("h3", title), _people(report.behind)]
    return join(parts)


def _error_row(report: Report, one: ListedError) -> list[Content]:
    shown = {person.annotation_id for person in (*report.worst, *report.best, *report.behind)}
    name: Content = str(one.annotation_id)
    if one.annotation_id in shown:
        name = element("a", name, href=f"#person-{one.annotation_id}")
    kind = f"{one.kind} (of {one.other})" if one.other >= 0 else one.kind
    return [
        name, element("bdi", one.file_name), words(report.joints.names[one.joint]), kind,
        f"{one.distance_px:.1f}", share(one.distance_of_box), f"{one.confidence:.3f}",
    ]  # fmt: skip


def _heatmaps(report: Report) -> Markup:
    if not report.grids:
        return Markup("")
    intro = (
        "What the network says, stack by stack: a row a stack, a column a joint, the truth in the first row, over the "
        "dimmed crop. The number is the map's peak: how sure the stack is. The cross is the place that is read from "
        "it. Look down a column to see a joint refined: from a wide or doubled patch to one sharp peak."
    )
    return join([element("p", intro), *(_grid(grid) for grid in report.grids)])


def _grid(grid: Grid) -> Markup:
    caption = join([grid.title, element("bdi", grid.file_name)], " · ")
    image = element("div", _photo(grid.picture, grid.title), class_="wide")
    return element("figure", join([image, element("figcaption", caption)]), id=f"heatmaps-{grid.annotation_id}")


def _chart(report: Report, name: str, caption: str, *, wide: bool = False) -> Markup:
    if name not in report.charts:
        return Markup("")
    chart = report.charts[name]
    image = picture(data_uri(chart.png, "png"), caption, chart.size)
    kind = "chart wide" if wide else "chart"
    return element("figure", join([element("div", image, class_=kind), element("figcaption", caption)]))


def _photo(image: Image.Image, alternative: str) -> Markup:
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=JPEG_QUALITY, subsampling=0)  # thin coloured lines need their full colour
    return picture(data_uri(stream.getvalue(), "jpeg"), alternative, image.size)
