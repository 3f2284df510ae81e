"""The root file system with FRR: taken where it is, built whole or not at all, and a clear word where it can't be."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from srv6lab.errors import MachineError
from srv6lab.images import frr_root
from tests.conftest import silent


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the test's own, on a machine without FRR."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(frr_root, "_ROOT", tmp_path / "machine")
    return frr_root.cache()


def program(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def stub(folder: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """An mmdebstrap that does what the test wants; its last words but one name the target."""
    program(folder / "bin" / "mmdebstrap", f"for word; do target=$before before=$word; done\n{text}")
    monkeypatch.setenv("PATH", f"{folder / 'bin'}:{os.environ['PATH']}")


def debian_with(version: str) -> str:
    """What makes a target that says it has an FRR: chroot needs a shell in it, so the version is asked as it is."""
    return f"mkdir -p $target/usr/lib/frr && echo {version} >$target/usr/lib/frr/bgpd"


@pytest.fixture
def told_version(monkeypatch: pytest.MonkeyPatch) -> None:
    def version(root: Path) -> tuple[int, ...] | None:
        path = root / "usr/lib/frr/bgpd"
        return tuple(map(int, path.read_text().split("."))) if path.exists() else None

    monkeypatch.setattr(frr_root, "frr_version", version)


@pytest.mark.usefixtures("told_version")
def test_it_is_built_once(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stub(tmp_path, monkeypatch, f"{debian_with('10.7')}; echo built >>{tmp_path}/count")
    folder = frr_root.serving(silent)
    assert folder.parent == cache
    assert frr_root.serving(silent) == folder
    assert (tmp_path / "count").read_text() == "built\n"
    assert sorted(path.name for path in cache.iterdir()) == [folder.name, f"{folder.name}.lock"]


@pytest.mark.usefixtures("told_version")
def test_two_at_once_build_one(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stub(tmp_path, monkeypatch, f"sleep 0.3; {debian_with('10.7')}; echo built >>{tmp_path}/count")
    said: list[str] = []
    threads = [threading.Thread(target=frr_root.serving, args=(said.append,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (tmp_path / "count").read_text() == "built\n"
    assert "another process builds the root file system with FRR: waiting for it" in said


@pytest.mark.usefixtures("cache", "told_version")
def test_an_old_frr_is_refused_and_nothing_is_left(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stub(tmp_path, monkeypatch, debian_with("10.3"))
    with pytest.raises(MachineError, match=r"sid has FRR 10\.3"):
        frr_root.serving(silent)
    assert [path.suffix for path in cache.iterdir()] == [".lock"]


def test_a_build_that_fails_says_why_and_leaves_nothing(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stub(tmp_path, monkeypatch, "mkdir $target; echo 'E: the mirror is away' >&2; exit 25")
    with pytest.raises(MachineError) as caught:
        frr_root.serving(silent)
    assert str(caught.value) == (
        "the root file system with FRR can't be built: mmdebstrap failed:\n"
        "  E: the mirror is away\n"
        "  mend: it needs a Debian mirror once; or install FRR 10.6 or newer on this machine"
    )
    assert [path.suffix for path in cache.iterdir()] == [".lock"]


@pytest.mark.usefixtures("told_version")
def test_what_a_killed_build_left_is_cleared(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stub(tmp_path, monkeypatch, f"[ ! -e $target/half ] && {debian_with('10.7')}")
    folder = frr_root.serving(silent)
    (folder / "usr/lib/frr/bgpd").unlink()
    folder.rename(folder.with_suffix(".unfinished"))
    (folder.with_suffix(".unfinished") / "half").touch()
    assert frr_root.serving(silent) == folder
    assert not (folder / "half").exists()


@pytest.mark.usefixtures("cache")
def test_without_mmdebstrap_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MachineError, match="apt-get install mmdebstrap"):
        frr_root.serving(silent)


@pytest.mark.usefixtures("told_version")
@pytest.mark.parametrize(("version", "taken"), [("10.6", True), ("11.0", True), ("10.5", False)])
def test_the_machines_own_frr_is_taken_if_it_is_new_enough(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, taken: bool
) -> None:
    program(tmp_path / "machine/usr/lib/frr/bgpd", "").write_text(version)
    stub(tmp_path, monkeypatch, debian_with("10.7"))
    assert (frr_root.serving(silent) == tmp_path / "machine") is taken


def test_a_version_is_read_from_what_bgpd_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frr_root, "_ROOT", Path("/"))
    monkeypatch.setattr(frr_root, "_BGPD", str(program(tmp_path / "bgpd", "echo bgpd version 10.12.1-3"))[1:])
    assert frr_root.frr_version(Path("/")) == (10, 12)
    assert frr_root.frr_version(tmp_path) is None
