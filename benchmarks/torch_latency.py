"""The other side of the latency benchmark: `python -m benchmarks.torch_latency REFERENCE [--channels-last]`.

A process for itself, which needs PyTorch and NumPy, and of ours the decoding, which both sides share. It holds its
heatmaps against the reference before it serves predictions.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.steps import serve_steps
from benchmarks.torch_hourglass import Hourglass, count_parameters, load_keras
from cocoprep.pose.heatmaps import decode_heatmaps

TOLERANCE = 1e-4
MEAN, STDDEV = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])


class Predict(nn.Module):
    """From images (B, H, W, 3) uint8 to the heatmaps (S, B, h, w, K) of every stack."""

    def __init__(self, network: Hourglass, layout: torch.memory_format) -> None:
        super().__init__()
        self.network, self.layout = network, layout

    def forward(self, images: Tensor) -> Tensor:
        """Normalise and predict."""
        normal = (images.float() / 255 - MEAN) / STDDEV
        maps = self.network(normal.permute(0, 3, 1, 2).contiguous(memory_format=self.layout))
        return torch.stack(maps).permute(0, 1, 3, 4, 2)


def main() -> None:
    """Check, then serve predictions."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("reference", type=Path)
    parser.add_argument("--channels-last", action="store_true")
    parser.add_argument("--frozen", action="store_true", help="Trace and freeze, which folds batch normalisation.")
    chosen = parser.parse_args()
    arrays = {name: torch.from_numpy(array) for name, array in np.load(chosen.reference).items()}
    network = Hourglass()
    load_keras(network, {n.removeprefix("weights:"): a for n, a in arrays.items() if n.startswith("weights:")})
    layout = torch.channels_last if chosen.channels_last else torch.contiguous_format
    parameters = count_parameters(network)
    predict: nn.Module = Predict(network.to(memory_format=layout), layout).eval()
    images = arrays["images"]
    with torch.inference_mode():
        if chosen.frozen:
            predict = torch.jit.optimize_for_inference(torch.jit.trace(predict, images))
        worst = float((predict(images) - arrays["predicted"]).abs().max() / arrays["predicted"].abs().max())
    if worst > TOLERANCE:
        raise ValueError(f"heatmaps differ by {worst:.2e} of their peak, more than {TOLERANCE}.")

    def step() -> float:
        with torch.inference_mode():
            points, _ = decode_heatmaps(predict(images)[-1].numpy())
        return float(points.mean())

    serve_steps(step, parameters=parameters, worst=worst, version=torch.__version__)


if __name__ == "__main__":
    main()
