"""Where an evaluation's figures are from: the network, the data, and the versions that measured them."""

from __future__ import annotations

from cocoprep.cli.digests import with_digest
from cocoprep.cli.evaluate_options import EvaluateOptions
from cocoprep.cli.run_provenance import network_of
from cocoprep.model.backends.choice import use_backend
from cocoprep.model.run.folder import version_of
from cocoprep.shards.manifest import Manifest, annotation_paths
from cocoprep.storage.store import FileStore

PACKAGES = ("cocoprep", "numpy", "pillow")


def provenance_of(options: EvaluateOptions, manifest: Manifest | None, files: FileStore) -> dict[str, str]:
    """Return where figures are from, by what it is; `manifest` is that of the built folder, if it is one."""
    packages = PACKAGES if options.run_dir is None else (*PACKAGES, "keras", use_backend())
    predicted = {} if options.run_dir is None else _of_run(options, options.run_dir, files)
    if options.results is not None:
        predicted["results"] = with_digest(options.results, files)
    return {
        **predicted,
        **({} if manifest is None else _of_folder(options.data or "", manifest)),
        **({} if options.annotations is None else {"annotations": with_digest(options.annotations, files)}),
        "measured by": ", ".join(f"{name} {version_of(name)}" for name in packages),
    }


def _of_run(options: EvaluateOptions, run_dir: str, files: FileStore) -> dict[str, str]:
    return {
        "network": network_of(run_dir, files),
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
