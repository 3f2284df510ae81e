"""The box: what stands at the beginning of its disk, what it is known by, and that VirtualBox's description of it
is XML. That it boots is shown by `make e2e-vagrant`."""

from __future__ import annotations

import json
import struct
import xml.etree.ElementTree as ElementTree
from dataclasses import asdict
from pathlib import Path

import pytest

from srv6lab.errors import MachineError
from srv6lab.images import OUR_BOX, box
from srv6lab.images.box import box_ovf
from tests.conftest import silent

KEY = "ssh-rsa AAAA vagrant insecure public key\n"


def test_the_first_sector_is_the_boot_loader_and_a_table_of_one_partition() -> None:
    stage = bytes(range(256)) * 2
    sectors = box.boot_sectors(stage, b"core" * 200)
    assert sectors[:440] == stage[:440] and sectors[510:512] == b"\x55\xaa"
    active, kind, first, count = struct.unpack("<B3xB3xII", sectors[446:462])
    assert (active, kind, first) == (0x80, 0x83, 2048)
    assert (first + count) * 512 == 4 << 30
    assert not any(sectors[462:510])
    assert sectors[512:] == b"core" * 200


def test_a_core_that_reaches_into_the_partition_is_refused() -> None:
    box.boot_sectors(bytes(512), bytes(2**20 - 512))
    with pytest.raises(MachineError, match="doesn't fit"):
        box.boot_sectors(bytes(512), bytes(2**20 - 511))


def test_virtualbox_reads_of_a_disk_a_controller_and_a_nic() -> None:
    root = ElementTree.fromstring(box_ovf("box.vmdk", 4 << 30))
    ovf = "{http://schemas.dmtf.org/ovf/envelope/1}"
    rasd = "{http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData}"
    disk = root.find(f".//{ovf}Disk")
    file = root.find(f".//{ovf}File")
    assert disk is not None and file is not None
    assert disk.get(f"{ovf}capacity") == str(4 << 30) and file.get(f"{ovf}href") == "box.vmdk"
    kinds = [
        (one.findtext(f"{rasd}ResourceType"), one.findtext(f"{rasd}ResourceSubType"))
        for one in root.iter(f"{ovf}Item")
    ]
    assert kinds == [("3", None), ("4", None), ("20", "AHCI"), ("17", None), ("10", "E1000")]


def test_another_recipe_is_another_box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = box.recipe(KEY)
    assert box.recipe(KEY) == first
    assert box.recipe("ssh-rsa BBBB\n") != first
    others = [
        box.Contents(packages=(*box.PACKAGES, "frr")),
        box.Contents(suite="bookworm"),
        box.Contents(backports=True),
    ]
    assert len({first, *(box.recipe(KEY, other) for other in others)}) == 4


def test_what_was_built_is_handed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And not if a file of it is gone: that needs a build, which this PATH has no tools for."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folder = box.cache() / box.recipe(KEY)
    folder.mkdir(parents=True)
    (folder / "virtualbox.box").write_bytes(b"x")
    made = box.Box(
        OUR_BOX, folder.name, "6.12", {"virtualbox": str(folder / "virtualbox.box")}, {"virtualbox": 1}, 9.5
    )
    (folder / "box.json").write_text(json.dumps(asdict(made)))
    assert box.build(KEY, silent) == made
    (folder / "virtualbox.box").unlink()
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(
        MachineError,
        match=r"not on this machine: mmdebstrap, mke2fs, qemu-img\n  mend: scripts/setup lab && scripts/setup box$",
    ):
        box.build(KEY, silent)
    assert not list(box.cache().glob(".building-*"))
