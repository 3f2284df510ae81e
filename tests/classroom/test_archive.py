"""A zip that somebody hands in is read into memory, or refused in a sentence; it never harms whoever reads it."""

from __future__ import annotations

import os
import stat
import struct
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest

from srv6lab.classroom import archive
from srv6lab.errors import UsageError

Make = Callable[[zipfile.ZipFile], object]


def packed(make: Make) -> bytes:
    target = BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as into:
        make(into)
    return target.getvalue()


def named(name: str, kind: int = 0, content: bytes = b"x") -> Make:
    info = zipfile.ZipInfo(name)
    info.external_attr = kind << 16
    return lambda into: into.writestr(info, content)


def read(folder: Path, data: bytes) -> dict[str, bytes]:
    path = folder / "some.zip"
    path.write_bytes(data)
    return archive.read(path, lambda _: True)[0]


def refused(folder: Path, data: bytes) -> str:
    with pytest.raises(UsageError) as error:
        read(folder, data)
    return error.value.what


def test_what_is_wanted_is_read_and_the_rest_is_named(tmp_path: Path) -> None:
    path = tmp_path / "some.zip"
    path.write_bytes(packed(lambda into: [into.writestr(name, name) for name in ("a/b", "ü", ".DS_Store")]))
    found, left = archive.read(path, lambda name: name != ".DS_Store")
    assert found == {"a/b": b"a/b", "ü": "ü".encode()}
    assert left == [".DS_Store"]


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (named("../out"), "leads out of the folder"),
        (named("a/../../out"), "leads out of the folder"),
        (named("/etc/passwd"), "leads out of the folder"),
        (named("a\\..\\out"), "leads out of the folder"),
        (named("C:\\out"), "leads out of the folder"),
        (named("a\nb"), "control character"),
        (named("a", stat.S_IFLNK | 0o777, b"/etc/passwd"), "a link or a device"),
        (named("a", stat.S_IFCHR | 0o777), "a link or a device"),
        (named("a", stat.S_IFIFO | 0o777), "a link or a device"),
        (named("a/", stat.S_IFREG | 0o777), "a link or a device"),
        (lambda into: [into.writestr("a", "1"), into.writestr("b", bytes(3 << 20))], "times its size"),
        (lambda into: [into.writestr(str(number), "") for number in range(4001)], "more than 4000 files"),
        (lambda into: into.writestr("a", "1", zipfile.ZIP_LZMA), "packed by method 14"),
    ],
)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_what_would_harm_is_refused(tmp_path: Path, make: Make, said: str) -> None:
    assert said in refused(tmp_path, packed(make))
    assert [*tmp_path.iterdir()] == [tmp_path / "some.zip"]


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_files_of_a_name(tmp_path: Path) -> None:
    data = packed(lambda into: [into.writestr("a", "1"), into.writestr("a", "2")])
    assert "holds 'a' twice" in refused(tmp_path, data)


def test_what_is_too_much_in_all(tmp_path: Path) -> None:
    block = (
        os.urandom(8192) * 128
    )  # a MiB of which deflate can't save much of a block, but all of its repeats
    data = packed(lambda into: [into.writestr(str(number), block) for number in range(97)])
    assert len(data) <= archive.MOST_PACKED
    assert "would unpack to" in refused(tmp_path, data)


def test_an_entry_that_lies_about_its_size(tmp_path: Path) -> None:
    data = packed(lambda into: into.writestr("a", bytes(9 << 20)))
    at = data.index(b"PK\x01\x02")
    short = data[: at + 24] + struct.pack("<I", 10) + data[at + 28 :]
    assert "it is no zip that can be read: Bad CRC-32" in refused(tmp_path, short)
    longer = data[: at + 24] + struct.pack("<I", 0xFFFFFFF0) + data[at + 28 :]
    assert "times its size" in refused(tmp_path, longer)


def test_entries_that_share_their_bytes(tmp_path: Path) -> None:
    """The quoted overlap of a zip bomb: two entries of the list, one body."""
    data = packed(lambda into: [into.writestr("a", os.urandom(99)), into.writestr("b", os.urandom(99))])
    second = data.rindex(b"PK\x01\x02")
    assert "shares its bytes" in refused(tmp_path, data[: second + 42] + bytes(4) + data[second + 46 :])


def test_an_encrypted_entry(tmp_path: Path) -> None:
    data = packed(named("a"))
    at = data.index(b"PK\x01\x02")
    assert "encrypted" in refused(tmp_path, data[: at + 8] + b"\x01" + data[at + 9 :])


def test_a_name_that_is_no_utf8(tmp_path: Path) -> None:
    data = packed(named("abc"))
    assert "isn't UTF-8" in refused(tmp_path, data.replace(b"abc", b"a\xffc"))
    flagged = packed(named("aü"))
    assert "no zip that can be read" in refused(tmp_path, flagged.replace("ü".encode(), b"\xff\xfe"))


def test_a_zip64(tmp_path: Path) -> None:
    data = packed(named("a"))
    end = data.rindex(b"PK\x05\x06")
    locator = b"PK\x06\x07" + bytes(16)
    assert "zip64" in refused(tmp_path, data[:end] + locator + data[end:])


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "it is empty"),
        (b"MZ" + bytes(99), "no zip"),
        (b"PK\x03\x04" + bytes(99), "cut short"),
        (b"\xd4\xc3\xb2\xa1" + bytes(20), "no zip"),
    ],
)
def test_what_is_no_zip(tmp_path: Path, data: bytes, said: str) -> None:
    assert said in refused(tmp_path, data)


def test_every_cut_and_every_flipped_byte_is_told(tmp_path: Path) -> None:
    """Whatever is damaged: a sentence, or what was there."""
    data = packed(lambda into: [into.writestr(name, name * 40) for name in "abc"])
    whole = read(tmp_path, data)
    for at in range(len(data)):
        for damaged in (data[:at], data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :]):
            try:
                found = read(tmp_path, damaged)
            except UsageError as error:
                assert error.what.startswith(("it ", "the name ", "a file ", "'")), error.what
            else:
                assert {*found.values()} <= {*whole.values()}


def test_what_is_no_file(tmp_path: Path) -> None:
    fifo, folder, link = tmp_path / "fifo", tmp_path / "folder", tmp_path / "link"
    os.mkfifo(fifo)
    folder.mkdir()
    link.symlink_to("/etc/passwd")
    said = {}
    for path in (fifo, folder, link, Path("/dev/zero"), tmp_path / "none"):
        with pytest.raises(UsageError) as error:
            archive.read_file(path)
        said[path.name] = error.value.what
    assert said == {
        "fifo": "it is a pipe or a device",
        "folder": "it is a folder",
        "link": "it is a link to something else",
        "zero": "it is a pipe or a device",
        "none": "it can't be read: No such file or directory",
    }


def test_hand_ins_are_found_in_the_folders_of_learners(tmp_path: Path) -> None:
    for name in ("b.zip", "one/a.ZIP", "two/deep/c.zip", "one/readme.txt"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    (tmp_path / "folder.zip").mkdir()
    (tmp_path / "folder.zip" / "d.zip").write_bytes(b"")
    (tmp_path / "again").symlink_to(tmp_path)
    found = [str(path.relative_to(tmp_path)) for path in archive.hand_ins(tmp_path)]
    assert found == ["b.zip", "folder.zip", "one/a.ZIP", "two/deep/c.zip"]
    with pytest.raises(UsageError, match="more than 3 hand-ins"):
        [*archive.hand_ins(tmp_path, most=3)]
