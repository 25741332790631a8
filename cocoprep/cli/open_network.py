"""The network of a run, opened for whichever command asks it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cocoprep.cli.quiet import quiet_libraries
from cocoprep.cli.say import say
from cocoprep.storage.store import FileStore

if TYPE_CHECKING:
    from cocoprep.model.predict.predictor import Predictor


def open_network(run_dir: str, files: FileStore, *, flip_test: bool = False) -> Predictor:
    """Open the best network of a run on the backend that it was trained on, or on the one that is installed.

    Warns of a flip test that the network has not learned for. Raises as `open_predictor` does.
    """
    from cocoprep.model.backends.choice import find_devices, use_backend_of

    use_backend_of(run_dir, files)
    with quiet_libraries():
        from cocoprep.model.predict.predictor import flip_warning, open_predictor

        find_devices()
    predictor = open_predictor(run_dir, flip_test=flip_test, files=files)
    if flip_test and (warning := flip_warning(run_dir, files)):
        say(f"warning: {warning}", err=True)
    return predictor
