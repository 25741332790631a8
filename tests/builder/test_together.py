"""Two builds into one folder at the same time: whatever the order of their steps, the folder is of one of them.

Both have the same settings and the same ids, so that only what they hold tells them apart.
"""

from __future__ import annotations

import json
import random
import shutil
import threading
from contextlib import contextmanager
from itertools import combinations
from queue import Queue

import numpy as np
import pytest
from PIL import Image

from cocoprep.builder.config import BuildConfig, SelectConfig
from cocoprep.builder.finish import finish_build
from cocoprep.builder.start import start_build
from cocoprep.errors import BuildError, OutputError
from cocoprep.pose.crop_config import CropConfig
from cocoprep.shards.names import MANIFEST, SIDECAR_SUFFIX, shard_name
from cocoprep.shards.verify import verify_folder
from cocoprep.storage.local import LocalFiles
from tests.support.building import write_shard
from tests.support.people import write_people

SHARDS = 2
STEPS = SHARDS + 2
CONFIG = {
    "split": "train2017",
    "crop": CropConfig(input_size=(32, 32)),
    "select": SelectConfig(shards=SHARDS, max_bad_fraction=0.9),
}
ANOTHER = "another build wrote into this folder at the same time"


def move_joints(coco):
    for annotation in coco["annotations"]:
        annotation["keypoints"] = [v + 3 if i % 3 == 0 and v else v for i, v in enumerate(annotation["keypoints"])]


def other_photographs(images):
    for path in sorted(images.iterdir())[:2]:
        pixels = np.asarray(Image.open(path))
        Image.fromarray(255 - pixels).save(path)


def lose_a_photograph(images):
    sorted(images.iterdir())[0].unlink()


# what sets the other build apart -> what changes its annotations, and what its photographs
DIFFERENCES = {
    "every shard": (move_joints, None),
    "one shard, its size the same": (lambda coco: coco["annotations"][1].update(area=1.5), None),
    "ground truth alone": (lambda coco: coco["annotations"][0].update(area=1.5), None),
    "ledger alone": (lambda coco: coco["annotations"][-1].update(bbox=[1, 2, 3]), None),
    "photographs alone": (None, other_photographs),
    "a photograph that is not there": (None, lose_a_photograph),
}


@pytest.fixture(scope="module", params=list(DIFFERENCES))
def pair(request, tmp_path_factory):
    """Return the options of two builds by name, and what each writes when it is alone."""
    root = tmp_path_factory.mktemp("pair")
    change, change_images = DIFFERENCES[request.param]
    annotations, images = write_people(root / "coco", images=4)
    coco = json.loads(annotations.read_text())
    coco["annotations"].append({**coco["annotations"][-1], "id": 900, "bbox": "none"})
    annotations.write_text(json.dumps(coco))
    options = {"A": (annotations, images), "B": (annotations, images)}
    if change is not None:
        change(coco)
        options["B"] = (root / "other.json", images)
        options["B"][0].write_text(json.dumps(coco))
    if change_images is not None:
        options["B"] = (annotations, shutil.copytree(images, root / "others"))
        change_images(options["B"][1])
    alone = {}
    for name, (file, folder) in options.items():
        run = Run(file, folder, root / f"alone-{name}")
        for _ in range(STEPS):
            run.step()
        assert run.error is None
        alone[name] = content(run.out)
    differ = {name for name in alone["A"] if alone["A"][name] != alone["B"][name]}
    assert differ - {MANIFEST}, "all the same but for the paths that the manifest names"
    return options, alone


def content(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


class Unsynced(LocalFiles):
    """Files of this machine that do not wait for the disk."""

    def create(self, path, *, sync=True):
        return super().create(path, sync=False)

    def sync(self, path):
        pass


class Run:
    """One build, a step at a time."""

    def __init__(self, annotations, images, out, files=None):
        self.out = out
        self._config = BuildConfig(annotations=str(annotations), images=str(images), out=str(out), **CONFIG)
        self._files = files or Unsynced()
        self._steps = self._all_steps()
        self.error = None

    def _all_steps(self):
        _, shards = start_build(self._config, self._files)
        yield
        written = []
        for index in range(SHARDS):
            written.append(write_shard(self._config, index, shards, self._files))
            yield
        finish_build(self._config, written, self._files)
        yield

    def step(self):
        """Take the next step; a build that has failed takes none."""
        if self.error is None:
            try:
                next(self._steps)
            except (BuildError, OutputError) as error:
                self.error = error


def outcome(out, alone):
    """Return whose the folder is, and whether that is wrong: a manifest that verifies, over files of both."""
    found = content(out)
    owners = [name for name in alone if found == alone[name]]
    verified = MANIFEST in found and not verify_folder(str(out), LocalFiles()).problems
    assert owners or not verified, "a mixed folder is called good"
    return owners[0] if owners else None


ORDERS = [
    "".join("A" if step in first else "B" for step in range(2 * STEPS))
    for first in combinations(range(2 * STEPS), STEPS)
]


def test_the_orders_are_all_there():
    assert len(set(ORDERS)) == 70


@pytest.mark.parametrize(
    "orders", [pytest.param(ORDERS[::3], id="some"), pytest.param(ORDERS, id="all", marks=pytest.mark.long)]
)
def test_orders_of_steps(pair, orders, tmp_path):
    """Both run to their end. A folder that is marked as complete is then wholly of one, and the other one was told."""
    options, alone = pair
    for order in orders:
        out = tmp_path / order
        runs = {name: Run(*paths, out) for name, paths in options.items()}
        for name in order:
            runs[name].step()
        owner = outcome(out, alone)
        failed = {name for name, run in runs.items() if run.error is not None}
        assert all(ANOTHER in str(runs[name].error) for name in failed), order
        assert (out / MANIFEST).exists() == (owner is not None), order
        assert owner not in failed, order
        if not failed:
            assert owner == order[-1], order
        if order in (STEPS * "A" + STEPS * "B", STEPS * "B" + STEPS * "A"):
            assert not failed, order


def test_the_build_that_was_told_to_run_again_succeeds(pair, tmp_path):
    options, alone = pair
    runs = {name: Run(*paths, tmp_path / "out") for name, paths in options.items()}
    for name in "ABABABAB":
        runs[name].step()
    assert runs["A"].error is not None
    again = Run(*options["A"], tmp_path / "out")
    for _ in range(STEPS):
        again.step()
    assert again.error is None
    assert outcome(tmp_path / "out", alone) == "A"


class SteppedFiles(Unsynced):
    """The same, with a wait before whatever another build could notice or disturb."""

    def __init__(self, wait):
        self._wait = wait

    @contextmanager
    def create(self, path, *, sync=True):
        self._wait()
        with super().create(path, sync=sync) as stream:
            yield stream
            self._wait()  # while it has its temporary name

    def open_read(self, path):
        self._wait()
        return super().open_read(path)

    def read_bytes(self, path):
        self._wait()
        return super().read_bytes(path)

    def delete(self, path):
        self._wait()
        super().delete(path)

    def list_names(self, folder):
        self._wait()
        return super().list_names(folder)


class Overtaken(Unsynced):
    """The same, where another build writes its shard and sidecar after this one's shard, before this one's sidecar."""

    def __init__(self, shard, other):
        self._shard, self._other = shard, other

    def create(self, path, *, sync=True):
        if path.endswith(self._shard + SIDECAR_SUFFIX):
            self._other()
        return super().create(path, sync=sync)


@pytest.mark.parametrize("index", range(SHARDS))
def test_a_shard_that_was_replaced_before_its_sidecar_was_written(pair, tmp_path, index):
    """Shards of equal size, too: what the sidecar of this build says is not what lies there."""
    options, alone = pair
    name = shard_name("train2017", index, SHARDS)
    out = tmp_path / "out"
    other = Run(*options["B"], out)
    run = Run(*options["A"], out, Overtaken(name, other.step))
    other.step()
    run.step()  # the plan is of this build
    for number in range(SHARDS):  # so is every shard but one, which is the other's beside a sidecar of this build
        if number != index:
            other.step()
        run.step()
    assert (out / name).read_bytes() == alone["B"][name]
    run.step()
    owner = outcome(out, alone)
    assert (run.error is None) == (owner == "A")
    assert (out / MANIFEST).exists() == (owner is not None)


class Turns:
    """Threads that run one at a time, each until it waits."""

    def __init__(self):
        self._arrived = Queue()
        self._go = {}
        self._failures = []

    def start(self, name, function):
        self._go[name] = threading.Semaphore(0)
        threading.Thread(target=self._run, args=(name, function), daemon=True).start()

    def _run(self, name, function):
        try:
            self.wait(name)
            function()
        except Exception as error:
            self._failures.append(error)
        finally:
            self._arrived.put((name, True))

    def wait(self, name):
        self._arrived.put((name, False))
        assert self._go[name].acquire(timeout=60)

    def play(self, choose):
        """Let them run, each time the one chosen, until all have ended."""
        waiting, moving = set(), len(self._go)
        while moving or waiting:
            for _ in range(moving):
                name, ended = self._arrived.get(timeout=60)
                waiting |= set() if ended else {name}
            moving = 0
            if waiting:
                name = choose(sorted(waiting))
                waiting.remove(name)
                self._go[name].release()
                moving = 1
        if self._failures:
            raise self._failures[0]


def test_orders_of_single_reads_and_writes(pair, tmp_path):
    """Within a step, too: what a folder with a manifest holds is of one build, or `verify` finds it."""
    options, alone = pair
    for seed in range(25):
        rng = random.Random(seed)
        staying = rng.choice([0.3, 0.7, 0.9, 0.97])
        turns, out, last = Turns(), tmp_path / str(seed), ["A"]

        def choose(names, rng=rng, staying=staying, last=last):
            if last[0] not in names or rng.random() > staying:
                last[0] = rng.choice(names)
            return last[0]

        runs = {}
        for name, paths in options.items():
            files = SteppedFiles(lambda name=name, turns=turns: turns.wait(name))
            runs[name] = Run(*paths, out, files)
            turns.start(name, lambda run=runs[name]: [run.step() for _ in range(STEPS)])
        turns.play(choose)
        owner = outcome(out, alone)
        assert (out / MANIFEST).exists() == (owner is not None), seed
