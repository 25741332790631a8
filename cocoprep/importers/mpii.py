"""MPII Human Pose, in either of its two files: the official MAT-file, or the JSON lists that trainers use.

Both give pixel indices from 1, as MATLAB counts: 1 is taken off joints and head boxes, and a person's centre is that of
its pixel. A person has a rough centre and a scale, its height over 200 pixels; its box is the square that HRNet crops
(github.com/leoxiaobin/deep-high-resolution-net.pytorch, lib/dataset/mpii.py; MMPose's MpiiDataset does the same): of
side 200 * scale, its centre 15 * scale further down. HRNet's margin of a quarter is the build's `--bbox-scale`.
"""

from __future__ import annotations

from cocoprep.importers.dataset import ImportedDataset, ImportedSplit
from cocoprep.importers.mpii_json import read_mpii_json
from cocoprep.importers.mpii_mat import read_mpii_mat
from cocoprep.importers.photographs import Source, measure


def read_mpii(source: Source) -> ImportedDataset:
    """Return the people of an MPII file.

    Raises:
        AnnotationError: it is neither of the two.
        ConfigError: what is named as photographs is none.
    """
    data = source.read("MPII's MAT-file or a JSON list")
    is_mat = data[:6] == b"MATLAB" or source.path.endswith(".mat")
    read = read_mpii_mat(data, source.path, source.on_photograph) if is_mat else read_mpii_json(data, source.path)
    (split,) = read.splits
    images = source.find_images([*source.beside("images", "../images", "")])
    measured = measure(split.photographs, images, source, read.account)
    split = ImportedSplit(split.name, images, measured, split.people)
    return ImportedDataset(read.categories, (split,), read.account, read.not_carried)
