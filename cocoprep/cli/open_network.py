"""The network of a run, opened for whichever command asks it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cocoprep.cli.quiet import quiet_libraries
from cocoprep.cli.say import say
from cocoprep.storage.store import FileStore

if TYPE_CHECKING:
    from cocoprep.model.predict.predictor import Predictor
    from cocoprep.model.run.config import Backend


def open_network(run_dir: str, files: FileStore, *, flip_test: bool = False, backend: Backend = "auto") -> Predictor:
    """Open the best network of a run.

    Warns of a flip test that the network has not learned for. Raises as `open_predictor` does.

    Args:
        run_dir: of the run.
        files: where it lies.
        flip_test: whether to predict mirrored people too.
        backend: what it has to compute by; `auto` is what the run was told to, if that is installed, else what is.
    """
    from cocoprep.model.backends.choice import find_devices, leave_out_tensorflow, use_backend, use_backend_of

    used = use_backend_of(run_dir, files) if backend == "auto" else use_backend(backend)
    if used == "jax":
        leave_out_tensorflow()
    with quiet_libraries():
        from cocoprep.model.predict.predictor import flip_warning, open_predictor

        find_devices()
    predictor = open_predictor(run_dir, flip_test=flip_test, files=files)
    if flip_test and (warning := flip_warning(run_dir, files)):
        say(f"warning: {warning}", err=True)
    return predictor
