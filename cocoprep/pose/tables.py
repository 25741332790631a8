"""The keypoint tables that come along."""

from __future__ import annotations

from cocoprep.pose.keypoints import Joint, KeypointTable


def _pair(name: str, oks_sigma: float) -> tuple[Joint, Joint]:
    left, right = f"left_{name}", f"right_{name}"
    return Joint(left, right, oks_sigma), Joint(right, left, oks_sigma)


COCO_17 = KeypointTable(
    name="coco-17",
    joints=(
        Joint("nose", "nose", 0.026),
        *_pair("eye", 0.025),
        *_pair("ear", 0.035),
        *_pair("shoulder", 0.079),
        *_pair("elbow", 0.072),
        *_pair("wrist", 0.062),
        *_pair("hip", 0.107),
        *_pair("knee", 0.087),
        *_pair("ankle", 0.089),
    ),
    limbs=(
        ("left_ankle", "left_knee"),
        ("left_knee", "left_hip"),
        ("right_ankle", "right_knee"),
        ("right_knee", "right_hip"),
        ("left_hip", "right_hip"),
        ("left_shoulder", "left_hip"),
        ("right_shoulder", "right_hip"),
        ("left_shoulder", "right_shoulder"),
        ("left_shoulder", "left_elbow"),
        ("right_shoulder", "right_elbow"),
        ("left_elbow", "left_wrist"),
        ("right_elbow", "right_wrist"),
        ("left_eye", "right_eye"),
        ("nose", "left_eye"),
        ("nose", "right_eye"),
        ("left_eye", "left_ear"),
        ("right_eye", "right_ear"),
        ("left_ear", "left_shoulder"),
        ("right_ear", "right_shoulder"),
    ),
)
