"""Several machines that train one network together, each in a process of its own.

Loads neither TensorFlow nor JAX nor Keras.
"""

from __future__ import annotations

from typing import Protocol


class Hosts(Protocol):
    """The processes of a run. All of them have to call each method at the same point of what they do."""

    @property
    def count(self) -> int:
        """How many there are."""

    @property
    def place(self) -> int:
        """Which of them this one is, from 0. The first holds the run's folder, and shows how it goes on."""

    def is_loss(self, error: Exception) -> bool:
        """Tell whether an error is what one meets where another is gone: anywhere, since they meet at every step."""

    def gather(self, flag: bool) -> list[bool]:
        """Return what each of them says."""

    def share(self, data: bytes) -> bytes:
        """Return what the first one has; what others give does not matter."""


class OneHost:
    """A run of one process."""

    count, place = 1, 0

    def is_loss(self, error: Exception) -> bool:
        """Tell that nobody can be gone."""
        return False

    def gather(self, flag: bool) -> list[bool]:
        """Return what this one says."""
        return [flag]

    def share(self, data: bytes) -> bytes:
        """Return what this one has."""
        return data
