"""Which network of a run it was that predicted: its file, epoch and step."""

from __future__ import annotations

from cocoprep.cli.digests import with_digest
from cocoprep.model.run.best_step import best_step
from cocoprep.model.run.folder import BEST
from cocoprep.model.run.log import LOG, read_log
from cocoprep.storage.store import FileStore


def network_of(run_dir: str, files: FileStore) -> str:
    """Return in words which network of a run predicts."""
    best = best_step(read_log(run_dir, files))
    when = f"of a step that {LOG} does not tell, since it has no AP of a validation"
    if best is not None:
        when = f"of epoch {best.epoch}, step {best.step}, whose validation had OKS AP {best.ap:.3f}"
    return f"{with_digest(files.join(run_dir, BEST), files)}, {when}"
