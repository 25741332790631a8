"""Where an evaluation's figures are from: the network, the data, and the versions that measured them."""

from __future__ import annotations

import os
from importlib.metadata import version

from cocoprep.cli.evaluate_options import EvaluateOptions
from cocoprep.model.run.best_step import best_step
from cocoprep.model.run.folder import BEST
from cocoprep.model.run.log import LOG, read_log
from cocoprep.shards.manifest import Manifest, annotation_paths
from cocoprep.storage.digests import digest_file
from cocoprep.storage.store import FileStore

PACKAGES = ("cocoprep", "numpy", "pillow")


def provenance_of(options: EvaluateOptions, manifest: Manifest | None, files: FileStore) -> dict[str, str]:
    """Return where figures are from, by what it is; `manifest` is that of the built folder, if it is one."""
    packages = PACKAGES if options.run_dir is None else (*PACKAGES, "keras", "tensorflow")
    predicted = {} if options.run_dir is None else _of_run(options, options.run_dir, files)
    if options.results is not None:
        predicted["results"] = _with_digest(options.results, files)
    return {
        **predicted,
        **({} if manifest is None else _of_folder(options.data or "", manifest)),
        **({} if options.annotations is None else {"annotations": _with_digest(options.annotations, files)}),
        "measured by": ", ".join(f"{name} {version(name)}" for name in packages),
    }


def _of_run(options: EvaluateOptions, run_dir: str, files: FileStore) -> dict[str, str]:
    network = files.join(run_dir, BEST)
    best = best_step(read_log(run_dir, files))
    when = f"of a step that {LOG} does not tell, since it has no AP of a validation"
    if best is not None:
        when = f"of epoch {best.epoch}, step {best.step}, whose validation had OKS AP {best.ap:.3f}"
    return {
        "network": f"{_with_digest(network, files)}, {when}",
        "predicted with": f"decoder {options.decoder}, {'a' if options.flip_test else 'no'} flip test",
    }


def _of_folder(folder: str, manifest: Manifest) -> dict[str, str]:
    crop = manifest.crop
    built = ", ".join(f"{name} {number}" for name, number in manifest.versions.items())
    return {
        "data": f"{folder}, fingerprint {manifest.fingerprint}, built by {built}",
        "data built from": annotation_paths(manifest),
        "crops": f"{crop.input_size[1]} x {crop.input_size[0]} px at {crop.bbox_scale:g} of the box, "
        f"heatmaps {crop.heatmap_size[1]} x {crop.heatmap_size[0]}, sigma {crop.sigma_px:g}",
    }


def _with_digest(path: str, files: FileStore) -> str:
    """Return a path with the start of its file's SHA-256; of a pipe, which is read once, the path alone."""
    if "://" not in path and not os.path.isfile(path):
        return path
    return f"{path} (SHA-256 {digest_file(path, files).sha256[:16]})"
