"""Runs inside a virtual machine, as root and with nothing but Python: python3 - VERB '{"…": …}' <guest.py

Prints one JSON document, or with `read` a pcap.

- `mark` sends one frame on each NIC that a MAC names: EtherType 0x88b5, which is set aside for experiments, so
  no stack takes it. The trace of a NIC that has the frames of both its ends has all that was sent before.
- `trace` starts a tcpdump on a NIC in a namespace of this machine, or finds the one that runs.
- `drain` waits until each tcpdump has written as many packets as the kernel handed it.
- `read` copies a part of a trace behind its header.
"""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

FOLDER = Path("/var/lib/srv6lab/traces")
PATIENCE = 20.0
HEADER = 24
LIMIT = 256 * 2**20
COUNTS = re.compile(
    r"(\d+) packets? captured.*?(\d+) packets? received by filter.*?(\d+) packets? dropped by kernel",
    re.DOTALL,
)


def mark(token: str, macs: list[str]) -> list[str]:
    """Send a frame on each NIC; the MACs that no NIC has."""
    names = {}
    for nic in Path("/sys/class/net").iterdir():
        names[nic.joinpath("address").read_text().strip()] = nic.name
    for mac in set(macs) & set(names):
        source = bytes.fromhex(mac.replace(":", ""))
        frame = b"\xff" * 6 + source + b"\x88\xb5" + bytes.fromhex(token)
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as out:
            out.bind((names[mac], 0))
            out.send(frame.ljust(60, b"\0"))
    return sorted(set(macs) - set(names))


def trace(wanted: list[list[str]]) -> dict[str, str]:
    """Start what doesn't run yet of (trace, namespace, NIC); what became of each, "" for a live tracer."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, netns, nic in wanted:
        if not alive(name):
            limit = f'ulimit -f {LIMIT // 512}; exec "$@"'
            command = ["ip", "netns", "exec", netns, "tcpdump", "-i", nic, "-n", "-U", "--immediate-mode"]
            with path(name, "log").open("w") as log:
                popen = subprocess.Popen(
                    ["sh", "-c", limit, "sh", *command, "-s", "0", "-Z", "root", "-w", str(path(name, "pcap"))],
                    stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                )  # fmt: skip
            path(name, "pid").write_text(f"{popen.pid} {started(popen.pid)}")
    return {name: live(name) for name, _, _ in wanted}


def live(name: str) -> str:
    deadline = time.monotonic() + PATIENCE
    while "listening on" not in log_of(name):
        if not alive(name) or time.monotonic() > deadline:
            return log_of(name).strip() or "tcpdump said nothing"
        time.sleep(0.05)
    return ""


def drain(names: list[str]) -> dict[str, tuple[int, int, str]]:
    """(size, dropped, note) of each trace; a note says why it is not drained."""
    return {name: drained(name) for name in names}


def drained(name: str) -> tuple[int, int, str]:
    deadline = time.monotonic() + PATIENCE
    while alive(name) and time.monotonic() < deadline:
        heard = len(log_of(name))
        os.kill(pid_of(name)[0], signal.SIGUSR1)
        while alive(name) and time.monotonic() < deadline:
            said = COUNTS.search(log_of(name)[heard:])
            if said:
                captured, received, dropped = map(int, said.groups())
                if captured in (received, received - dropped):
                    return size(name), dropped, ""
                break
            time.sleep(0.01)
    if alive(name):
        return size(name), 0, "tracer can't be drained"
    full = size(name) >= LIMIT
    return size(name), 0, f"tracer stopped at {LIMIT >> 20} MiB" if full else "tracer is dead"


def read(name: str, start: int, end: int) -> None:
    with path(name, "pcap").open("rb") as file:
        sys.stdout.buffer.write(file.read(HEADER))
        file.seek(max(start, HEADER))
        sys.stdout.buffer.write(file.read(max(0, end - max(start, HEADER))))


def path(name: str, kind: str) -> Path:
    return FOLDER / f"{name}.{kind}"


def log_of(name: str) -> str:
    try:
        return path(name, "log").read_text()
    except FileNotFoundError:
        return ""


def size(name: str) -> int:
    try:
        return path(name, "pcap").stat().st_size
    except FileNotFoundError:
        return 0


def pid_of(name: str) -> tuple[int, int]:
    """PID and start time, so that a reused PID is not taken for the tracer's."""
    try:
        pid, start = map(int, path(name, "pid").read_text().split())
        return pid, start
    except (FileNotFoundError, ValueError):
        return 0, 0


def started(pid: int) -> int:
    """Field 22 of /proc/PID/stat, or -1 for a process that is gone or waits to be buried."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return -1
    return -1 if fields[0] in "ZX" else int(fields[19])


def alive(name: str) -> bool:
    pid, start = pid_of(name)
    return pid > 0 and started(pid) == start


VERBS: dict[str, Any] = {"mark": mark, "trace": trace, "drain": drain, "read": read}

if __name__ == "__main__":
    answer = VERBS[sys.argv[1]](**json.loads(sys.argv[2]))
    if answer is not None:
        print(json.dumps(answer))
