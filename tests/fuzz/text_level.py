"""Text by lines with odd lines, odd words and odd bytes: labels of numbers, and YAML."""

from __future__ import annotations

from random import Random

from tests.fuzz.bytes_level import damage_bytes

WORDS = (
    *(b"", b"nan", b"-inf", b"1e999", b"1e308", b"-1e308", b"1_0", b"0x1", b"9" * 5000, b"\xff\xfe",
      b"\x1b[31m", b"\0"),
    *(b"-1", b"2", b"3", b"1.5", b"x" * 100_000, "\u0661".encode(), "\u202e".encode(), b"0." + b"0" * 3000 + b"1"),
)  # fmt: skip
YAML_LINES = (
    *(b"a: &a [x]\nb: *a", b"x: !!python/object/apply:os.system [ls]", b"[" * 5000, b"{" * 5000, b"- " * 3000 + b"x"),
    *(b"train: /etc", b"train: ../..", b"train: [images/train, ../../etc, '']", b"val: images/train", b"val: labels"),
    *(b"path: /", b"path: ..", b"path: '\\0'", b"---", b"? ? ? ? x", b"\t- x", b"%YAML 9.9", b"kpt_shape: [17, 2]"),
    *(b"kpt_shape: [1000000000, 3]", b"kpt_shape: [17, 3.5]", b"flip_idx: [99999]", b"names: {0: {1: 2}}", b"names: x"),
    *(b"names: {5: person}", b"kpt_names: {0: [" + b"'x', " * 16 + b"'x']}", b"x: " + b"y" * 300_000,
      b"train: val.txt"),
    *(b"kpt_names: {0: ['\\e[31m'" + b", b" * 16 + b"]}", b"names: ['\\e]0;x\\a']", b"train: ' '",
      b"train: images/train/."),
)  # fmt: skip


def damage_lines(data: bytes, rng: Random) -> bytes:
    """Return lines of numbers with a few odd words, a line twice or cut, or damaged bytes."""
    if rng.random() < 0.2:
        return damage_bytes(data, rng)
    lines = [line.split(b" ") for line in data.split(b"\n") if line]
    for _ in range(rng.choice((1, 1, 2, 5))):
        line = rng.choice(lines)
        change = rng.randrange(4)
        if change < 2 and line:
            line[rng.randrange(len(line))] = rng.choice(WORDS)
        elif change == 2:
            del line[rng.randrange(len(line) + 1) :]
        else:
            line[:] = line * rng.choice((2, 50))
    return rng.choice((b"\n", b"\r\n", b"\n\n")).join(b" ".join(line) for line in lines)


def damage_list(data: bytes, rng: Random) -> bytes:
    """Return lines of fields parted by tabs with odd words in them, or as `damage_lines`."""
    if rng.random() < 0.3:
        return damage_lines(data, rng)
    lines = [line.split(b"\t") for line in data.split(b"\n")]
    for _ in range(rng.choice((1, 2, 5))):
        line = rng.choice(lines)
        line[rng.randrange(len(line))] = rng.choice((*WORDS, b"a/1", b"/", b"#", b" ", b"\r", b"../../x.jpg"))
    return b"\n".join(b"\t".join(line) for line in lines)


def damage_yaml(data: bytes, rng: Random) -> bytes:
    """Return YAML with odd lines in place of, or beside, its own; or damaged bytes."""
    if rng.random() < 0.2:
        return damage_bytes(data, rng)
    lines = data.split(b"\n")
    for _ in range(rng.choice((1, 1, 2, 4))):
        place = rng.randrange(len(lines))
        odd = rng.choice(YAML_LINES)
        name = odd.partition(b":")[0] + b":"
        if rng.random() < 0.5:  # in place of what has the same name
            lines = [line for line in lines if not line.startswith(name)]
        lines.insert(min(place, len(lines)), odd)
    return b"\n".join(lines)
