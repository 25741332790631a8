"""Which backend computes, chosen before Keras is loaded: it takes one for the whole of a process.

Loads neither TensorFlow nor JAX nor Keras nor OpenCV.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from cocoprep.errors import CocoprepError, ConfigError
from cocoprep.model.backends.hosts import Hosts
from cocoprep.model.run.config import Backend, TrainConfig
from cocoprep.model.run.folder import BACKENDS, RunFolder
from cocoprep.storage.store import FileStore

if TYPE_CHECKING:
    from cocoprep.model.backends.engine import Engine


def use_backend(wanted: Backend = "auto") -> str:
    """Have Keras compute by a backend; return its name.

    `auto` is the one that Keras has in this process already, else TensorFlow where it is installed, else JAX.

    Raises:
        ConfigError: it is not installed, or Keras has taken another.
    """
    taken = _taken()
    name = _preferred(taken) if wanted == "auto" else wanted
    if taken not in (None, name):
        raise ConfigError(f"--backend {name}: Keras runs on {taken} in this process. Begin another for {name}.")
    if wanted != "auto" and not _is_installed(name):
        extra = "train" if name == "tensorflow" else name
        raise ConfigError(f"{name} is needed, and not installed: pip install 'cocoprep[{extra}]' brings it.")
    os.environ["KERAS_BACKEND"] = name
    return name


def use_backend_of(run_dir: str, files: FileStore) -> str:
    """Have Keras compute by what a run was told to be trained on, where that is installed, else by what is.

    Returns its name. What is wrong with the run, whoever opens it says.
    """
    wanted: Backend = "auto"
    with suppress(CocoprepError):
        wanted = RunFolder(run_dir, files).read_config().backend
    is_there = wanted != "auto" and _is_installed(wanted) and _taken() in (None, wanted)
    return use_backend(wanted if is_there else "auto")


def leave_out_tensorflow() -> None:
    """Have a process that computes by JAX do without TensorFlow: Keras loads it, for seconds, where it is installed."""
    sys.modules.setdefault("tensorflow", None)  # type: ignore[arg-type]


def _taken() -> str | None:
    """Return the backend that Keras has, None where it is not loaded yet."""
    keras = sys.modules.get("keras")
    return None if keras is None else str(keras.backend.backend())


def _preferred(taken: str | None) -> str:
    if taken is not None:
        if taken not in BACKENDS:
            raise ConfigError(
                f"Keras runs on {taken} in this process; expected {' or '.join(BACKENDS)}. Set KERAS_BACKEND to one of "
                "them before Keras is loaded."
            )
        return taken
    return default_backend()


def default_backend() -> str:
    """Return the first backend that is installed; where none is, the first, which is missed by name when it loads."""
    return next((name for name in BACKENDS if _is_installed(name)), BACKENDS[0])


def _is_installed(name: str) -> bool:
    return importlib.util.find_spec(name) is not None


def open_engine(config: TrainConfig) -> Engine:
    """Return what computes a run, on the devices that its config names.

    Raises:
        ConfigError: the backend cannot be had, or the batch cannot be dealt out evenly.
    """
    if use_backend(config.backend) == "jax":
        from cocoprep.model.backends.jax.engine import JaxEngine

        return JaxEngine.of(config)
    from cocoprep.model.backends.tensorflow.engine import TensorFlowEngine

    return TensorFlowEngine.of(config)


def join_hosts(backend: Backend, on_wait: Callable[[], None]) -> Hosts:
    """Join the processes of a run on several hosts, which JAX alone can; return them. `on_wait` is called before.

    Raises:
        ConfigError: another backend is asked for, JAX is not installed, or the hosts cannot meet.
    """
    if backend != "jax":
        raise ConfigError(f"--devices hosts: expected --backend jax, found {backend}. On one host, --devices one.")
    use_backend("jax")
    from cocoprep.model.backends.jax.hosts import join_hosts as join

    return join(on_wait)


def find_devices() -> None:
    """Let the backend look for devices now: it says a good deal while it does."""
    if use_backend() == "jax":
        from cocoprep.model.backends.jax.placing import list_devices
    else:
        from cocoprep.model.backends.tensorflow.devices import list_devices
    list_devices()


def compile_function(function: Callable[[Any], Any], variables: Any) -> Callable[[Any], Any]:
    """Return a function of one array, written in `keras.ops`, compiled by the backend, from NumPy to NumPy.

    Args:
        function: of an array; a number of rows that is new is compiled anew.
        variables: of Keras, those that it reads.
    """
    if use_backend() == "jax":
        from cocoprep.model.backends.jax.compiled import jax_compiled

        return jax_compiled(function, variables)
    from cocoprep.model.backends.tensorflow.compiled import tensorflow_compiled

    return tensorflow_compiled(function)
