"""Damage a file, have a command read it in a worker process, and hold what happens against the rules.

A seed, a kind and a number make a case: the same case every time.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from tests.fuzz.kinds import ALL_KINDS, Command
from tests.support.rooms import ROOT

SECONDS = 30  # of a processor's time: how busy the machine is must not decide
LOST_SECONDS = 180  # on the clock
MORE_MB = 500  # than the same command takes on the sound file
LONGEST_LINE = 2_000  # bytes of a message
LONGEST_OUTPUT = 100_000
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
SLOW_SHARE = 0.05  # of the cases, where there is time for slow commands
_WARNING = re.compile(r"\.py:\d+: \w*Warning")


@dataclass(frozen=True)
class Ending:
    """How a command ended: exit code, None where it had to be killed, or died; and all that is to be judged."""

    code: int | None
    out: str
    err: str
    seconds: float = 0.0
    peak_mb: float = 0.0
    seen: tuple[str, ...] = ()


@dataclass(frozen=True)
class Failure:
    """A rule that a case broke, and how to see it again."""

    kind: str
    number: int
    seed: str
    command: Command
    rules: list[str]
    ending: Ending
    kept: Path
    slow: bool

    def __str__(self) -> str:
        """Return all that is needed to repeat it."""
        slow = " --slow" * self.slow
        again = f"COCOPREP_FUZZ_SEED={self.seed} python -m tests.fuzz {self.kind!r} --case {self.number}{slow}"
        shown = f"{_ends(self.ending.out, 600)}\n{_ends(self.ending.err, 2500)}"
        return (
            f"kind {self.kind!r}, seed {self.seed}, case {self.number}: {'; '.join(self.rules)}\n  again: {again}\n"
            f"  input: {self.kept}\n  command: {' '.join(self.command)}\n{shown}"
        )


class Worker:
    """A process of `tests.fuzz.worker`, started anew where it was lost."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._temporary = folder / "tmp"
        self._temporary.mkdir()
        self._process: subprocess.Popen[bytes] | None = None

    def run(self, arguments: list[str], *, cwd: Path, out: Path) -> Ending:
        """Run a command that may write to `out`."""
        process = self._process or self._start()
        assert process.stdin is not None
        said = [self._folder / "stdout", self._folder / "stderr"]
        job = {"arguments": arguments, "cwd": str(cwd), "stdout": str(said[0]), "stderr": str(said[1])}
        job["allowed"] = [os.path.realpath(out), os.path.realpath(self._temporary)]
        process.stdin.write(json.dumps(job).encode() + b"\n")
        process.stdin.flush()
        answer = self._answer(process)
        texts = [path.read_bytes().decode("utf-8", "surrogateescape") if path.exists() else "" for path in said]
        if "code" not in answer:
            self.close()
            return Ending(None, *texts, seconds=answer["seconds"])
        return Ending(answer["code"], *texts, answer["seconds"], answer["peak_mb"], tuple(answer["seen"]))

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def _start(self) -> subprocess.Popen[bytes]:
        environment = {
            **os.environ, "COCOPREP_DEBUG": "1", "TMPDIR": str(self._temporary), "PYTHONDONTWRITEBYTECODE": "1",
            "COLUMNS": "100", "PYTHONPATH": str(ROOT), "MPLCONFIGDIR": str(self._temporary), "CUDA_VISIBLE_DEVICES": "",
        }  # fmt: skip
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.fuzz.worker"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, cwd=ROOT,
        )  # fmt: skip
        return self._process

    @staticmethod
    def _answer(process: subprocess.Popen[bytes]) -> dict[str, Any]:
        assert process.stdout is not None
        started = time.monotonic()
        ready, _, _ = select.select([process.stdout], [], [], LOST_SECONDS)
        line = process.stdout.readline() if ready else b""
        found: dict[str, Any] = json.loads(line) if line else {"seconds": time.monotonic() - started}
        return found


@dataclass
class Fuzzer:
    """Runs cases of sound material in a folder."""

    material: Path
    folder: Path
    seed: str = "1"
    slow: bool = False
    last: Ending | None = None
    _sound: dict[Command, Ending] = field(default_factory=dict)
    _loaded: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.worker = Worker(self.folder)

    def run_case(self, name: str, number: int) -> Failure | None:
        """Make a case, run its command and judge it."""
        kind, rng = ALL_KINDS[name], Random(f"{self.seed}/{name}/{number}")
        slow = self.slow and kind.slow and rng.random() < SLOW_SHARE
        command = rng.choice(kind.slow if slow else kind.commands)

        def damage(root: Path) -> None:
            target = root / kind.file
            target.write_bytes(kind.damage(target.read_bytes() if target.exists() else b"", rng))
            kind.mend(root, rng)

        return self.judge(name, command, damage, number=number)

    def judge(self, name: str, command: Command, damage: Callable[[Path], None], *, number: int = -1) -> Failure | None:
        """Run a command on inputs that `damage` changes, given their folder; say what is wrong with what it does."""
        sound = self._sound_ending(name, command)
        with self._case(name) as root:
            damage(root / "in")
            inputs = _digests(root / "in")
            ending = self.last = self._command(command, root)
            rules = _broken(ending, sound)
            if _digests(root / "in") != inputs:
                rules.append("an input was changed")
            if sorted(path.name for path in root.iterdir()) != ["cwd", "in", "out"] or any((root / "cwd").iterdir()):
                rules.append("something was written beside --out")
            if not rules:
                return None
            kept = self._keep(root, f"{name}-{number}")
            return Failure(name, number, self.seed, command, rules, ending, kept, self.slow)

    def _sound_ending(self, name: str, command: Command) -> Ending:
        """Run a command on the sound files; twice at first, since the second time nothing is loaded any more."""
        if command not in self._sound:
            again = command[0] not in self._loaded
            self._loaded.add(command[0])
            for _ in range(1 + again):
                with self._case(name) as root:
                    ending = self._command(command, root)
                    assert ending.code == 0, f"{command} fails on sound files:\n{ending.out}{ending.err}"
            assert not (rules := _broken(ending, ending)), f"{command}, on sound files: {rules}"
            self._sound[command] = ending
        return self._sound[command]

    def _command(self, command: Command, root: Path) -> Ending:
        filled = [part.replace("{in}", str(root / "in")).replace("{out}", str(root / "out")) for part in command]
        return self.worker.run(filled, cwd=root / "cwd", out=root / "out")

    @contextlib.contextmanager
    def _case(self, name: str) -> Iterator[Path]:
        root, kind = self.folder / "case", ALL_KINDS[name]
        for part in ("in", "out", "cwd"):
            (root / part).mkdir(parents=True)
        try:
            for entry in {*kind.needs, kind.file.split("/")[0]}:
                source, target = self.material / entry, root / "in" / entry
                if source.is_dir():
                    shutil.copytree(source, target)
                elif source.exists():
                    shutil.copy(source, target)
            yield root
        finally:
            shutil.rmtree(root)

    def _keep(self, root: Path, name: str) -> Path:
        kept = self.folder / "failures" / name.replace(" ", "-")
        shutil.rmtree(kept, ignore_errors=True)
        shutil.copytree(root / "in", kept, symlinks=True)
        return kept


def _ends(text: str, most: int) -> str:
    """Return a text, or its beginning and its end, in ASCII."""
    plain = text.encode("ascii", "backslashreplace").decode()
    return plain if len(plain) <= most else f"{plain[:200]} ... {plain[200 - most :]}"


def _digests(root: Path) -> dict[str, str]:
    files = (path for path in sorted(root.rglob("*")) if path.is_file())
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def _broken(ending: Ending, sound: Ending) -> list[str]:
    """Return the rules that a command has broken."""
    if ending.code is None:
        return [f"the process was lost after {ending.seconds:.0f} s"]
    broken = [f"exit code {ending.code}"] if ending.code not in (0, 1) else []
    if ending.code == 1 and len(re.findall(r"^error: ", ending.err, re.M)) != 1:
        broken.append("not one error message")
    said = ending.out + "\n" + ending.err
    message = ending.err[ending.err.find("error: ") :] if ending.code == 1 else ""
    longest = max(len(line.encode(errors="replace")) for line in [message.strip(), *said.split("\n")])
    if longest > LONGEST_LINE and "Traceback" not in said:
        broken.append(f"a message of {longest} bytes")
    if len(said) > LONGEST_OUTPUT:
        broken.append(f"an output of {len(said)} characters")
    if found := CONTROL.search(said):
        broken.append(f"{found[0]!r} in the output")
    broken += [f"{word!r} in the output" for word in ("Traceback", "unexpected error") if word in said]
    if _WARNING.search(said):
        broken.append("a warning of Python's")
    if ending.seconds > SECONDS:
        broken.append(f"{ending.seconds:.0f} s")
    if ending.peak_mb > max(0, sound.peak_mb) + MORE_MB:
        broken.append(f"{ending.peak_mb:.0f} MB, sound {sound.peak_mb:.0f} MB")
    return [*broken, *(f"{seen}, which nobody allows" for seen in ending.seen)]
