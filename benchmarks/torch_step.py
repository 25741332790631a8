"""The other side of the training benchmark: `python -m benchmarks.torch_step REFERENCE`.

A process for itself, which needs PyTorch and NumPy and nothing of ours but the files beside it. It holds its heatmaps
against the reference before it serves steps.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from torch.nn.functional import mse_loss

from benchmarks.steps import serve_steps
from benchmarks.torch_hourglass import Hourglass, count_parameters, load_keras

LEARNING_RATE = 1e-3
TOLERANCE = 1e-4


def main() -> None:
    """Check, then serve steps."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("reference", type=Path)
    parser.add_argument("--channels-last", action="store_true")
    parser.add_argument("--compile", action="store_true", help="by torch.compile")
    parser.add_argument("--bfloat16", action="store_true", help="by autocast")
    chosen = parser.parse_args()
    arrays = {name: torch.from_numpy(array) for name, array in np.load(chosen.reference).items()}
    network = Hourglass()
    load_keras(network, {n.removeprefix("weights:"): a for n, a in arrays.items() if n.startswith("weights:")})
    layout = torch.channels_last if chosen.channels_last else torch.contiguous_format
    network = network.to(memory_format=layout)
    images, truth = (arrays[n].permute(0, 3, 1, 2).contiguous(memory_format=layout) for n in ("images", "truth"))

    with torch.no_grad():
        predicted = torch.stack(network.eval()(images[:1])).permute(0, 1, 3, 4, 2)
    worst = float((predicted - arrays["predicted"]).abs().max() / arrays["predicted"].abs().max())
    if worst > TOLERANCE:
        raise ValueError(f"heatmaps differ by {worst:.2e} of their peak, more than {TOLERANCE}.")

    network.train()
    optimizer = torch.optim.Adam(network.parameters(), LEARNING_RATE, eps=1e-7)

    def loss_of(images: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
        with torch.autocast("cpu", torch.bfloat16, enabled=chosen.bfloat16):
            return torch.stack([mse_loss(maps.float(), truth) for maps in network(images)]).sum()

    forward = torch.compile(loss_of) if chosen.compile else loss_of

    def step() -> float:
        optimizer.zero_grad()
        loss = forward(images, truth)
        loss.backward()
        optimizer.step()
        return float(loss.detach())

    serve_steps(step, parameters=count_parameters(network), worst=worst, version=torch.__version__)


if __name__ == "__main__":
    main()
