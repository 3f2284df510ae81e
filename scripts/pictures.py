"""Makes the README's pictures, of the lab that has the most services: docs/pictures/page.png, the page of a check in
Chromium, and docs/pictures/graph.svg. It brings that lab up under a name of its own, checks it, and takes it away.

No two pictures of a page are the same to the byte, so the PNG says in its text `made-of` what it was made of: a digest of
all that the model says of the lab, and one of the page's script and style. `--check` brings nothing up: it only says whether both
pictures are current, and exits 1 if one isn't.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import struct
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

REPO = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPO))

from srv6lab.cli.graph import graph as drawn  # noqa: E402  # of this clone, as all of these
from srv6lab.cli.labs import LabsFolder  # noqa: E402
from srv6lab.cli.tasks import predict  # noqa: E402
from srv6lab.plan.nodes import Plan  # noqa: E402
from tests.browser.chromium import running  # noqa: E402
from tests.browser.walk import in_page  # noqa: E402

PICTURES = REPO / "docs" / "pictures"
PAGE, GRAPH = PICTURES / "page.png", PICTURES / "graph.svg"
MOST = 200_000  # bytes of each
SIZE = (1280, 840)
KEYWORD = b"made-of"
_SIGNATURE = b"\x89PNG\r\n\x1a\n"


@cache
def lab() -> str:
    """The lab of the pictures."""
    course, _ = LabsFolder(REPO).course()
    return max(course, key=lambda one: len(one.services)).name


def invoke(*words: str) -> None:
    """Run a task, as somebody types it."""
    command = [sys.executable, "-m", "invoke", *words]
    subprocess.run(command, cwd=REPO, check=True, stdout=subprocess.DEVNULL)


@cache
def plan() -> Plan:
    """That lab's."""
    return LabsFolder(REPO).load(LabsFolder(REPO).refer(lab()))[0]


@cache
def predicted() -> str:
    """The page of what the model says of the lab."""
    return predict(plan(), [one.name for one in plan().exercises], [], "html")


def graph() -> str:
    """The SVG that the picture of the graph should be: with the way of the longest walk."""
    exercise, _ = longest(in_page(predicted()))
    return drawn(plan(), "svg", exercise, "")


def digests() -> list[str]:
    """Of all that the model says of the lab, and of the script and style that draw it. Which version of srv6lab it was is
    no part of either."""
    head, _, rest = predicted().partition('id="walk">')
    document = {key: value for key, value in in_page(predicted()).items() if key != "made"}
    parts = (json.dumps(document, sort_keys=True), head + rest.partition("</script>")[2])
    return [hashlib.sha256(part.encode()).hexdigest() for part in parts]


def hop(document: Mapping[str, Any]) -> str:
    """The address of the hop that is shown: that of the longest walk where a behavior changes most of the packet."""
    exercise, hops = longest(document)
    best = max((one for one in hops if one["behavior"]), key=lambda one: len(one["changed"]))
    return f"{exercise}/{best['id']}"


def longest(document: Mapping[str, Any]) -> tuple[str, list[dict[str, Any]]]:
    """The exercise and the hops of the walk that has most of them."""
    walks = (
        (exercise["name"], walk["hops"])
        for exercise in document["exercises"]
        for probe in exercise["probes"]
        for walk in probe["walks"]
    )
    return max(walks, key=lambda one: len(one[1]))


def photographed() -> bytes:
    """A picture of the page of the lab's check, at the hop where most happens."""
    instance = f"pictures-{os.getpid()}"
    with tempfile.TemporaryDirectory() as folder:
        page, shot = Path(folder) / "walk.html", Path(folder) / "page.png"
        try:
            invoke("up", lab(), "--instance", instance)
            invoke("check", lab(), "--instance", instance)
            invoke("report", lab(), "--instance", instance, "--out", str(page))
        finally:
            invoke("destroy", lab(), "--instance", instance, "--purge")
        with running() as browser:
            browser.open(page, hop(in_page(page.read_text("utf-8"))), size=SIZE)
            return browser.screenshot(shot).read_bytes()


def _chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The chunks of a PNG, each its kind and its content."""
    at = len(_SIGNATURE)
    while at < len(png):
        (length,) = struct.unpack_from(">I", png, at)
        yield png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        at += length + 12


def with_text(png: bytes, text: str) -> bytes:
    """The PNG with `made-of` in it, and nothing in it that says when."""
    head, *rest = _chunks(png)
    image = zlib.compress(zlib.decompress(b"".join(body for kind, body in rest if kind == b"IDAT")), 9)
    said = KEYWORD + b"\0" + text.encode("latin-1")
    parts = [head, (b"tEXt", said), (b"IDAT", image), (b"IEND", b"")]
    packed = (
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in parts
    )
    return _SIGNATURE + b"".join(packed)


def text_of(png: bytes) -> str:
    """What the PNG says that it was made of; "" if it says nothing."""
    said = (body.partition(b"\0") for kind, body in _chunks(png) if kind == b"tEXt")
    return next((text.decode("latin-1") for keyword, _, text in said if keyword == KEYWORD), "")


def stale(*, drawing: bool = True) -> list[str]:
    """What is wrong with the pictures that are there; without `drawing` a page that is only drawn otherwise is let be."""
    found = []
    if not GRAPH.is_file() or GRAPH.read_text("utf-8") != graph():
        found.append(f"{GRAPH.relative_to(REPO)} isn't what invoke graph draws now")
    last = None if drawing else 1
    if not PAGE.is_file() or text_of(PAGE.read_bytes()).split()[:last] != digests()[:last]:
        found.append(f"{PAGE.relative_to(REPO)} shows the page as it was before")
    big = [one for one in (PAGE, GRAPH) if one.is_file() and one.stat().st_size > MOST]
    return found + [f"{one.relative_to(REPO)} has more than {MOST} bytes" for one in big]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--check", action="store_true", help="say whether they are current, and make none")
    if not parser.parse_args().check:
        PICTURES.mkdir(exist_ok=True)
        GRAPH.write_text(graph(), encoding="utf-8")
        PAGE.write_bytes(with_text(photographed(), " ".join(digests())))
    for line in (wrong := stale()):
        print(f"{line}: .venv/bin/python scripts/pictures.py makes it anew", file=sys.stderr)
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
