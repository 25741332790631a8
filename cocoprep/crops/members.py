"""The members of an archive of photographs, by name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath
from typing import Generic, TypeVar

from cocoprep.crops.image_source import check_file_name
from cocoprep.errors import ImageError

Member = TypeVar("Member")


class Members(Generic[Member]):
    """The members of one archive; its folders are none.

    A photograph is found under its own name, under a folder of the archive's name (as in COCO's zips), or under the
    one folder that all members share.
    """

    def __init__(self, found: Iterable[tuple[str, Member]], kind: str, path: str | None = None) -> None:
        """Index members.

        Args:
            found: their names in the archive, and what stands for each.
            kind: what messages call the archive, such as "zip".
            path: of the archive; None where each member has the very name that it is asked for by.
        """
        self._kind = kind
        self._members: dict[str, Member | None] = {}  # a name used twice maps to None
        for name, member in found:
            if not name.endswith("/"):
                self._members[name] = None if name in self._members else member
        self._shared = "" if path is None else self._shared_folder()
        self._folders = [""] if path is None else ["", f"{PurePosixPath(path).stem}/", self._shared]

    def _shared_folder(self) -> str:
        tops = {name.split("/", 1)[0] for name in self._members if "/" in name} - {"__MACOSX"}  # a Mac's own notes
        return f"{tops.pop()}/" if len(tops) == 1 else ""

    def _full_name(self, file_name: str) -> str | None:
        return next((f + file_name for f in self._folders if f + file_name in self._members), None)

    def _own_name(self, full_name: str) -> str:
        """Return a member's name without the shared folder, unless that would be another member's."""
        within = full_name.removeprefix(self._shared)
        return full_name if within in self._members else within

    def member(self, file_name: str) -> Member:
        """Return what stands for a member. Raises ImageError where there is none, or two."""
        check_file_name(file_name)
        name = self._full_name(file_name)
        if name is None:
            raise ImageError(f"{file_name!r}: {nothing_in(self._kind)}")
        found = self._members[name]
        if found is None:
            raise ImageError(f"{file_name!r}: {twice_in(self._kind)}")
        return found

    def find(self, file_names: Iterable[str]) -> dict[str, str]:
        """See `ImageSource`."""
        found = ((name, self._full_name(name)) for name in file_names)
        return {name: self._own_name(full) for name, full in found if full is not None}

    def names(self) -> Iterator[str]:
        """See `ImageSource`."""
        return map(self._own_name, self._members)


def nothing_in(kind: str) -> str:
    """Return what is said where an archive has no such member."""
    return f"no such member in the {kind}"


def twice_in(kind: str) -> str:
    """Return what is said where two members of an archive have one name."""
    return f"the {kind} holds this name more than once"
