"""The archive of an image: what engines read of it, and that it tells no more than what went in."""

from __future__ import annotations

import gzip
import hashlib
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from scripts import make_image

WHEN = 1_700_000_000


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/motd").write_text("hello\n")
    with tarfile.open(tmp_path / "root.tar", "w") as out:
        out.add(tmp_path / "etc", "etc")
    return tmp_path / "root.tar"


def read(archive: Path) -> dict[str, bytes]:
    with tarfile.open(archive) as source:
        files = {one.name: source.extractfile(one) for one in source.getmembers()}
        assert {(one.uid, one.uname, one.mtime) for one in source.getmembers()} == {(0, "", WHEN)}
        return {name: file.read() for name, file in files.items() if file}


def test_every_digest_is_of_what_it_names(root: Path, tmp_path: Path) -> None:
    digest = make_image.archive(root, tmp_path / "image.tar", "1.2.3", WHEN)
    files = read(tmp_path / "image.tar")

    def blob(described: dict[str, Any]) -> bytes:
        data = files[f"blobs/sha256/{described['digest'].removeprefix('sha256:')}"]
        assert described["digest"] == f"sha256:{hashlib.sha256(data).hexdigest()}"
        assert described["size"] == len(data)
        return data

    (named,) = json.loads(files["index.json"])["manifests"]
    assert named["digest"] == digest
    manifest = json.loads(blob(named))
    config = json.loads(blob(manifest["config"]))
    layer = gzip.decompress(blob(manifest["layers"][0]))
    assert layer == root.read_bytes()
    assert config["rootfs"]["diff_ids"] == [f"sha256:{hashlib.sha256(layer).hexdigest()}"]
    assert config["created"] == "2023-11-14T22:13:20Z"
    # The list that docker looked for before it read OCI layouts names the same two.
    (older,) = json.loads(files["manifest.json"])
    assert [older["Config"], *older["Layers"]] == [
        f"blobs/sha256/{one['digest'].removeprefix('sha256:')}"
        for one in (manifest["config"], *manifest["layers"])
    ]
    assert older["RepoTags"] == ["localhost/srv6lab:1.2.3"]


def test_it_is_the_same_bytes_twice_and_others_of_another_root(root: Path, tmp_path: Path) -> None:
    one, two = tmp_path / "one.tar", tmp_path / "elsewhere/two.tar"
    two.parent.mkdir()
    first = make_image.archive(root, one, "1.2.3", WHEN)
    assert make_image.archive(root, two, "1.2.3", WHEN) == first
    assert one.read_bytes() == two.read_bytes()
    assert str(tmp_path).encode() not in one.read_bytes()
    with tarfile.open(root, "a") as out:
        out.add(__file__, "etc/test")
    assert make_image.archive(root, two, "1.2.3", WHEN) != first
    assert sorted(path.name for path in two.parent.iterdir()) == ["two.tar"]
