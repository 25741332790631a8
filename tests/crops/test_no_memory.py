"""Want of memory is not the photograph's fault: it must not cost the people in it."""

from __future__ import annotations

import subprocess
import sys

import pytest

DECODE = """
import io, resource
from PIL import Image
from cocoprep.coco.annotations import ImageInfo
from cocoprep.crops.pixels import decode_image

picture = io.BytesIO()
Image.new("RGB", (8000, 8000)).save(picture, "JPEG")
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + {room}, used + {room}))
try:
    print(decode_image(picture.getvalue(), ImageInfo(1, "a.jpg", 8000, 8000)).size)
except MemoryError:
    print("no memory")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux keeps a process to its address space")
@pytest.mark.parametrize(("room", "printed"), [(1 << 24, "no memory\n"), (1 << 30, "(8000, 8000)\n")])
def test_a_photograph_for_which_there_is_no_memory(room, printed):
    script = DECODE.format(room=room)
    ended = subprocess.run([sys.executable, "-c", script], check=False, capture_output=True, text=True)
    assert ended.stdout == printed, ended.stderr
