"""What `benchmarks.tpu_check` makes of what the compiler says. The compiler is libtpu's, which is not here."""

from __future__ import annotations

import pytest

from benchmarks import tpu_check
from benchmarks.tpu_check import CHIPS, GIB, Check

V5E = CHIPS["v5e"]


@pytest.fixture
def asked(monkeypatch):
    """Have programs take 1 GiB and a part that grows with the batch; above 0.9 of the chip they do not fit."""
    batches = []

    def compiled(folder, target, step, batch, options):
        batches.append(batch)
        held = GIB * (1 + batch / 100)
        if held > 0.9 * V5E.gib * GIB:
            return {"fits": False, "gib": held / GIB, "limit_gib": V5E.gib}
        return {
            "fits": True, "chips": 4, "kind": "TPU v5 lite", "seconds": 1.0, "bytes": held, "flops": 197e10,
            "bytes_accessed": 819e8, "to_host": ["infeed("] if step == "odd" else [],
        }  # fmt: skip

    monkeypatch.setattr(tpu_check, "compiled", compiled)
    return batches


def test_the_largest_batch_is_by_the_line_and_less_where_that_does_not_fit(asked, capsys):
    batch, found = Check("folder", "v5e:2x2", []).largest((64, 128))
    room = 100 * (0.98 * V5E.gib - 1)  # which the line says there is, and is not
    assert asked == [64, 128, int(room) - int(room) % 32, batch]
    assert found["fits"]
    assert batch == int(asked[2] * 0.93) - int(asked[2] * 0.93) % 32
    said = capsys.readouterr().out
    assert "v5e:2x2 training, 64 on 4 chips (TPU v5 lite), compiled in 1 s: 1.64 of 15.75 GiB a chip" in said
    assert "at least 100.0 ms by the bandwidth (10.0 by the peak, 100.0 by the bandwidth), 640 people/s at most" in said
    assert f"training, {asked[2]}: takes 15.4" in said


def test_what_leaves_a_chip_ends_it(asked, capsys):
    with pytest.raises(SystemExit, match="moves data between a chip and its host"):
        Check("folder", "v5e:2x2", []).compile("odd", 64)
    assert "LEAVES THE CHIP: infeed(" in capsys.readouterr().out
