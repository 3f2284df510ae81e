"""Builds a lab's nodes and links with Mininet, runs its Day0 scripts in them, and says "ready".

Run by up.py, with the Python that has Mininet, on a specification in JSON. It waits for a line, then takes
the lab down. What is cheaper for Mininet is granted to it: no switch or controller, no duplicate address
detection, all Day0 scripts at once.
"""

from __future__ import annotations

import importlib
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

# As srv6lab's nodes have it: detection of duplicates would cost each side the same two seconds.
NO_DAD = "echo 0 | tee /proc/sys/net/ipv6/conf/{all,default}/{accept_dad,dad_transmits}"


def build(spec: dict[str, Any]) -> Any:
    net = importlib.import_module("mininet.net").Mininet(controller=None)
    nodes = {name: net.addHost(name, ip=None) for name in spec["nodes"]}
    for node in nodes.values():
        node.cmd(NO_DAD)
    for one, other in spec["links"]:
        net.addLink(
            nodes[one["node"]],
            nodes[other["node"]],
            intfName1=one["nic"],
            intfName2=other["nic"],
            addr1=one["mac"],
            addr2=other["mac"],
        )
    net.build()
    return net


def trace(net: Any, points: list[dict[str, str]], folder: Path) -> list[subprocess.Popen[bytes]]:
    """One tcpdump a point, each proven live by its own word."""
    tracers: list[subprocess.Popen[bytes]] = []
    for point in points:
        inside = ["ip", "netns", "exec", point["netns"]] if point["netns"] else []
        pcap = str(folder / "-".join(filter(None, point.values()))) + ".pcap"
        command = [*inside, "tcpdump", "-i", point["nic"], "-n", "-U", "--immediate-mode", "-w", pcap]
        node = net.get(point["node"])
        tracers.append(node.popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL))
    for tracer in tracers:
        assert tracer.stderr
        said = b""
        while b"listening on" not in said:
            line = tracer.stderr.readline()
            if not line:
                raise SystemExit(f"a tcpdump ended before it listened: {said.decode()}")
            said += line
    return tracers


def day0(net: Any, spec: dict[str, Any]) -> None:
    for name, script in spec["scripts"].items():
        net.get(name).sendCmd(f"bash {script}; echo exit=$?")
    outputs = {
        name: net.get(name).waitOutput() for name in spec["scripts"]
    }  # of all, or Mininet can't stop them
    for name, output in outputs.items():
        if not re.search(r"^exit=0\s*$", output, re.MULTILINE):
            raise SystemExit(f"Day0 of {name} failed:\n{output}")


def prove(net: Any, probe: dict[str, str]) -> None:
    """One ping over the lab, after the clock has stopped: what was built works."""
    output = net.get(probe["from"]).cmd(f"ping -c 1 -W 2 {probe['to']}")
    if "1 received" not in output:
        raise SystemExit(f"the lab doesn't carry a ping:\n{output}")


def main() -> None:
    spec = json.loads(Path(sys.argv[1]).read_text())
    importlib.import_module("mininet.log").setLogLevel("error")
    net = build(spec)
    tracers: list[subprocess.Popen[bytes]] = []
    folder = Path(sys.argv[2]) if len(sys.argv) > 2 else None
    try:
        if folder:
            tracers += trace(net, [point for point in spec["tracers"] if not point["netns"]], folder)
        day0(net, spec)
        if folder:  # the NICs that Day0 made
            tracers += trace(net, [point for point in spec["tracers"] if point["netns"]], folder)
        print("ready", flush=True)
        sys.stdin.readline()
        if spec["probe"]:
            prove(net, spec["probe"])
    finally:
        for tracer in tracers:
            tracer.terminate()
        net.stop()


if __name__ == "__main__":
    main()
