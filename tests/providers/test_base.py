"""A failed Day0 as node, line of the script and what was said."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from ipaddress import ip_address, ip_network
from pathlib import Path

from srv6lab.host.command import Completed
from srv6lab.plan.nodes import PlannedRoute
from srv6lab.providers.base import day0_error
from srv6lab.render.day0 import render
from tests.small import planned

SCRIPT = "#!/usr/bin/env bash\nset -e\nip -batch - <<EOF\nlink set dev lo up\nroute replace 10.9.0.0/16 via 203.0.113.9\nEOF\nfalse\n"


def said(stderr: str, code: int = 1, script: str = SCRIPT) -> str:
    error = day0_error("gate", "day0/gate.sh", script, Completed(code, "", stderr))
    assert error.exit_code == 3
    return str(error)


def test_the_line_that_failed_is_named_and_shown() -> None:
    assert said("day0/gate.sh:7: false\n") == ("gate: Day0 failed with exit code 1\n  day0/gate.sh:7: false")


def test_a_line_of_a_batch_is_counted_from_the_line_that_began_it() -> None:
    stderr = "Error: Nexthop has invalid gateway.\nCommand failed -:2\nday0/gate.sh:3: ip -batch -\n"
    assert said(stderr) == (
        "gate: Day0 failed with exit code 1\n"
        "  day0/gate.sh:5: route replace 10.9.0.0/16 via 203.0.113.9\n"
        "  Error: Nexthop has invalid gateway."
    )


def test_without_a_line_the_script_is_named() -> None:
    assert said("bash: line 1: no such thing\n", 127) == (
        "gate: Day0 failed with exit code 127\n  day0/gate.sh\n  bash: line 1: no such thing"
    )


def test_silence_is_told_too() -> None:
    assert said("", 137) == "gate: Day0 failed with exit code 137\n  day0/gate.sh"


def test_a_line_beyond_the_script_is_not_looked_up() -> None:
    assert said("day0/gate.sh:99: false\n").splitlines()[1] == "  day0/gate.sh"


def test_the_first_of_several_lines_counts() -> None:
    assert "day0/gate.sh:2: set -e" in said("day0/gate.sh:2: set -e\nday0/gate.sh:7: false\n")


def test_a_real_failure_points_at_the_line_of_the_real_script(tmp_path: Path) -> None:
    """Run with an `ip` that fails as ip does: the line is found by what stands in it."""
    found = planned()
    gate = found.node("gate")
    bad = PlannedRoute(ip_network("10.9.0.0/16"), ip_address("203.0.113.9"), gate.nics[0].name)
    broken = replace(gate, routes=(*gate.routes, bad))
    script = render(replace(found, nodes=(broken,)))["day0/gate.sh"]
    batch = script.splitlines().index("ip -batch - <<EOF") + 1
    line = next(number for number, text in enumerate(script.splitlines(), 1) if "203.0.113.9" in text)
    (tmp_path / "ip").write_text(
        f"#!/bin/sh\necho 'Error: Nexthop has invalid gateway.' >&2\necho 'Command failed -:{line - batch}' >&2\nexit 1\n"
    )
    (tmp_path / "ip").chmod(0o755)
    # Only the part around ip: the settings before it belong to a node.
    only = "\n".join(
        text if number >= batch or text.startswith(("set ", "trap ")) else ""
        for number, text in enumerate(script.splitlines(), 1)
    )
    only = only.replace("$eth", "eth")
    result = subprocess.run(
        ["bash", "-c", only], env={"PATH": f"{tmp_path}:/usr/bin:/bin"}, capture_output=True, text=True
    )
    error = day0_error("gate", "day0/gate.sh", script, Completed(1, result.stdout, result.stderr))
    assert f"day0/gate.sh:{line}: route replace 10.9.0.0/16 via 203.0.113.9" in str(error)
