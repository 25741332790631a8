"""What is known of a machine's processor."""

from __future__ import annotations

import platform
from pathlib import Path


def has_bfloat16(processor: Path = Path("/proc/cpuinfo")) -> bool:
    """Tell whether this processor may take less time in bfloat16 than in float32.

    Of the x86 kind those with AMX do; others, even with AVX-512's instructions for it, take as long or longer. Nothing
    is known of Arm's.
    """
    is_known = platform.machine() == "x86_64" and processor.exists()
    return not is_known or "amx_bf16" in processor.read_text().split()
