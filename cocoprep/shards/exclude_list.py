"""The list of annotations to leave out: written by `cocoprep check`, edited by hand, read by a build.

Text in UTF-8, a line an annotation, its fields parted by tabs: the id that it has in its annotation file, behind the
name of its source and a `/` where a build has several; the file name of its photograph, which may be left away; and
whatever else, which becomes the detail in the ledger, of several lines of one annotation together. Empty lines and
those that begin with `#` are passed over.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from cocoprep.checks import shown
from cocoprep.errors import ConfigError
from cocoprep.storage.store import FileStore
from cocoprep.storage.user_file import read_user_file

OPTION = "--exclude"
MOST_BYTES = 1 << 28  # a million annotations take a third of it
_LONGEST = 500  # characters of a reason
_NO_REASON = "listed"
_HEAD = (
    "# Annotations to leave out: `cocoprep build --exclude` takes this list. Remove the lines of those whose labels\n"
    "# are right. Each has the id, the photograph and what is suspected, parted by tabs.\n"
)
_CURE = "Run `cocoprep check` on the annotation file to have one written."


@dataclass(frozen=True, slots=True)
class Excluded:
    """One annotation to leave out.

    Attributes:
        own_id: its id in the file, as text; of several sources `NAME/ID`.
        image: file name of its photograph, as the annotation file has it; empty where it is not said.
        why: what is wrong with it.
        line: of the list, from 1; the first of several.
    """

    own_id: str
    image: str
    why: str
    line: int = 0


@dataclass(frozen=True)
class ExcludeList:
    """The annotations that a list leaves out, by their own ids.

    Attributes:
        path: of the file, for errors.
        lines: each id once.
    """

    path: str
    lines: Mapping[str, Excluded]

    def of_source(self, name: str) -> dict[str, Excluded]:
        """Return the lines of a source, by its own ids; of the only one, which has no name, all of them."""
        if not name:
            return dict(self.lines)
        before = f"{name}/"
        return {key.removeprefix(before): line for key, line in self.lines.items() if key.startswith(before)}

    def check_sources(self, names: Sequence[str]) -> None:
        """Refuse lines of no source of a build.

        Raises:
            ConfigError: naming the first of them.
        """
        if not any(names):
            return
        for key, line in self.lines.items():
            if key.partition("/")[0] not in names or "/" not in key:
                raise ConfigError(
                    f"{OPTION}: {self.path}, line {line.line}: expected NAME/ID with one of {', '.join(names):.300} as "
                    f"NAME, since the build has several sources, found {shown(key)}. Write the source's name before "
                    "the id, or remove the line."
                )


def encode_exclude_list(excluded: Sequence[Excluded]) -> bytes:
    """Encode a list of annotations, one line an annotation: of several with one id the first."""
    lines: dict[str, str] = {}
    for one in excluded:
        own_id = _plain(one.own_id)
        if own_id.startswith("#"):  # no comment: a reader takes the space off
            own_id = f" {own_id}"
        fields = (own_id, one.image if _plain(one.image) == one.image else "", _plain(one.why))
        lines.setdefault(one.own_id, "\t".join(fields) + "\n")
    return "".join([_HEAD, *lines.values()]).encode("utf-8", "replace")


def _plain(text: str) -> str:
    """Return a text on one line and without tabs."""
    return "".join(letter if letter.isprintable() else " " for letter in text).strip()


def read_exclude_list(path: str, files: FileStore) -> ExcludeList:
    """Read a list of annotations.

    Raises:
        ConfigError: there is no such file, or it is no such list.
    """
    data = read_user_file(path, files, "a list of annotations", refusal=ConfigError, option=OPTION, cure=_CURE)
    if len(data) > MOST_BYTES:
        raise ConfigError(f"{OPTION}: {path}: expected {MOST_BYTES} bytes at most, found {len(data)}. Is it the list?")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{OPTION}: {path}: expected text in UTF-8 ({error}). {_CURE}") from error
    lines: dict[str, Excluded] = {}
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip() and not line.startswith("#"):
            one = _read_line(line.rstrip("\r"), number, path)
            before = lines.get(one.own_id)
            lines[one.own_id] = one if before is None else _both(before, one, path)
    return ExcludeList(path, lines)


def _both(first: Excluded, second: Excluded, path: str) -> Excluded:
    """Return what two lines say of one annotation: both reasons.

    Raises:
        ConfigError: they name different photographs, so that one of them means another annotation.
    """
    if first.image and second.image and first.image != second.image:
        raise ConfigError(
            f"{OPTION}: {path}, lines {first.line} and {second.line}: expected one photograph for annotation "
            f"{shown(first.own_id)}, found {shown(first.image)} and {shown(second.image)}. Remove the wrong line."
        )
    reasons = dict.fromkeys([*first.why.split("; "), second.why])
    reasons.pop(_NO_REASON, None)
    return replace(first, image=first.image or second.image, why="; ".join(reasons)[:_LONGEST] or _NO_REASON)


def _read_line(line: str, number: int, path: str) -> Excluded:
    own_id, image, *rest = [field.strip() for field in line.split("\t")] + [""]
    if not own_id or not own_id.isprintable():
        raise ConfigError(
            f"{OPTION}: {path}, line {number}: expected the id of an annotation, then perhaps a tab and more, found "
            f"{shown(line[:100])}. Mend the line or remove it."
        )
    why = " ".join(filter(None, rest))
    return Excluded(own_id, image, (why or _NO_REASON)[:_LONGEST], number)
