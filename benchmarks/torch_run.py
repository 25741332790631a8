"""One training in PyTorch, of which many fit on one GPU: a step is a CUDA graph, replayed on a stream of its own.

A small network leaves a GPU idle while its host starts hundreds of operations a step. Captured once as a graph, a step
is started at once, and the graphs of many trainings run side by side: each in a thread of its own, which waits for a
step before it starts the next. Several steps in one queue would hold up the other threads' instead. On a CPU a step is
what it is, and slow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from benchmarks.ablation_draws import Drawn
from benchmarks.ablation_variants import Variant
from benchmarks.torch_flat import FlatNetwork, step_rates
from benchmarks.torch_hourglass import Convolutions, Hourglass, begin_as_keras
from benchmarks.torch_losses import joint_losses, total_loss
from benchmarks.torch_pictures import Crops, Noise, draw_heatmaps, recolour

WARM_UP = 3  # steps before a capture, in which libraries choose and allocate
SCORED_AT_ONCE = 250
Heatmaps = tuple[NDArray[np.float32], NDArray[np.float32]]
TABLES = ("places", "to_canonical", "colours", "noise", "points", "labelled", "weights")


class TorchRun:
    """A training of one variant from one seed, and its predictions.

    Attributes:
        steps: T, how many it has.
        done: how many of them it has taken.
        flat: its network.
    """

    def __init__(self, variant: Variant, drawn: Drawn, crops: Crops, flip_index: tuple[int, ...], seed: int) -> None:
        """Set it up on the device of `crops`, the pictures of those that `drawn` names by place."""
        self.variant, self.steps, self.done, self._device = variant, len(drawn.places), 0, crops.device
        make = Convolutions(separable=variant.convolution == "separable", bias_before_norm=False)
        network = Hourglass(
            variant.stacks, variant.channels, variant.depth, len(flip_index), stride=variant.heatmap_stride, make=make
        )
        begin_as_keras(network, seed)
        self.flat = FlatNetwork(network.to(self._device).to(memory_format=torch.channels_last))
        rates = step_rates(variant, steps=self.steps, steps_an_epoch=drawn.steps_an_epoch)
        arrays = {name: getattr(drawn, name) for name in TABLES} | {"rates": rates}
        self._tables = {name: torch.from_numpy(array).to(self._device) for name, array in arrays.items()}
        self._crops, self._stored = crops, crops.at(variant.input_size)
        config = variant.augmentation
        self._recolours = config.recolours
        self._noise = Noise(config.noise, variant.input_size, self._device) if config.noise else None
        self._flip_index = torch.tensor(flip_index, device=self._device)
        self._now = torch.zeros(1, dtype=torch.long, device=self._device)
        self._losses = torch.zeros((), device=self._device)
        self._graph: Any = None
        self._stream = torch.cuda.Stream() if self._device.type == "cuda" else None

    @property
    def loss(self) -> float:
        """Return the mean loss of the steps so far, over all stacks together."""
        return float(self._losses) / max(self.done, 1)

    def on_stream(self) -> AbstractContextManager[Any]:
        """Let what is started in this context be started on the run's own stream."""
        return torch.cuda.stream(self._stream) if self._stream else nullcontext()

    def capture(self) -> None:
        """Capture a step as a graph, on a GPU; one run at a time, while others may take their steps."""
        self.flat.network.train()
        if self._stream is None:
            return
        torch.cuda.synchronize()
        before = [tensor.clone() for tensor in self.flat.state]
        torch.cuda.synchronize()
        with self.on_stream():
            for _ in range(WARM_UP):
                self._step()
        torch.cuda.synchronize()
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, stream=self._stream, capture_error_mode="thread_local"):
            self._step()
        torch.cuda.synchronize()
        for tensor, value in zip(self.flat.state, before, strict=True):
            tensor.copy_(value)
        self._now.zero_()
        self._losses.zero_()
        torch.cuda.synchronize()
        self._graph = graph

    def train(self, *, is_late: Callable[[], bool], tick: Callable[[], None]) -> None:
        """Take the steps that are left, until it is late; `tick` is called after each."""
        take_step = self._step if self._graph is None else _replayed(self._graph, self._stream)
        with self.on_stream():
            while self.done < self.steps and not is_late():
                take_step()
                self.done += 1
                tick()

    def predict(self, scored: Crops) -> list[Heatmaps]:
        """Return heatmaps (B, h, w, K) of people in turn by the average, without and with the flip test."""
        with self.on_stream(), torch.no_grad(), self._average_in_place():
            stored = scored.at(self.variant.input_size)
            return [self._predict_some(scored, some) for some in stored.split(SCORED_AT_ONCE)]

    def _predict_some(self, scored: Crops, stored: Tensor) -> Heatmaps:
        size, as_they_are = self.variant.input_size, torch.eye(2, 3, device=self._device)
        images = scored.normalise(scored.warp(stored, as_they_are.expand(len(stored), 2, 3), size))
        maps = self.flat.network(images)[-1]
        mirrored = self.flat.network(images.flip(3))[-1].flip(3).index_select(1, self._flip_index)
        return _as_array(maps), _as_array((maps + mirrored) / 2)

    @contextmanager
    def _average_in_place(self) -> Iterator[None]:
        values = self.flat.values.clone()
        self.flat.values.copy_(self.flat.average)
        self.flat.network.eval()
        try:
            yield
        finally:
            self.flat.values.copy_(values)
            self.flat.network.train()

    def batch(self) -> tuple[Tensor, Tensor, Tensor]:
        """Return the step's images (B, 3, H, W), heatmaps (B, K, h, w) and their weights (B, K)."""
        drawn = {name: table.index_select(0, self._now)[0] for name, table in self._tables.items()}
        stored, variant = self._stored.index_select(0, drawn["places"]), self.variant
        pictures = self._crops.warp(stored, drawn["to_canonical"], variant.input_size)
        if self._recolours:
            pictures = recolour(pictures, drawn["colours"]).clamp(0, 255)
        if self._noise:
            pictures = self._noise.add(pictures, drawn["noise"])
        points = drawn["points"] / variant.heatmap_stride
        heatmaps = draw_heatmaps(points, drawn["labelled"], variant.heatmap_size, variant.sigma)
        return self._crops.normalise(pictures), heatmaps, drawn["weights"]

    def _step(self) -> None:
        images, heatmaps, weights = self.batch()
        done = self._now[0] / self.steps
        loss = torch.zeros((), device=self._device)
        for maps in self.flat.network(images):
            loss = loss + total_loss(joint_losses(maps, heatmaps, self.variant), weights, self.variant, done)
        self.flat.gradients.zero_()
        loss.backward()
        self._losses.add_(loss.detach())
        self.flat.update(self._tables["rates"].index_select(0, self._now)[0])
        self._now.add_(1)


def _replayed(graph: Any, stream: Any) -> Callable[[], None]:
    """Return what replays a graph and waits for it."""
    finished = torch.cuda.Event(blocking=True)

    def replay() -> None:
        graph.replay()
        finished.record(stream)
        finished.synchronize()

    return replay


def _as_array(maps: Tensor) -> NDArray[np.float32]:
    array: NDArray[np.float32] = maps.permute(0, 2, 3, 1).contiguous().cpu().numpy()
    return array
