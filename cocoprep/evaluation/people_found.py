"""Who is found by which prediction, at every threshold of OKS and in every range of sizes: COCO's rules.

All of it is of one photograph at a time, so that figures over some photographs, or over some of them several times,
need no other matching: see `average_precision`. I photographs, N people, M predictions, K joints; A ranges of sizes, T
thresholds. The rules, ties too, are those of `COCOeval.evaluateImg` of https://github.com/cocodataset/cocoapi.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from cocoprep.evaluation.oks_pairs import Flags, Floats, Pairs, People, similar_pairs
from cocoprep.evaluation.pairs import Indices

THRESHOLDS: Floats = np.linspace(0.5, 0.95, 10)
RANGES = {"all": (0.0, 1e5**2), "medium": (32.0**2, 96.0**2), "large": (96.0**2, 1e5**2)}  # square pixels
MOST_AN_IMAGE = 20  # predictions of a photograph that count, the best
MOST_CANDIDATES = 1 << 15  # pairs that are looked at together, at all thresholds and sizes

_LOW, _HIGH = (np.array(bounds)[:, None] for bounds in zip(*RANGES.values(), strict=True))


@dataclass(frozen=True)
class PeopleFound:
    """What each of the D predictions that count has found, the surest first, over all photographs.

    Attributes:
        images: (I,) int64 ids, rising.
        image: (D,) int64, the place among `images` of each prediction's.
        line: (D,) int64, its place among all M predictions.
        right: (A, T, D) bool, it is right: it has found somebody who counts.
        counted: (A, T, D) bool, it is right or wrong; of the others nothing is said.
        people: (A, I) int64, how many people of each photograph count.
    """

    images: Indices
    image: Indices
    line: Indices
    right: Flags
    counted: Flags
    people: Indices


def find_people(
    people: People, images: Indices, *, image_ids: Indices, keypoints: Floats, scores: Floats, area: Floats,
    sigmas: Floats,
) -> PeopleFound:  # fmt: skip
    """Match predictions and people.

    Args:
        people: N people.
        images: (I,) ids of the photographs that count, of people or not; what is of others is left out.
        image_ids: (M,) of the predictions.
        keypoints: (M, K, 2) float64 of the predictions.
        scores: (M,) float64 how sure they are; of equal ones on one photograph the earlier goes first, of equal ones on
            two that on the photograph of the lower id.
        area: (M,) their sizes, in square pixels: one that has found nobody is not counted beyond a range.
        sigmas: (K,) of the joints.
    """
    images = np.unique(images)
    lines = _surest(images, image_ids, scores)
    ignored = people.ignored | (people.area < _LOW) | (people.area > _HIGH)
    pairs = similar_pairs(people, image_ids[lines], keypoints[lines], sigmas, least=float(THRESHOLDS[0]))
    found, of_ignored = _match(pairs, image_ids[lines], ignored, people.crowd)
    outside = (area[lines] < _LOW) | (area[lines] > _HIGH)
    counted = ~np.where(found, of_ignored, outside.T[:, :, None])
    order = np.argsort(-scores[lines], kind="stable")
    return PeopleFound(
        images=images,
        image=np.searchsorted(images, image_ids[lines[order]]),
        line=lines[order],
        right=np.ascontiguousarray((found & counted)[order].transpose(1, 2, 0)),
        counted=np.ascontiguousarray(counted[order].transpose(1, 2, 0)),
        people=_count(images, people.image_ids, ~ignored),
    )


def _surest(images: Indices, image_ids: Indices, scores: Floats) -> Indices:
    """Return the lines that count, photograph by photograph, there the surest first."""
    order = np.lexsort((-scores, image_ids))
    order = order[np.isin(image_ids[order], images)]
    of = image_ids[order]
    rank = np.arange(len(of)) - np.searchsorted(of, of, side="left")
    return order[rank < MOST_AN_IMAGE]


def _count(images: Indices, image_ids: Indices, counts: Flags) -> Indices:
    """Return (A, I) how many people of each photograph count."""
    listed = np.isin(image_ids, images)
    places = np.searchsorted(images, image_ids[listed])
    rows = [np.bincount(places[of], minlength=len(images)) for of in counts[:, listed]]
    return np.array(rows, np.int64).reshape(len(counts), len(images))


def _match(pairs: Pairs, image_ids: Indices, ignored: Flags, crowd: Flags) -> tuple[Flags, Flags]:
    """Match each photograph's predictions in turn.

    Args:
        pairs: that are similar enough.
        image_ids: (D,) of the predictions; those of a photograph stand together, the surest first.
        ignored: (A, N).
        crowd: (N,).

    Returns:
        (D, A, T) whether somebody is found, and whether that is somebody who is ignored.
    """
    shape = len(ignored), len(THRESHOLDS)
    taken = np.zeros((len(crowd), *shape), bool)
    found, of_ignored = np.zeros((2, len(image_ids), *shape), bool)
    for line, candidates in _turns(pairs, image_ids):
        person, oks = pairs.person[candidates], np.where(candidates < 0, -1.0, pairs.oks[candidates])
        free = ~taken[person] | crowd[person][:, :, None, None]
        best, which = _best(oks, free & (oks[:, :, None, None] >= THRESHOLDS), ~ignored.T[person])
        row, ranges, threshold = np.nonzero(best)
        whose = person[row, which[row, ranges, threshold]]
        taken[whose, ranges, threshold] = True
        found[line] = best
        of_ignored[line[row], ranges, threshold] = ignored[ranges, whose]
    return found, of_ignored


def _best(oks: Floats, able: Flags, counts: Flags) -> tuple[Flags, Indices]:
    """Choose among C candidates the most similar, one who counts before any who is ignored, of equal ones the last.

    Args:
        oks: (n, C).
        able: (n, C, A, T) who is free and similar enough.
        counts: (n, C, A).

    Returns:
        (n, A, T) whether there is one, and which.
    """
    rank = np.empty(oks.shape, np.int32)
    np.put_along_axis(rank, np.argsort(oks, axis=1, kind="stable"), np.arange(oks.shape[1], dtype=np.int32)[None], 1)
    worth = rank[:, :, None] + np.int32(oks.shape[1]) * counts
    worth = np.where(able, worth[..., None], np.int32(-1))
    which = worth.argmax(axis=1)
    return np.take_along_axis(worth, which[:, None], axis=1)[:, 0] >= 0, which


def _turns(pairs: Pairs, image_ids: Indices) -> Iterator[tuple[Indices, Indices]]:
    """Yield (n,) predictions, no two of one photograph, each photograph's in order, and (n, C) their pairs or -1."""
    starts = np.flatnonzero(np.diff(pairs.prediction, prepend=-1))
    counts = np.diff(starts, append=len(pairs.prediction))
    line = pairs.prediction[starts]
    of = image_ids[line]
    turn = np.arange(len(of)) - np.searchsorted(of, of, side="left")
    order = np.lexsort((counts, turn))
    for turns in np.split(order, np.flatnonzero(np.diff(turn[order])) + 1):
        for some in _pieces(turns, counts):
            places = np.arange(counts[some].max())
            yield line[some], np.where(places < counts[some, None], starts[some, None] + places, -1)


def _pieces(turns: Indices, counts: Indices) -> Iterator[Indices]:
    """Part predictions, of rising numbers of candidates, so that padding takes little memory."""
    while len(turns):
        many = np.searchsorted(counts[turns] * np.arange(1, len(turns) + 1), MOST_CANDIDATES, side="right")
        yield turns[: max(1, int(many))]
        turns = turns[max(1, int(many)) :]
