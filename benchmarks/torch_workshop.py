"""Many trainings side by side on one GPU, or one after another on a CPU."""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.ablation_draws import draw_training
from benchmarks.ablation_people import People
from benchmarks.ablation_scores import score
from benchmarks.ablation_variants import Task
from benchmarks.torch_pictures import Crops
from benchmarks.torch_run import TorchRun

TOLD_SECONDS = 30.0


class Workshop:
    """Trains tasks in threads, several at once, and keeps their results."""

    def __init__(self, people: dict[str, People], excluded: set[str], out: Path | None, *, seconds: float) -> None:
        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.device, self.people, self.excluded, self.out = device, people, excluded, out
        self.crops = {part: Crops(some, device) for part, some in people.items()}
        self.results: list[dict[str, Any]] = []
        self.failed: list[str] = []
        self.steps = 0
        self._end = time.monotonic() + seconds
        self._setting_up, self._telling = threading.Lock(), threading.Lock()

    def is_late(self) -> bool:
        """Tell whether the time is over."""
        return time.monotonic() > self._end

    def train_all(self, tasks: deque[Task], at_once: int) -> None:
        """Train tasks until there are none left or the time is over."""
        threads = [
            threading.Thread(target=self._work, args=(tasks,), daemon=True) for _ in range(min(at_once, len(tasks)))
        ]
        for thread in threads:
            thread.start()
        before, told = 0, time.monotonic()
        for thread in threads:
            while thread.is_alive():
                thread.join(TOLD_SECONDS)
                now = time.monotonic()
                if now - told >= TOLD_SECONDS:
                    print(f"{(self.steps - before) / (now - told):.0f} steps a second", flush=True)
                    before, told = self.steps, now

    def _work(self, tasks: deque[Task]) -> None:
        while not self.is_late():
            try:
                task = tasks.popleft()
            except IndexError:
                return
            try:
                self._tell(self._train(task))
            except Exception as error:  # the others go on
                with self._telling:
                    self.failed.append(f"{task.name}, seed {task.seed}: {type(error).__name__}: {error}")
                    print(f"failed: {self.failed[-1]}", flush=True)

    def _train(self, task: Task) -> dict[str, Any]:
        people = self.people["train"]
        used = people.places_without(self.excluded) if task.variant.exclude else np.arange(len(people))
        drawn = draw_training(task.variant, people, used, epochs=task.epochs, seed=task.seed)
        with self._setting_up:
            for crops in self.crops.values():
                crops.at(task.variant.input_size)  # shrunk once, before any stream of its own uses them
            run = TorchRun(task.variant, drawn, self.crops["train"], people.table.flip_index, task.seed)
            run.capture()
        began = time.monotonic()
        run.train(is_late=self.is_late, tick=self._tick)
        seconds = time.monotonic() - began
        figures = score(run.predict(self.crops["score"]), self.people["score"])
        return {
            **task.about, "steps": run.done, "of": run.steps, "loss": run.loss, "pck": figures,
            "parameters": run.flat.parameters, "seconds": round(seconds, 1),
        }  # fmt: skip

    def _tick(self) -> None:
        self.steps += 1  # for a rate to look at: threads may lose one

    def _tell(self, result: dict[str, Any]) -> None:
        with self._telling:
            self.results.append(result)
            if self.out:
                with self.out.open("a") as lines:
                    lines.write(json.dumps(result) + "\n")
            print(
                f"{result['variant']}, seed {result['seed']}: {result['steps']} of {result['of']} steps in "
                f"{result['seconds']} s, loss {result['loss']:.4f}, PCK@0.2 by box {result['pck']['box@0.2']:.4f}",
                flush=True,
            )
