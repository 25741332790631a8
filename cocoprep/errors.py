"""Errors that a user can act on: each says what failed, where, expected, found and the cure.

Every class takes the one message string, so that an error survives pickling between processes.
"""

from __future__ import annotations


class CocoprepError(Exception):
    """Base of every expected failure. The command line prints it and exits with 1."""


class ConfigError(CocoprepError):
    """An option or a combination of options cannot work."""


class AnnotationError(CocoprepError):
    """An annotation file as a whole cannot be used."""


class ResultsError(CocoprepError):
    """A results file cannot be scored."""


class ImageError(CocoprepError):
    """A photograph cannot be read; costs the people in it, never the build."""


class RecordError(CocoprepError):
    """A record, shard, sidecar or manifest is damaged or of another form."""


class OutputError(CocoprepError):
    """The output cannot be written, or holds something that must not be overwritten."""


class StoreError(CocoprepError):
    """A bucket or a server cannot be used: no credentials, no rights, not there, or it does not answer."""


class HostError(CocoprepError):
    """One of several hosts that train together cannot go on, and would wait for the others in vain."""


class BuildError(CocoprepError):
    """The build as a whole failed: too many faults, nothing kept, a worker lost."""
