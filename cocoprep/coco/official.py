"""COCO's official files: where they are, their sizes and digests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cocoprep.storage.store import FileDigest

BASE_URL = "http://images.cocodataset.org"  # whose certificate for https is another host's; digests are checked anyway


@dataclass(frozen=True)
class Archive:
    """One official zip: its path below the server's root, and what it must be."""

    path: str
    digest: FileDigest

    @property
    def name(self) -> str:
        """Return the file's name."""
        return self.path.rpartition("/")[2]


@dataclass(frozen=True)
class Split:
    """Where the photographs and the annotations of a split come from."""

    images: Archive
    annotations: Archive


def _archive(path: str, size: int, sha256: str) -> Archive:
    return Archive(path, FileDigest(size, sha256))


# Sizes and digests as TensorFlow Datasets pins them (url_checksums/coco.txt), which others have confirmed.
_ANNOTATIONS_2014 = _archive(
    "annotations/annotations_trainval2014.zip",
    252_872_794,
    "031296bbc80c45a1d1f76bf9a90ead27e94e99ec629208449507a4917a3bf009",
)


_ANNOTATIONS_2017 = _archive(
    "annotations/annotations_trainval2017.zip",
    252_907_541,
    "113a836d90195ee1f884e704da6304dfaaecff1f023f49b6ca93c4aaae470268",
)


OFFICIAL: Mapping[str, Split] = {
    "train2017": Split(
        _archive(
            "zips/train2017.zip",
            19_336_861_798,
            "69a8bb58ea5f8f99d24875f21416de2e9ded3178e903f1f7603e283b9e06d929",
        ),
        _ANNOTATIONS_2017,
    ),
    "val2017": Split(
        _archive("zips/val2017.zip", 815_585_330, "4f7e2ccb2866ec5041993c9cf2a952bbed69647b115d0f74da7ce8f4bef82f05"),
        _ANNOTATIONS_2017,
    ),
    "train2014": Split(
        _archive(
            "zips/train2014.zip",
            13_510_573_713,
            "ede4087e640bddba550e090eae701092534b554b42b05ac33f0300b984b31775",
        ),
        _ANNOTATIONS_2014,
    ),
    "val2014": Split(
        _archive("zips/val2014.zip", 6_645_013_297, "fe9be816052049c34717e077d9e34aa60814a55679f804cd043e3cbee3b9fde0"),
        _ANNOTATIONS_2014,
    ),
}


@dataclass(frozen=True)
class KnownPeople:
    """What the whole keypoints file of a split holds: photographs with people, annotations, those with keypoints."""

    images: int
    annotations: int
    labelled: int


# By the file's name: what whoever has counted the files of 2017 finds. Together they are 66,808 photographs with
# 273,469 annotations, of which 42.89 % have no keypoints.
KNOWN_PEOPLE: Mapping[str, KnownPeople] = {
    "person_keypoints_train2017.json": KnownPeople(64_115, 262_465, 149_813),
    "person_keypoints_val2017.json": KnownPeople(2_693, 11_004, 6_352),
}
SEVERAL_OF_BOTH = 0.6128  # of the photographs with people of train2017 and val2017 together, with more than one
FEW_LABELS, FEW_OF_BOTH = 4, 0.4886  # keypoints, and of both files' annotations how many have no more
