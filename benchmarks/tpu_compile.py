"""One program of `benchmarks.tpu_check`: a step of `cocoprep train`, compiled for chips that need not be there.

A process for itself: libtpu takes one topology for the whole of it. For GPUs nothing compiles where none is: there the
step is lowered to what CUDA's compiler would take. It prints one line of JSON.
"""

from __future__ import annotations

import argparse
import json
import re
import time
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import export
from jax.experimental import topologies
from jax.sharding import Mesh

from cocoprep.model.backends.jax.engine import JaxEngine
from cocoprep.model.backends.jax.placing import AXIS, Placing
from cocoprep.model.backends.jax.steps import MEASURED, State, Training, compile_training, compile_validation
from cocoprep.model.input.batch import batch_spec
from cocoprep.model.input.batches import people_to_learn_from
from cocoprep.model.network.config import NetworkConfig
from cocoprep.model.run.config import OptimizerConfig, TrainConfig
from cocoprep.model.training.trainee import Trainee, build_trainee

NO_ROOM = re.compile(r"Ran out of memory in memory space hbm.*?Used ([\d.]+)G of ([\d.]+)G hbm", re.DOTALL)
CUDA = "cuda"  # a target that is no topology of TPU chips
# Of a compiled program: what would move data between a chip and its host in the middle of a step.
TO_HOST = re.compile(r"\b(?:infeed|outfeed)\(|is_host_transfer=true|MoveToHost|MoveToDevice|host_compute")


def shape(of: tuple[int, ...], dtype: Any, sharding: Any) -> Any:
    """Return what stands for an array that is not there: its shape and type, and where it would lie."""
    return jax.ShapeDtypeStruct(of, dtype, sharding=sharding)  # type: ignore[no-untyped-call]


def shapes(variables: Any, sharding: Any) -> list[Any]:
    """Return what stands for the values of Keras's variables."""
    return [shape(v.shape, v.value.dtype, sharding) for v in variables]


def step_of(trainee: Trainee, placing: Placing, *, training: bool) -> tuple[Any, tuple[Any, ...]]:
    """Return the step of training, or of validation, for the devices of a mesh, and what stands for its arguments."""
    config, manifest = trainee.config, people_to_learn_from(trainee.config.folders, trainee.config.read).manifest
    spec = batch_spec(manifest, config.batch_size)
    batch = {name: shape(*spec[name], placing.dealt) for name in MEASURED}
    if not training:
        network = trainee.network
        parts = (network.trainable_variables, network.non_trainable_variables)
        values = [shapes(part, placing.whole) for part in parts]
        return compile_validation(trainee, placing), (*values, batch)
    step = Training(trainee)
    state = State(*(shapes(part, placing.whole) for part in step.variables))
    return compile_training(step, placing), (state, batch, shape((), jnp.int32, placing.whole))


def measure(chosen: argparse.Namespace) -> dict[str, Any]:
    """Compile a program and return what is to be known of it, a chip; without room for it, how much it would take.

    For `cuda`, how many bytes of StableHLO it is lowered to.
    """
    is_cuda = chosen.target == CUDA
    chips: Any = jax.devices() if is_cuda else topologies.get_topology_desc(chosen.target, "tpu").devices
    placing = Placing(Mesh(np.array(chips), (AXIS,)))
    config = TrainConfig(
        data=chosen.folder, batch_size=chosen.batch, backend="jax", precision=chosen.precision,
        network=NetworkConfig(stacks=chosen.stacks, channels=chosen.channels), optimizer=OptimizerConfig(ema=0.999),
    )  # fmt: skip
    trainee = build_trainee(config, people_to_learn_from(config.folders, config.read), JaxEngine(placing))
    started = time.monotonic()
    step, arguments = step_of(trainee, placing, training=chosen.step == "training")
    if is_cuda:
        lowered = export.export(step, platforms=[CUDA])(*arguments)
        return {"bytes": len(lowered.mlir_module_serialized), "seconds": time.monotonic() - started}
    try:
        compiled = step.lower(*arguments).compile()
    except jax.errors.JaxRuntimeError as error:
        found = NO_ROOM.search(str(error))
        if found is None:
            raise
        return {"fits": False, "gib": float(found[1]), "limit_gib": float(found[2])}
    memory, cost = compiled.memory_analysis(), compiled.cost_analysis()
    held = memory.argument_size_in_bytes + memory.output_size_in_bytes - memory.alias_size_in_bytes
    return {
        "fits": True,
        "chips": len(chips),
        "kind": chips[0].device_kind,
        "seconds": time.monotonic() - started,
        "bytes": held + memory.temp_size_in_bytes + memory.generated_code_size_in_bytes,
        "flops": cost["flops"],
        "bytes_accessed": cost["bytes accessed"],
        "to_host": sorted(set(TO_HOST.findall(compiled.as_text()))),
    }


def main() -> None:
    """Compile one program."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder")
    parser.add_argument("--target", required=True)
    parser.add_argument("--step", choices=("training", "validation"), required=True)
    parser.add_argument("--precision", required=True)
    for option in ("batch", "stacks", "channels"):
        parser.add_argument(f"--{option}", type=int, required=True)
    print(json.dumps(measure(parser.parse_args())))


if __name__ == "__main__":
    main()
