"""A run's folder, damaged as disks, learning platforms and attackers do it. Each way is a name, and what it does to a folder;
drawn from a seed, so that a number names one."""

from __future__ import annotations

import gzip
import json
import os
import random
import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

Damage = Callable[[Path, random.Random], object]

DOCUMENTS = ("observations.json", "run.json", "verdict.json")
_VALUES: list[Any] = [
    None, True, -1, 10**400, 1.5, float("nan"), float("-inf"), "", "x" * 100_000, "\x1b[31m</script>", "\ud800",
    [], [None], [[]] * 1000, {}, {"": None},
]  # fmt: skip


def _in_place(make: Callable[[Path], object]) -> Damage:
    """Another thing in the place of a file."""

    def damage(folder: Path, dice: random.Random) -> None:
        path = dice.choice(files(folder))
        path.unlink()
        make(path)

    return damage


def files(folder: Path) -> list[Path]:
    """The documents and the captures: as often one as the other."""
    documents = [path for name in DOCUMENTS if (path := folder / name).is_file()]
    captures = sorted((folder / "captures").iterdir())
    return documents * max(1, len(captures) // max(1, len(documents))) + captures


def _bytes(change: Callable[[bytes, random.Random], bytes]) -> Damage:
    def damage(folder: Path, dice: random.Random) -> None:
        path = dice.choice(files(folder))
        path.write_bytes(change(path.read_bytes(), dice))

    return damage


def _flip(data: bytes, dice: random.Random) -> bytes:
    found = bytearray(data)
    for _ in range(dice.choice([1, 3, 30])):
        found[dice.randrange(len(found))] ^= 1 << dice.randrange(8)
    return bytes(found)


def _cut(data: bytes, dice: random.Random) -> bytes:
    return data[: dice.randrange(len(data))]


def _doubled(data: bytes, dice: random.Random) -> bytes:
    at = dice.randrange(len(data))
    return data[:at] + data[dice.randrange(len(data)) :]


def _value(folder: Path, dice: random.Random) -> None:
    """A part of a document is another."""
    path = folder / dice.choice([name for name in DOCUMENTS if (folder / name).is_file()])
    document = json.loads(path.read_text())
    holder: Any = document
    while True:
        key = dice.choice(list(holder) if isinstance(holder, dict) else range(len(holder)))
        below = holder[key]
        if not isinstance(below, (dict, list)) or not below or dice.random() < 0.3:
            break
        holder = below
    holder[key] = dice.choice(_VALUES)
    path.write_text(json.dumps(document))


def _twice(folder: Path, dice: random.Random) -> None:
    path = folder / dice.choice([name for name in DOCUMENTS[:2] if (folder / name).is_file()])
    text = path.read_text()
    key = dice.choice(list(json.loads(text)))
    path.write_text(f'{{"{key}": 0,' + text.strip()[1:])


def _deep(path: Path) -> None:
    path.write_bytes(b"[" * 200_000 + b"]" * 200_000)


def _sparse(path: Path) -> None:
    path.touch()
    os.truncate(path, 1 << 42)


def _block(kind: int, body: bytes) -> bytes:
    body += bytes(-len(body) % 4)
    length = struct.pack("<I", len(body) + 12)
    return struct.pack("<I", kind) + length + body + length


def _blocks(folder: Path, dice: random.Random) -> None:
    """A pcapng file of blocks that are known and unknown, whole and short, in any order."""
    section = _block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))
    interface = _block(1, struct.pack("<HHI", dice.choice([1, 1, 101, 147, 65535]), 0, 0))
    packet = _block(
        6, struct.pack("<IIIII", dice.choice([0, 0, 7]), 0, 0, 60, dice.choice([60, 2**32 - 1])) + bytes(60)
    )
    odd = [
        _block(kind, dice.randbytes(dice.choice([0, 4, 8, 20, 40])))
        for kind in (1, 2, 3, 4, 5, 6, 9, 10, 0xBAD, 0x99)
    ]
    blocks = [section, interface, packet, *odd]
    made = [
        dice.choice([section, dice.choice(odd)]),
        *(dice.choice(blocks) for _ in range(dice.randrange(12))),
    ]
    dice.choice(sorted((folder / "captures").iterdir())).write_bytes(b"".join(made))


def _record(folder: Path, dice: random.Random) -> None:
    """One header of a record says something else."""
    path = dice.choice(sorted((folder / "captures").iterdir()))
    data, at = bytearray(path.read_bytes()), 24
    for _ in range(dice.randrange(4)):
        following = at + 16 + struct.unpack_from("<I", data, at + 8)[0]
        at = following if following + 16 <= len(data) else at
    if at + 16 <= len(data):
        struct.pack_into("<I", data, at + 4 * dice.randrange(4), dice.choice([0, 1, 2**31, 2**32 - 1, 65536]))
    path.write_bytes(data)


def _bomb(path: Path) -> None:
    path.write_bytes(gzip.compress(bytes(1 << 26), 1))


def _names(folder: Path, dice: random.Random) -> None:
    path = dice.choice(sorted((folder / "captures").iterdir()))
    name = dice.choice(
        ["a\nb.pcap", "\x1b[31m.pcap", "-r.pcap", "$(id).pcap", "\udcff\udcfe.pcap", "x" * 250 + ".cap"]
    )
    (folder / "captures" / name).write_bytes(path.read_bytes())


# What takes more than the file itself is among those that are refused without a look into them.
WAYS: Mapping[str, Damage] = {
    "bits": _bytes(_flip),
    "cut": _bytes(_cut),
    "a piece twice": _bytes(_doubled),
    "a value": _value,
    "a key twice": _twice,
    "no UTF-8": _bytes(lambda data, _: b"\xff\xfe" + data),
    "blocks": _blocks,
    "a record's header": _record,
    "names": _names,
    "an endless device": _in_place(lambda path: path.symlink_to("/dev/zero")),
    "a link to a file": _in_place(lambda path: path.symlink_to("/etc/passwd")),
    "a link to nothing": _in_place(lambda path: path.symlink_to("nothing")),
    "a link to itself": _in_place(lambda path: path.symlink_to(path.name)),
    "a pipe": _in_place(os.mkfifo),
    "a folder": _in_place(lambda path: path.mkdir()),
    "a huge file": _in_place(_sparse),
    "deep": _in_place(_deep),
    "empty": _in_place(lambda path: path.touch()),
    "a bomb": _in_place(_bomb),
}
OF_CAPTURES = ("bits", "cut", "a piece twice", "blocks", "a record's header", "a bomb")
