"""What is installed: one import name, whole, and not in the way of a user's own files.

The environments here have the packages of the one that runs the tests, so that an index is asked for setuptools alone.
What that cannot show, that all requirements are named, tests/pipelines/remote/test_dataflow.py does.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from cocoprep.pipelines.remote.worker_package import write_wheel
from tests.support.environments import install, new_environment, run_in

ROOT = Path(__file__).parents[1]
# What a build takes from the repository, as pipelines/Dockerfile copies it.
SOURCES = (
    "setup.cfg",
    "pyproject.toml",
    "MANIFEST.in",
    "README.md",
    "LICENSE",
    "src",
    "cocoprep",
    "pipelines",
    "model",
)
DOCS = (
    "README.md",
    "docs/record.md",
    "docs/training.md",
    "docs/evaluation.md",
    "docs/datasets.md",
    "docs/data.md",
    "docs/cloud.md",
)
# A user's own files that are called as our folders are, of two kinds: packages, and modules.
THEIRS = {
    "packages": ("model/__init__.py", "model.py", "pipelines/__init__.py"),
    "modules": ("model.py", "pipelines.py", "tests/__init__.py"),
}
TINY = ("--stacks", "1", "--channels", "8", "--depth", "1", "--batch-size", "8", "--epochs", "1", "--xla", "off")


@dataclass(frozen=True)
class Built:
    """What comes of a build: of the tree, and of the sdist."""

    tree: Path
    setuptools: Path
    sdist: Path
    wheels: dict[str, Path]


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Built:
    folder = tmp_path_factory.mktemp("built")
    setuptools, tree, out = folder / "setuptools", folder / "tree", folder / "out"
    required = tomllib.loads((ROOT / "pyproject.toml").read_text())["build-system"]["requires"]
    found = subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--target", setuptools, *required],
        capture_output=True, text=True, timeout=200, check=False,
    )  # fmt: skip
    if found.returncode != 0:
        pytest.skip(f"pip cannot get {required}: {found.stderr.strip().splitlines()[-1]}")
    copy_sources(tree)
    (tree / "build/lib/model").mkdir(parents=True)  # as an earlier version's build has left it
    (tree / "build/lib/model/__init__.py").touch()
    build("sdist", tree, out, setuptools)
    build("wheel", tree, out / "of-tree", setuptools)
    (sdist,) = out.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    build("wheel", folder / sdist.name.removesuffix(".tar.gz"), out / "of-sdist", setuptools)
    return Built(tree, setuptools, sdist, {of: next(out.glob(f"of-{of}/*.whl")) for of in ("tree", "sdist")})


def copy_sources(to: Path) -> None:
    to.mkdir()
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(
                ROOT / name, to / name, symlinks=True, ignore=shutil.ignore_patterns("*.egg-info", "__pycache__")
            )
        else:
            shutil.copy(ROOT / name, to / name)


def build(what: str, tree: Path, out: Path, setuptools: Path) -> None:
    """Build as pip and `python -m build` do: by the backend that pyproject.toml names."""
    out.mkdir(exist_ok=True)
    code = f"from setuptools import build_meta; build_meta.build_{what}({str(out)!r})"
    run_in(tree, sys.executable, "-c", code, pythonpath=setuptools)


def content_of(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        assert len(names) == len(set(names))
        return {name: archive.read(name) for name in names}


def our_files() -> set[str]:
    """Return the files of cocoprep as they are imported, the links followed."""
    found = {f"cocoprep/{path.relative_to(ROOT / 'cocoprep')}" for path in (ROOT / "cocoprep").rglob("*.*")}
    for linked in ("model", "pipelines"):
        found |= {f"cocoprep/{path.relative_to(ROOT)}" for path in (ROOT / linked).rglob("*.*")}
    return {
        name for name in found if "__pycache__" not in name and (ROOT / name).is_file() and "Dockerfile" not in name
    }


@pytest.mark.slow
def test_the_wheel_is_cocoprep_alone_and_whole(built):
    content = content_of(built.wheels["tree"])
    (info,) = {name.split("/")[0] for name in content if ".dist-info/" in name}
    assert content[f"{info}/top_level.txt"].decode().split() == ["cocoprep"]
    packed = {name for name in content if not name.startswith(f"{info}/")}
    assert packed == our_files()
    assert {"cocoprep/py.typed", "cocoprep/model/configs/sample.toml", "cocoprep/pipelines/transforms.py"} <= packed


@pytest.mark.slow
def test_the_sdist_makes_the_same_wheel(built):
    with tarfile.open(built.sdist) as archive:
        members = archive.getmembers()
    names = [member.name.partition("/")[2] for member in members if member.isfile()]
    assert all(member.isfile() or member.isdir() for member in members)  # no links: Windows unpacks them as nothing
    assert len(names) == len(set(names))
    assert {name.removeprefix("src/") for name in names if name.startswith("src/cocoprep/")} == our_files()
    assert {name.split("/")[0] for name in names} == {
        "src", "setup.cfg", "pyproject.toml", "MANIFEST.in", "README.md", "LICENSE", "PKG-INFO",
    }  # fmt: skip
    assert content_of(built.wheels["sdist"]) == content_of(built.wheels["tree"])


@pytest.fixture(scope="module")
def installed(built, tmp_path_factory) -> Path:
    """Return a Python with cocoprep from the wheel that the sdist makes, which is that of the tree to the byte."""
    python = new_environment(tmp_path_factory.mktemp("environment"))
    install(python, built.wheels["sdist"])
    return python


def put_theirs(folder: Path, kind: str) -> None:
    for name in THEIRS[kind]:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(f"raise SystemExit('the user\\'s own {name} was imported')\n")


@pytest.mark.slow
@pytest.mark.parametrize("kind", THEIRS)
def test_a_users_own_files_are_left_alone(installed, tmp_path, kind):
    put_theirs(tmp_path, kind)
    own = run_in(tmp_path, installed, "-c", "try: import model\nexcept SystemExit as error: print(error)")
    assert own.startswith("the user's own model")  # they do come first
    code = "import cocoprep, cocoprep.model.input.batches, cocoprep.pipelines.counters\nprint(cocoprep.__file__)"
    assert Path(run_in(tmp_path, installed, "-c", code).strip()).is_relative_to(installed.parents[1])
    assert "Usage" in run_in(tmp_path, installed, "-m", "cocoprep", "train", "--help")


@pytest.fixture(scope="module")
def trained(installed, tmp_path_factory) -> Path:
    """Return a folder with files of the user's own in the way, where what is installed has built, trained and so on."""
    folder = tmp_path_factory.mktemp("users")
    put_theirs(folder, "packages")
    data, val, run = "data/shards/train2017", "data/shards/val2017", "runs/coco"
    for command in (
        ("sample", "data/coco", "--images", "16"),
        ("build", "--split", "train2017", "--input-size", "64"),
        ("build", "--split", "val2017", "--input-size", "64"),
        ("train", "--data", data, "--val", val, "--run-dir", run, *TINY),
        ("export", "--run", run, "--format", "savedmodel"),
    ):
        run_in(folder, installed, "-m", "cocoprep", *command)  # with this folder before all others on the path
    run_in(folder, installed.parent / "cocoprep", "evaluate", "--data", val, "--run", run)
    return folder


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_what_is_installed_builds_trains_and_evaluates(trained):
    assert (trained / "data/shards/val2017/manifest.json").exists()
    assert '"phase": "val"' in (trained / "runs/coco/log.jsonl").read_text()
    assert (trained / "runs/coco/export/savedmodel/metadata.json").exists()
    assert (trained / "runs/coco/evaluation/val2017/report.html").exists()


def examples() -> dict[str, str]:
    """Return the Python of the documentation by where it stands."""
    return {
        f"{name}:{text.count(chr(10), 0, found.start()) + 1}": found[1]
        for name in DOCS
        for text in [(ROOT / name).read_text()]
        for found in re.finditer(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    }


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_documented_examples_run(installed, trained):
    """One after another in one process, as TensorFlow takes long to load; what fails is named by its file and line."""
    photograph = next((trained / "data/coco/train2017").glob("*.jpg"))
    shutil.copy(photograph, trained / "photo.jpg")
    (trained / "data/demo").symlink_to(trained / "data")  # the README's reads data/demo/shards
    lines = ["import cocoprep", "someone = cocoprep.open_dataset('data/shards/train2017')[0]['annotation_id']"]
    for where, example in examples().items():
        code = example.replace("gs://my-coco/", "data/") + ("    break\n" if "endless" in example else "")
        lines.append(f"exec(compile({code!r}.replace('1330079', str(someone)), {where!r}, 'exec'), {{}})")
    assert len(lines) > 6
    (trained / "examples.py").write_text("\n".join(lines))
    run_in(trained, installed, "examples.py")


@pytest.mark.slow
def test_the_package_for_workers_is_what_is_installed_but_for_the_trainer(built, tmp_path):
    packed, installed = content_of(write_wheel(tmp_path)), content_of(built.wheels["tree"])
    modules = {name: data for name, data in installed.items() if name.startswith("cocoprep/")}
    assert {name: data for name, data in packed.items() if name.startswith("cocoprep/")} == {
        name: data for name, data in modules.items() if not name.startswith("cocoprep/model/")
    }


@pytest.mark.slow
def test_the_package_for_workers_needs_no_trainer(tmp_path):
    """Every module of it loads where nothing else of cocoprep is."""
    python = new_environment(tmp_path / "environment")
    wheel = write_wheel(tmp_path)
    install(python, wheel)
    names = [name.removesuffix(".py").replace("/", ".") for name in content_of(wheel) if name.endswith(".py")]
    modules = sorted({name.removesuffix(".__init__") for name in names} - {"cocoprep.__main__"})
    modules = [name for name in modules if not name.startswith("cocoprep.cli.")]  # a command may want the trainer
    assert "cocoprep.pipelines.transforms" in modules
    code = "\n".join(f"import {name}" for name in modules)
    code += "\nimport importlib.util\nprint(cocoprep.__file__, importlib.util.find_spec('cocoprep.model'))"
    file, trainer = run_in(tmp_path, python, "-c", code).split()
    assert Path(file).is_relative_to(tmp_path)
    assert trainer == "None"


USE = """\
import cocoprep
from cocoprep.builder.config import BuildConfig
from cocoprep.model.input.config import ReadConfig
from cocoprep.model.input.dataset import train_dataset
from cocoprep.model.input.batches import train_batches
from cocoprep.pipelines.build import BuildShards

dataset = cocoprep.open_dataset("data")
reveal_type(dataset)
reveal_type(train_batches("data", ReadConfig(batch_size=2)))
train_dataset(2, ReadConfig(batch_size=2))
BuildShards("config")
"""


@pytest.fixture(scope="module")
def editable(built, tmp_path_factory):
    """Return a Python with cocoprep from a tree, by `pip install --editable`."""
    python = new_environment(tmp_path_factory.mktemp("editable"))
    install(python, "--no-build-isolation", "--editable", built.tree, pythonpath=built.setuptools)
    return python


@pytest.mark.slow
def test_type_checkers_see_the_types_of_an_editable_install(editable, tmp_path):
    """What mypy follows, a plain path and py.typed, is what pyright and editors follow."""
    (tmp_path / "use.py").write_text(USE)
    found = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--python-executable", editable, "--cache-dir", tmp_path, "use.py"],
        cwd=tmp_path, capture_output=True, text=True, timeout=200, check=False,
    )  # fmt: skip
    said = found.stdout.splitlines()
    assert 'Revealed type is "cocoprep.shards.dataset.ShardDataset"' in said[0], found
    assert 'Revealed type is "typing.Iterator[dict[str, numpy.ndarray' in said[1]
    assert 'Argument 1 to "train_dataset" has incompatible type "int"' in said[2]
    assert 'Argument 1 to "BuildShards" has incompatible type "str"; expected "BuildConfig"' in said[3]
    assert len(said) == 5, found.stdout


@pytest.mark.slow
def test_an_editable_install_shows_cocoprep_alone(editable, tmp_path):
    """Nothing else of the tree can be imported, nor hides a folder of the user's that has no __init__.py."""
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "own.py").touch()
    code = "import cocoprep.model, model.own\nfrom importlib.util import find_spec as find\n"
    code += "print(cocoprep.__file__, find('pipelines'), find('benchmarks'))"
    file, *others = run_in(tmp_path, editable, "-c", code).split()
    assert file.endswith("/tree/src/cocoprep/__init__.py")
    assert others == ["None", "None"]
