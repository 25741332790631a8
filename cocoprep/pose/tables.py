"""The keypoint tables that come along, and those that a user writes: TOML, read and checked in one way."""

from __future__ import annotations

import tomllib
from collections import Counter
from functools import cache
from pathlib import Path

import msgspec

from cocoprep.errors import ConfigError
from cocoprep.pose.keypoints import Joint, KeypointTable

LEAST_SIGMA = 1e-6  # OKS divides by its square
_FOLDER = Path(__file__).parent / "keypoint_tables"
_ENDING = ".toml"
MAX_JOINTS = 1000  # hands, feet and a face of points are some 130
MAX_NAME = 100  # characters, of a table, a joint or a category


class _JointLine(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    sigma: float
    mirror: str | None = None
    synonyms: tuple[str, ...] = ()


class _TableFile(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    joints: tuple[_JointLine, ...]
    limbs: tuple[tuple[str, str], ...] = ()
    title: str = ""
    category: str = "person"
    head: tuple[str, ...] = ()
    torso: tuple[tuple[str, str], ...] = ()


def table_names() -> list[str]:
    """Return the names of the tables that come along, sorted."""
    return sorted(path.name.removesuffix(_ENDING) for path in _FOLDER.glob(f"*{_ENDING}"))


@cache
def named_table(name: str) -> KeypointTable:
    """Return a table that comes along. Raises ConfigError where there is none of this name."""
    if name not in table_names():
        raise ConfigError(f"expected one of {', '.join(table_names())}, found {name!r:.100}.")
    return parse_table(table_source(name), name)


def table_source(name: str) -> bytes:
    """Return the TOML of a table that comes along, with the sources of its numbers."""
    return (_FOLDER / f"{name}{_ENDING}").read_bytes()


def table_title(name: str) -> str:
    """Return what a table that comes along is of."""
    return _decode(table_source(name), name).title


def parse_table(data: bytes, path: str) -> KeypointTable:
    """Return the table that a TOML file holds.

    Raises:
        ConfigError: it holds none; says where and what.
    """
    found = _decode(data, path)
    fault = _fault(found)
    if fault:
        raise ConfigError(f"{path}: {fault}.")
    return KeypointTable(
        name=found.name,
        joints=tuple(Joint(j.name, _partner(j), j.sigma, j.synonyms) for j in found.joints),
        limbs=found.limbs,
        head=found.head,
        torso=found.torso,
        category=found.category,
    )


def _decode(data: bytes, path: str) -> _TableFile:
    try:
        return msgspec.convert(tomllib.loads(data.decode("utf-8-sig")), _TableFile)
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: expected TOML in UTF-8 ({error}).") from error
    except msgspec.ValidationError as error:
        raise ConfigError(
            f"{path}: not a keypoint table ({error!s:.300}). `cocoprep keypoints coco-17` prints one to go by."
        ) from error
    except (ValueError, RecursionError) as error:  # also of a number with thousands of digits
        raise ConfigError(f"{path}: not TOML ({error!s:.300}).") from error


def _partner(joint: _JointLine) -> str:
    return joint.name if joint.mirror is None else joint.mirror


def _fault(found: _TableFile) -> str | None:
    names = [joint.name for joint in found.joints]
    known = set(names)
    if not 0 < len(names) <= MAX_JOINTS:
        return f"joints: expected 1 to {MAX_JOINTS}, found {len(names)}"
    odd_name = next((name for name in (*names, found.name, found.category) if not 0 < len(name) <= MAX_NAME), None)
    if len(known) < len(names) or odd_name is not None:
        twice = next((name for name in names if names.count(name) > 1), odd_name)
        return f"expected names of 1 to {MAX_NAME} characters, those of joints each once, found {twice!r:.120}"
    partner = {joint.name: _partner(joint) for joint in found.joints}
    for name, other in partner.items():
        if partner.get(other) != name:
            return f"joints: {name!r:.100} has the mirror {other!r:.100}, which is not in the table or has another"
    odd = next((joint for joint in found.joints if not LEAST_SIGMA <= joint.sigma < 1), None)
    if odd is not None:
        return f"joints: expected sigmas between 0 and 1, found {odd.sigma} of {odd.name!r:.100}"
    for field, groups in (("limbs", found.limbs), ("torso", found.torso), ("head", tuple((n,) for n in found.head))):
        for group in groups:
            if not known.issuperset(group) or len(set(group)) < len(group):
                return (
                    f"{field}: expected names of joints, {'' if field == 'head' else 'two each, '}found {group!r:.200}"
                )
    if len(set(found.head)) < len(found.head):
        ((twice, _),) = Counter(found.head).most_common(1)
        return f"head: expected names of joints, each once, found {twice!r:.100} more than once"
    return None


COCO_17 = named_table("coco-17")
