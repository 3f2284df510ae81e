"""Reads what libvirt and the systems say about themselves. Text in, values out."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from srv6lab.host.system import version as numbers

MIB = 2**20


@dataclass(frozen=True, slots=True)
class Memory:
    """In MiB; `free` is what could be taken without swapping."""

    total: int
    free: int


def libvirt(text: str) -> tuple[int, ...]:
    """libvirt's version by `virsh version`; () if it can't be reached."""
    found = re.search(r"^Using library: libvirt (\d+(?:\.\d+)+)", text, re.MULTILINE)
    return numbers(found[1]) if found and "error:" not in text else ()


def refusal(text: str) -> str:
    """The last error that virsh tells, without its prefix."""
    found = re.findall(r"^error: (.*)$", text, re.MULTILINE)
    return found[-1].strip() if found else " ".join(text.split())[:120]


def linux_memory(text: str) -> Memory | None:
    """/proc/meminfo."""
    found = {name: int(value) for name, value in re.findall(r"^(\w+): +(\d+) kB$", text, re.MULTILINE)}
    if not {"MemTotal", "MemAvailable"} <= found.keys():
        return None
    return Memory(found["MemTotal"] // 1024, found["MemAvailable"] // 1024)


def macos_memory(text: str) -> Memory | None:
    """`sysctl -n hw.memsize` and then `vm_stat`: what is free, inactive, speculative and purgeable can be taken."""
    total = re.match(r"\s*(\d+)\s", text)
    page = re.search(r"page size of (\d+) bytes", text)
    if not total or not page:
        return None
    kinds = ("free", "inactive", "speculative", "purgeable")
    pages = sum(
        int(value) for value in re.findall(rf"^Pages (?:{'|'.join(kinds)}): +(\d+)\.", text, re.MULTILINE)
    )
    return Memory(int(total[1]) // MIB, pages * int(page[1]) // MIB)


@dataclass(frozen=True, slots=True)
class Windows:
    """What PowerShell tells; `hypervisor` is whether Hyper-V has the processor."""

    memory: Memory
    hypervisor: bool


def windows(text: str) -> Windows | None:
    """Win32_OperatingSystem's memory in KiB and Win32_ComputerSystem's HypervisorPresent, as JSON."""
    try:
        said = json.loads(text)
        memory = Memory(said["TotalVisibleMemorySize"] // 1024, said["FreePhysicalMemory"] // 1024)
        return Windows(memory, bool(said["HypervisorPresent"]))
    except (ValueError, KeyError, TypeError):
        return None


def first_version(text: str) -> tuple[int, ...]:
    """The first version number of a text, such as qemu's; () if there is none."""
    found = re.search(r"\d+(?:\.\d+)+", text)
    return numbers(found[0]) if found else ()
