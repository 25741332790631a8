"""What tests ask of sources of photographs."""

from __future__ import annotations

import pytest

from cocoprep.errors import ImageError


def refused(source, name):
    """Return why a source does not give a file; digesting it must come to the same."""
    with pytest.raises(ImageError) as caught:
        source.read(name)
    assert source.digest(name) is None
    assert repr(name) in str(caught.value)
    return str(caught.value)
