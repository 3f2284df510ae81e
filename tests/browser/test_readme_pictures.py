"""The README's pictures are made by a script, of what is there now."""

from __future__ import annotations

import importlib.util
import struct
import zlib
from pathlib import Path
from types import ModuleType

import pytest

from tests.conftest import REPOSITORY

# One black dot: the signature, and chunks of a length, a kind, a content and a sum.
SMALLEST = b"\x89PNG\r\n\x1a\n" + b"".join(
    struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    for kind, body in (
        (b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)),
        (b"IDAT", zlib.compress(bytes(2))),
        (b"IEND", b""),
    )
)


@pytest.fixture(scope="module")
def pictures() -> ModuleType:
    spec = importlib.util.spec_from_file_location("pictures", REPOSITORY / "scripts" / "pictures.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_pictures_are_of_what_the_lab_is(pictures: ModuleType) -> None:
    assert pictures.stale(drawing=False) == [], "run .venv/bin/python scripts/pictures.py"


@pytest.mark.prove
def test_pictures_are_drawn_as_now(pictures: ModuleType) -> None:
    """Not in `make test`: a line of style doesn't ask for a new picture each time."""
    assert pictures.stale() == [], "run .venv/bin/python scripts/pictures.py"


def test_readme_shows_both(pictures: ModuleType) -> None:
    readme = (REPOSITORY / "README.md").read_text("utf-8")
    for path in (pictures.PAGE, pictures.GRAPH):
        assert f"]({path.relative_to(REPOSITORY)})" in readme


def test_picture_of_an_older_page_is_told(
    pictures: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "PAGE", tmp_path / "page.png")
    monkeypatch.setattr(pictures, "GRAPH", tmp_path / "graph.svg")
    monkeypatch.setattr(pictures, "REPO", tmp_path)
    monkeypatch.setattr(pictures, "digests", lambda: ["now", "style"])
    monkeypatch.setattr(pictures, "graph", lambda: "<svg/>")
    assert len(pictures.stale()) == 2
    plain = SMALLEST
    pictures.GRAPH.write_text("<svg/>")
    pictures.PAGE.write_bytes(pictures.with_text(plain, "before style"))
    assert pictures.stale() == ["page.png shows the page as it was before"]
    pictures.PAGE.write_bytes(pictures.with_text(plain, "now another"))
    assert pictures.stale(drawing=False) == []
    assert pictures.stale() == ["page.png shows the page as it was before"]
    pictures.PAGE.write_bytes(pictures.with_text(plain, "now style"))
    assert pictures.stale() == []
    pictures.PAGE.write_bytes(pictures.with_text(plain, "now style") + bytes(pictures.MOST))
    assert pictures.stale() == [f"page.png has more than {pictures.MOST} bytes"]


def test_text_is_put_into_a_sound_png(pictures: ModuleType) -> None:
    plain = (REPOSITORY / "docs" / "pictures" / "page.png").read_bytes()
    marked = pictures.with_text(plain, "something")
    assert pictures.text_of(marked) == "something"
    assert pictures.text_of(pictures.with_text(marked, "else")) == "else"

    def image(png: bytes) -> bytes:
        return zlib.decompress(b"".join(body for kind, body in pictures._chunks(png) if kind == b"IDAT"))

    assert image(marked) == image(plain)
