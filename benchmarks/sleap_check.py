"""What SLEAP's label check suspects in a COCO keypoints file: run by a Python that has `sleap.qc`, for `bench_check`.

`PYTHON benchmarks/sleap_check.py FILE TABLE OUT`: TABLE is JSON with the names, limbs and mirror partners (pairs of
places) of the joints. OUT becomes a JSON list of [annotation id, score, whether flagged], the highest score first:
flagged is what SLEAP flags by its own threshold, or holds for one of a pair of duplicates, whose score counts too where
it is higher.

Nothing of cocoprep is imported: SLEAP lives in an environment of its own.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import sleap_io  # type: ignore[import-not-found, unused-ignore]
from sleap.qc import LabelQCDetector  # type: ignore[import-not-found, unused-ignore]


def read_labels(document: dict[str, Any], table: dict[str, Any]) -> tuple[Any, dict[tuple[int, int], int]]:
    """Return SLEAP's labels, each photograph a frame of one video, and the annotation id of each (frame, instance)."""
    nodes = [sleap_io.Node(name) for name in table["names"]]
    skeleton = sleap_io.Skeleton(
        nodes=nodes,
        edges=[sleap_io.Edge(nodes[a], nodes[b]) for a, b in table["limbs"]],
        symmetries=[sleap_io.Symmetry({nodes[a], nodes[b]}) for a, b in table["partners"]],
    )
    of_image: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for one in document["annotations"]:
        if any(one["keypoints"][2::3]) and not one.get("iscrowd"):
            of_image[one["image_id"]].append(one)
    video, frames, ids = sleap_io.Video(filename="none.mp4", open_backend=False), [], {}
    for frame, image in enumerate(document["images"]):
        instances = []
        for place, one in enumerate(of_image[image["id"]]):
            joints = np.array(one["keypoints"], np.float64).reshape(-1, 3)
            joints[joints[:, 2] == 0, :2] = np.nan
            instances.append(sleap_io.Instance.from_numpy(joints[:, :2], skeleton=skeleton))
            ids[frame, place] = one["id"]
        frames.append(sleap_io.LabeledFrame(video=video, frame_idx=frame, instances=instances))
    return sleap_io.Labels(labeled_frames=frames, videos=[video], skeletons=[skeleton]), ids


def main() -> None:
    """Check a file."""
    document, table = (json.loads(Path(path).read_text()) for path in sys.argv[1:3])
    labels, ids = read_labels(document, table)
    detector = LabelQCDetector()
    found = detector.fit(labels).score(labels)
    scores = {
        ids[one.instance_key.frame_idx, one.instance_key.instance_idx]: one.score for one in found.get_flagged(0.0)
    }
    flagged = {
        ids[one.instance_key.frame_idx, one.instance_key.instance_idx]
        for one in found.get_flagged(detector.config.instance_threshold)
    }
    for key, frame in found.frame_results.items():
        for pair, score in zip(frame.duplicate_pairs, frame.duplicate_scores, strict=True):
            for number in (ids[key.frame_idx, place] for place in pair[:2]):
                flagged.add(number)
                scores[number] = max(scores[number], float(score))
    ranked = sorted(scores, key=lambda one: -scores[one])
    Path(sys.argv[3]).write_text(json.dumps([[one, scores[one], one in flagged] for one in ranked]))


if __name__ == "__main__":
    main()
