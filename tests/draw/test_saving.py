from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from cocoprep.draw.saving import FORMATS, save_picture
from cocoprep.errors import ConfigError
from cocoprep.storage.by_scheme import AnyFiles

PICTURE = Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 50, 3), np.uint8))


@pytest.mark.parametrize("ending", [*FORMATS, ".JPG", ".WebP"])
def test_a_file_is_of_the_form_that_its_ending_names(tmp_path, ending):
    path = tmp_path / f"a.b{ending}"
    save_picture(PICTURE, str(path))
    with Image.open(path) as found:
        assert found.format == FORMATS[ending.lower()]
        assert found.size == PICTURE.size
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_an_ending_that_names_no_form_leaves_nothing(tmp_path):
    with pytest.raises(ConfigError, match=r"--out: .*ends in one of \.png, \.jpg, .*found .*a\.tiff"):
        save_picture(PICTURE, str(tmp_path / "a.tiff"))
    assert list(tmp_path.iterdir()) == []


def test_a_picture_goes_into_a_bucket_too(bucket):
    save_picture(PICTURE, f"{bucket}/a.png", AnyFiles())
    with AnyFiles().open_read(f"{bucket}/a.png") as stream, Image.open(stream) as found:
        np.testing.assert_array_equal(np.asarray(found), np.asarray(PICTURE))
