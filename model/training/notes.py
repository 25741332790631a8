"""What a user should know of a run before it starts, in sentences."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from cocoprep.model.input.mixture import Mixture
from cocoprep.model.training.groups import groups_of
from cocoprep.model.training.trainee import Trainee
from cocoprep.pose.keypoints import SIGMA_NOTE
from cocoprep.shards.settings import table_of


def notes_on(trainee: Trainee, people: Mixture, *, watched: bool) -> Iterator[str]:
    """Say what is unusual of joints, of the network's parts and of sources; `watched` is whether OKS is measured."""
    table = table_of(people.manifest.keypoints)
    if trainee.config.augment.flip_probability and not table.has_pairs:
        yield f"no joints of {table.name:.100} are each other's in a mirror: nothing is mirrored in training"
    if watched and table.uniform_sigma is not None:
        yield f"{SIGMA_NOTE}, {table.uniform_sigma:g}"
    if trainee.config.precision == "mixed_bfloat16" and trainee.engine.slow_in_bfloat16():
        yield "this processor has no AMX, and gains nothing by bfloat16: begin another run with --precision float32"
    yield from _groups(trainee)
    yield from _shares(people, table.noun.many)


def _groups(trainee: Trainee) -> Iterator[str]:
    """Say which groups of the network are frozen, and which learn at a rate of their own."""
    network, rates = trainee.network, trainee.config.optimizer.rates
    there = groups_of(network.variables)
    if frozen := [group for group in there if group in trainee.config.freeze]:
        trained = sum(math.prod(variable.shape) for variable in network.trainable_variables)
        verb = "is" if len(frozen) == 1 else "are"
        yield f"{', '.join(frozen)} {verb} frozen: {trained:,} of {network.count_params():,} parameters are trained"
    if rated := [f"{group} {rates[group]:g}" for group in there if group in rates]:
        yield f"factors of the learning rate: {', '.join(rated)}, 1 elsewhere"


def _shares(people: Mixture, called: str) -> Iterator[str]:
    """Say of several sources how many people each has, and how often an epoch sees one of them."""
    counts = np.bincount(people.source_places, minlength=len(people.sources)).tolist()
    weights = [weight for one in people.weights for weight in one]
    if len(counts) > 1 or weights != [1.0]:
        for name, count, weight in zip(people.sources, counts, weights, strict=True):
            yield f"{name}: {count} {called} of weight {weight:g}, {count * weight:.0f} an epoch"
