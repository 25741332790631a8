"""How strongly people are varied in training: every number of it, and the strengths by name.

Loads no TensorFlow, so that the command line can show the numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

from cocoprep.checks import require_number
from cocoprep.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class AugmentConfig:
    """What may be done to a person. Every amount is drawn evenly from its range, anew in each epoch.

    Attributes:
        window_min: the smallest window, as a multiple of the person's box; None for the window that was stored.
        window_max: the largest.
        shift: of the window's centre to either side, as a fraction of the window's width and height.
        rotation_degrees: to either side.
        rotation_probability: how many people are turned at all; the others stand as they stood.
        flip_probability: how many people are mirrored, left and right joints swapped.
        brightness: what is added to or taken from every pixel, as a fraction of white.
        contrast: a half stretches or shrinks the distance to middle grey by up to a half.
        saturation: likewise, the distance to the pixel's own grey.
        noise: largest standard deviation of the noise of a pixel, in levels of 255.
    """

    window_min: float | None = None
    window_max: float | None = None
    shift: float = 0.0
    rotation_degrees: float = 0.0
    rotation_probability: float = 1.0
    flip_probability: float = 0.0
    brightness: float = 0.0
    contrast: float = 0.0
    saturation: float = 0.0
    noise: float = 0.0

    def __post_init__(self) -> None:
        if (self.window_min is None) != (self.window_max is None):
            raise ConfigError("window_min, window_max: expected both or none of them, found one.")
        if self.window_min is not None and self.window_max is not None:
            require_number("window_min", self.window_min, 0.1, 10)
            require_number("window_max", self.window_max, self.window_min, 10)
        require_number("shift", self.shift, 0, 1)
        require_number("rotation_degrees", self.rotation_degrees, 0, 180)
        require_number("rotation_probability", self.rotation_probability, 0, 1)
        require_number("flip_probability", self.flip_probability, 0, 1)
        require_number("brightness", self.brightness, 0, 1)
        require_number("contrast", self.contrast, 0, 1)
        require_number("saturation", self.saturation, 0, 1)
        require_number("noise", self.noise, 0, 100)

    @property
    def recolours(self) -> bool:
        """Tell whether brightness, contrast or saturation may change."""
        return max(self.brightness, self.contrast, self.saturation) > 0

    @property
    def changes(self) -> bool:
        """Tell whether anything may change at all."""
        turns = self.rotation_degrees > 0 and self.rotation_probability > 0
        moves = self.window_min is not None or self.shift > 0 or self.flip_probability > 0
        return turns or moves or self.recolours or self.noise > 0


# The field's habits: windows of 1.25 boxes, +- 25 to 35 %, turned by up to 30 or 40 degrees, flipped every second time.
# Source: Newell et al. 2016, "Stacked Hourglass Networks"; Sun et al. 2019, "Deep High-Resolution Representation
# Learning"; the settings that mmpose publishes for them. Windows end at 1.5 boxes, where the stored pixels do.
STRENGTHS: dict[str, AugmentConfig] = {
    "none": AugmentConfig(),
    "light": AugmentConfig(
        window_min=1.15,
        window_max=1.4,
        shift=0.02,
        rotation_degrees=15,
        rotation_probability=0.5,
        flip_probability=0.5,
        brightness=0.1,
        contrast=0.1,
        saturation=0.1,
    ),
    "medium": AugmentConfig(
        window_min=1.1,
        window_max=1.5,
        shift=0.04,
        rotation_degrees=30,
        rotation_probability=0.6,
        flip_probability=0.5,
        brightness=0.15,
        contrast=0.25,
        saturation=0.25,
        noise=4,
    ),
    "heavy": AugmentConfig(
        window_min=1.0,
        window_max=1.6,
        shift=0.08,
        rotation_degrees=45,
        rotation_probability=0.8,
        flip_probability=0.5,
        brightness=0.25,
        contrast=0.4,
        saturation=0.5,
        noise=10,
    ),
}
