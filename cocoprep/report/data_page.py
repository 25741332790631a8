"""The page of a data set: figures, what was kept and dropped with pictures, suspects, and a gallery of everybody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cocoprep.draw.dropped import MEANINGS
from cocoprep.inspection.check.check import CheckedLabels
from cocoprep.inspection.check.suspect import KIND_MEANINGS, Suspect
from cocoprep.inspection.fates import KEPT, Fates
from cocoprep.pose.crop_config import CropConfig
from cocoprep.pose.keypoints import KeypointTable
from cocoprep.report.content import Picture
from cocoprep.report.engine import render
from cocoprep.report.entry import Entry
from cocoprep.report.gallery import Files, gallery_data

EXAMPLES = 8  # of each reason
MOST_SUSPECTS = 60  # listed with pictures; the gallery has all
CHART_WORDS = {
    "annotations-of-photographs.png": "How many annotations the photographs have.",
    "labels-of-annotations.png": "How many joints of an annotation are labelled.",
    "min-keypoints.png": "How many people each --min-keypoints keeps.",
    "visibility.png": "How often each joint is visible, hidden and not labelled.",
    "places.png": "Where each joint lies in the crops: its mean, and an ellipse of one standard deviation.",
}
Rows = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class DataPage:
    """All that is on the page.

    Attributes:
        title: the heading.
        notes: loud lines below it.
        provenance: where the figures are from, by name.
        figures: groups of figures by name; a name that begins with spaces belongs to the one above it.
        fates: what became of each entry.
        entries: those that the gallery shows.
        files: their pictures by key.
        charts: by the name of their file.
        checked: what labels were found to be; None where they were not checked.
        surroundings: pictures of suspects by their place among all.
        faults: why photographs could not be read.
        with_photographs: whether any were there to be read.
        table: the K joints.
        crop: how people are cropped.
        command: draws an entry, before its id; empty where no command does.
    """

    title: str
    notes: Sequence[str]
    provenance: Mapping[str, str]
    figures: Sequence[Rows]
    fates: Fates
    entries: Sequence[Entry]
    files: Mapping[str, Files]
    charts: Mapping[str, Picture]
    checked: CheckedLabels | None
    surroundings: Mapping[int, Picture]
    faults: Sequence[str]
    with_photographs: bool
    table: KeypointTable
    crop: CropConfig
    command: str

    @property
    def suspects(self) -> Sequence[Suspect]:
        """Return the labels that look wrong, surest first."""
        return () if self.checked is None else self.checked.suspects


def render_data_page(page: DataPage) -> str:
    """Return the page as HTML."""
    return render(
        "data_set.html.j2",
        title=page.title,
        notes=page.notes,
        noun=page.table.noun,
        page=page,
        sections=_sections(page),
        headline=_headline(page),
        groups=_groups(page),
        charts=[(CHART_WORDS.get(name, ""), picture) for name, picture in page.charts.items()],
        listed=_listed_suspects(page),
        kinds=_kinds(page),
        in_all=sum(page.fates.counts().values()),
        has_pairs=page.table.has_pairs,
        gallery=gallery_data(
            page.entries,
            page.files,
            page.suspects,
            page.surroundings,
            table=page.table,
            crop=page.crop,
            command=page.command,
            built=page.fates.built,
        ),
    )


def _sections(page: DataPage) -> dict[str, str]:
    fates = "Kept and dropped" if page.fates.built else "What a build would keep and drop"
    there = {
        "suspects": ("Labels that look wrong", page.checked is not None),
        "figures": ("Figures", True),
        "fates": (fates, True),
        "charts": ("Charts", bool(page.charts)),
        "provenance": ("Where this is from", bool(page.provenance)),
        "gallery": (f"Every {page.table.noun.one}", True),
    }
    return {name: title for name, (title, shown) in there.items() if shown}


def _headline(page: DataPage) -> list[tuple[str, str]]:
    counts, noun = page.fates.counts(), page.table.noun
    total, kept = sum(counts.values()), counts.get(KEPT, 0)
    tiles = [("photographs", f"{len(page.fates.data_set.images):,}"), ("annotations", f"{total:,}")]
    tiles += [(f"{noun.many} kept", f"{kept:,}"), ("dropped", f"{total - kept:,}")]
    tiles.append(("kept", f"{kept / total:.1%}" if total else "-"))
    if page.checked is None:
        return tiles
    return [("look wrong", f"{page.checked.people_suspected:,}"), ("checked", f"{page.checked.people:,}"), *tiles]


def _groups(page: DataPage) -> list[dict[str, Any]]:
    """Return what there is of each reason: its count, its meaning, and examples that have a picture before others."""
    counts = page.fates.counts()
    total = sum(counts.values())
    order = sorted(counts, key=lambda reason: (reason != KEPT, -counts[reason]))
    return [
        {
            "reason": reason,
            "count": counts[reason],
            "share": f"{counts[reason] / total:.1%}",
            "meaning": "" if reason == KEPT else MEANINGS[reason].format(one=page.table.noun.one),
            "examples": _examples(page, reason),
        }
        for reason in order
    ]


def _examples(page: DataPage, reason: str) -> list[tuple[Entry, Picture | None]]:
    own = [one for one in page.entries if one.fate.reason == reason]
    with_picture = [one for one in own if page.files.get(one.key, Files()).crop]
    some = with_picture or own
    step = max(1, len(some) // EXAMPLES)
    return [(one, _picture(page, one)) for one in some[::step][:EXAMPLES]]


def _picture(page: DataPage, one: Entry) -> Picture | None:
    address = page.files.get(one.key, Files()).crop
    return Picture(address, one.size) if address else None


def _kinds(page: DataPage) -> list[tuple[str, str, int]]:
    """Return the kinds of suspicion that there are, each with what it means and how often it is."""
    counts = {} if page.checked is None else page.checked.by_kind
    return [(kind.value, KIND_MEANINGS[kind], count) for kind, count in counts.items()]


def _listed_suspects(page: DataPage) -> list[tuple[Suspect, Picture, Entry]]:
    """Return the first suspects, each with its picture and its entry in the gallery: those that have both."""
    entries = {one.fate.annotation_id: one for one in page.entries if one.fate.place is not None}
    first = list(page.surroundings.items())[:MOST_SUSPECTS]
    return [(page.suspects[n], picture, entries[page.suspects[n].annotation_id]) for n, picture in first]
