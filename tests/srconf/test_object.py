"""The shipped eBPF object is what the source says, and asks nothing of newer kernels."""

import re
import shutil
import struct
import subprocess
from pathlib import Path

import pytest

from srv6lab.srconf import bpf, state

from .chain import ROOM, Namespace

SHIPPED_BY = "14"  # clang's major version; another one writes other instructions for the same source
HELPERS = {
    1: "map_lookup_elem",
    2: "map_update_elem",
    9: "skb_store_bytes",
    26: "skb_load_bytes",
    50: "skb_adjust_room",
    152: "redirect_neigh",
}
CALL = 0x85


def section(path: Path, name: str) -> bytes:
    """A section of a 64-bit little-endian ELF file."""
    elf = path.read_bytes()
    (table,) = struct.unpack_from("<Q", elf, 40)
    size, count, names = struct.unpack_from("<HHH", elf, 58)
    headers = [struct.unpack_from("<IIQQQQ", elf, table + n * size) for n in range(count)]
    for header in headers:
        start = headers[names][4] + header[0]
        if elf[start : elf.index(b"\0", start)].decode() == name:
            return elf[header[4] : header[4] + header[5]]
    raise AssertionError(f"{path} has no section {name}")


def clang() -> str:
    found = shutil.which(f"clang-{SHIPPED_BY}") or shutil.which("clang")
    assert found and shutil.which("llvm-strip"), (
        "clang is missing, so nobody knows whether srproxy.bpf.o is what srproxy.bpf.c says: "
        f"apt-get install clang-{SHIPPED_BY} (or clang) llvm libbpf-dev make"
    )
    return found


def test_object_is_the_source_s(lone: Namespace, tmp_path: Path) -> None:
    compiler, built = clang(), tmp_path / "srproxy.bpf.o"
    subprocess.run(["make", "-s", "-C", str(ROOM), f"CLANG={compiler}", f"OUTPUT={built}"], check=True)
    said = subprocess.run([compiler, "--version"], capture_output=True, text=True, check=True).stdout
    version = re.search(r"version (\d+)", said)
    assert version
    lone.run("tc", "qdisc", "add", "dev", "veth0", "clsact")
    lone.run("tc", "filter", "add", "dev", "veth0", "ingress", "bpf", "da", "obj", str(built), "sec", "tc")
    if version[1] == SHIPPED_BY:
        assert section(built, "tc") == section(ROOM / "srproxy.bpf.o", "tc"), "run make in srv6lab/srconf"


def test_only_helpers_of_linux_5_10() -> None:
    code = section(ROOM / "srproxy.bpf.o", "tc")
    called = {number for op, number in struct.iter_unpack("<BxxxI", code) if op == CALL}
    assert called == HELPERS.keys()


def test_object_is_small_and_names_no_machine() -> None:
    content = (ROOM / "srproxy.bpf.o").read_bytes()
    assert len(content) < 48_000
    for word in (b"/home/", b"/root/", b"/tmp/", b"/usr/", str(ROOM.parents[1]).encode()):
        assert word not in content


def test_counters_are_named_in_the_program_s_order() -> None:
    source = (ROOM / "srproxy.h").read_text(encoding="utf-8")
    body = re.search(r"enum counter \{(.*?)COUNTERS,", source, re.DOTALL)
    assert body
    names = re.findall(r"^\t([A-Z_0-9]+),", body[1], re.MULTILINE)
    assert tuple(name.lower() for name in names) == state.COUNTER_NAMES


def test_readme_lists_every_counter() -> None:
    readme = (ROOM / "README.md").read_text(encoding="utf-8")
    assert [name for name in state.COUNTER_NAMES if f"`{name}`" not in readme] == []


@pytest.mark.parametrize(("text", "number"), [("0\n", 1), ("0-3\n", 4), ("0-1,4-5,9\n", 5)])
def test_possible_cpus(text: str, number: int) -> None:
    assert bpf.possible_cpus(text) == number
