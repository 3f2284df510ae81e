"""Predicted walks as text, JSON and Mermaid, and `invoke predict` as it is typed."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from srv6lab.predict import predict
from srv6lab.report.walk import Walked, walks_json, walks_mermaid, walks_text
from tests.conftest import INVOKE, REPOSITORY
from tests.in_process import Typed
from tests.small import planned
from tests.test_predict_segments import AT_ADDRESS
from tests.test_predict_services import PROXY
from tests.walks import FORK, LOOP, PING, PLAIN, ROW


def walked(text: str) -> list[Walked]:
    plan = planned(text)
    proxies = frozenset(proxy.behavior.name for machine in plan.nodes for proxy in machine.proxies)
    return [Walked(plan.name, one.name, predict(plan, one.name), proxies) for one in plan.exercises]


# --- text


def test_a_line_a_nic_and_why_under_what_leaves() -> None:
    lines = walks_text(walked(ROW)).splitlines()
    assert lines[:8] == [
        "exercise across, probe echo",
        "  there",
        f"    west:eth1 out  {PING} hl 64 icmp",
        "                     10.0.2.0/24 via 10.0.1.2",
        f"    gate:eth1 in   {PING} hl 64 icmp",
        "    gate:eth2 out  2001:ab::1 → fc00:b::e hl 64 (Linux 63) [fc00:c::d4, *fc00:b::e] SL 1 "
        f"| {PING} hl 63 (Linux 64) icmp",
        "                     H.Encaps: 10.0.2.0/24 is steered over fc00:b::e, fc00:c::d4; ::/0 via 2001:ab::2",
        "    mid:eth1 in    2001:ab::1 → fc00:b::e hl 64 (Linux 63) [fc00:c::d4, *fc00:b::e] SL 1 "
        f"| {PING} hl 63 (Linux 64) icmp",
    ]
    assert "    delivered to east: 10.0.2.1 is its address" in lines
    assert lines[-1].startswith("Linux (encapsulated-before-the-hop): the headend takes its hop off")


def test_a_lost_packet_says_where_and_why() -> None:
    text = walks_text(walked(LOOP))
    assert "    LOST at gate: ICMPv6 Time Exceeded: its hop limit is used up" in text
    assert "  there, on Linux\n" in text, "Linux's walk is a hop shorter, so it is one of its own"
    assert "and back" not in text


def test_another_end_of_the_same_walk_is_shown() -> None:
    text = walks_text(walked(PROXY.replace('["fc00:b::a4", "fc00:c::d4"]', '["fc00:c::1"]')))
    assert "    LOST at exit: fc00:c::1 is an address of exit, no SID: nothing opens what it holds" in text
    assert "  there, on Linux\n" in text


def test_shares_of_a_fork() -> None:
    text = walks_text(walked(FORK))
    assert [line for line in text.splitlines() if line.startswith(("  there", "  and back"))] == [
        "  there, if gate sends all of them to 2001:ab::2 on eth2",
        "  there, if gate sends all of them to 2001:ac::2 on eth3",
        "  and back, if exit sends all of them to 2001:bd::1 on eth2",
        "  and back, if exit sends all of them to 2001:cd::1 on eth3",
    ]
    assert "  there, 1/4 of the flows" in walks_text(walked(PLAIN)).splitlines()


def test_a_proxy_has_a_table_of_what_goes_in_and_comes_out() -> None:
    lines = walks_text(walked(PROXY)).splitlines()
    at = lines.index("  End.AD4 on mid")
    rows = [re.split(r" {2,}", line.strip()) for line in lines[at + 1 : at + 6]]
    assert rows == [
        ["at", "source", "destination", "hop limit", "segment list", "left", "inner packet"],
        ["mid:eth1 in", "2001:ab::1", "fc00:b::a4", "64 (Linux 63)", "fc00:c::d4, fc00:b::a4", "1", f"{PING} hl 63 (Linux 64)"],
        ["mid:veth0 out", "10.0.1.1", "10.0.2.1", "63", "-", "-", "-"],
        ["mid:veth1 in", "10.0.1.1", "10.0.2.1", "62", "-", "-", "-"],
        ["mid:eth2 out", "2001:ab::1", "fc00:c::d4", "63 (Linux 61)", "fc00:c::d4, fc00:b::a4", "0", f"{PING} hl 61 (Linux 62)"],
    ]  # fmt: skip
    assert "End.AD4 on" not in walks_text(walked(ROW))


# --- JSON


def test_json_says_all_of_a_walk() -> None:
    (document,) = json.loads(walks_json(walked(ROW)))
    assert list(document) == ["schema", "lab", "exercise", "probes"]
    (probe,) = document["probes"]
    assert list(probe) == ["probe", "walks", "linux_walks"]
    assert [walk["leg"] for walk in probe["walks"]] == ["there", "back"]
    assert probe["linux_walks"] == []
    walk = probe["walks"][0]
    assert {key: walk[key] for key in walk if key != "hops"} == {
        "leg": "there",
        "share": "1",
        "delivered": True,
        "at": "east",
        "reason": "10.0.2.1 is its address",
        "linux_end": None,
        "choices": [],
        "counted": [],
    }
    hop = walk["hops"][2]
    assert (hop["point"], hop["direction"], hop["behavior"]) == ("gate:eth2", "out", "H.Encaps")
    assert hop["packet"]["segment_list"] == "fc00:c::d4, fc00:b::e"
    assert hop["linux"] == {"hop_limit": "63", "inner.hop_limit": "64"}
    assert hop["quirks"] == ["encapsulated-before-the-hop"]
    assert walk["hops"][0]["packet"]["segment_list"] is None


def test_json_has_the_walks_of_linux_alone() -> None:
    (document,) = json.loads(walks_json(walked(AT_ADDRESS)))
    (probe,) = document["probes"]
    assert not probe["walks"][0]["delivered"]
    assert [(walk["leg"], walk["delivered"]) for walk in probe["linux_walks"]] == [
        ("there", True),
        ("back", True),
    ]
    assert probe["linux_walks"][0]["hops"][-1]["quirks"][-1] == "address-taken-for-a-segment"


# --- Mermaid

STATEMENT = re.compile(
    r"  (?:autonumber|participant n\d+ as [^;#\n]+|Note over n\d+: [^;#\n]+|n\d+->>n\d+: [^;#\n]+)"
)


@pytest.mark.parametrize(
    "text", [ROW, LOOP, FORK, PROXY, AT_ADDRESS], ids=["row", "loop", "fork", "proxy", "address"]
)
def test_mermaid_is_of_few_words(text: str) -> None:
    """What Mermaid's own parser took when it was asked by hand: these statements, and no other."""
    first, *lines = walks_mermaid(walked(text)).splitlines()
    assert first == "sequenceDiagram"
    assert [line for line in lines if not STATEMENT.fullmatch(line)] == []
    named = set(re.findall(r"participant (n\d+) as", "\n".join(lines)))
    assert set(re.findall(r"\bn\d+\b(?=->>|:)", "\n".join(lines))) <= named


def test_mermaid_shows_every_wire_of_a_walk() -> None:
    lines = walks_mermaid(walked(ROW)).splitlines()
    assert lines[2:7] == [
        f"  participant n{n} as {name}" for n, name in enumerate(("west", "gate", "mid", "exit", "east"), 1)
    ]
    arrows = [line.split(":")[0].strip() for line in lines if "->>" in line]
    assert arrows == ["n1->>n2", "n2->>n3", "n3->>n4", "n4->>n5", "n5->>n4", "n4->>n3", "n3->>n2", "n2->>n1"]
    assert lines[-1] == "  Note over n1: delivered: 10.0.1.1 is its address"


def test_mermaid_takes_names_that_are_its_own_words() -> None:
    """Of `end` and `loop` Mermaid begins and ends blocks."""
    text = ROW.replace("mid", "end").replace("exit", "loop")
    diagram = walks_mermaid(walked(text))
    assert "  participant n3 as end\n  participant n4 as loop\n" in diagram
    assert "  n3->>n4: " in diagram


def test_mermaid_shows_what_linux_does_otherwise() -> None:
    assert "across, probe echo, there, on Linux" in walks_mermaid(walked(AT_ADDRESS))
    assert "on Linux" not in walks_mermaid(walked(ROW))


# --- as it is typed


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("typed") / "row.yml"
    path.parent.chmod(0o755)
    path.write_text(ROW)
    return f"lab={path}"


def test_all_probes_of_all_exercises(typed: Typed, lab: str) -> None:
    done = typed("predict", lab)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == walks_text(walked(ROW))


@pytest.mark.parametrize("form", ["json", "mermaid"])
def test_a_form_is_chosen(typed: Typed, lab: str, form: str) -> None:
    done = typed("predict", lab, "--exercise", "across", "--probe", "echo", "--format", form)
    made = {"json": walks_json, "mermaid": walks_mermaid}[form](walked(ROW))
    assert (done.returncode, done.stdout) == (0, made)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--exercise", "acros"], ["has no exercise 'acros'", "did you mean `across`?"]),
        (["--probe", "ecko"], ["there is no probe 'ecko'", "did you mean `echo`?"]),
        (["--format", "jsn"], ["there is no format 'jsn'", "did you mean `json`?"]),
    ],
)
def test_a_typo_is_told_with_what_was_meant(
    typed: Typed, lab: str, words: Sequence[str], message: Sequence[str]
) -> None:
    done = typed("predict", lab, *words)
    assert (done.returncode, done.stdout) == (1, "")
    assert all(part in done.stderr for part in message), done.stderr
    assert "Traceback" not in done.stderr


def test_a_lab_that_is_not_there(typed: Typed) -> None:
    done = typed("predict", "lab=nowhere-at-all")
    assert (done.returncode, done.stdout) == (1, "")
    assert "there is no lab nowhere-at-all" in done.stderr


def test_a_file_that_is_wrong(typed: Typed, tmp_path: Path) -> None:
    (path := tmp_path / "row.yml").write_text(ROW.replace("behavior: End}", "behavior: Ent}"))
    done = typed("predict", f"lab={path}")
    assert (done.returncode, done.stdout) == (2, "")
    assert "row.yml:" in done.stderr


def test_a_reader_that_goes_away_is_no_failure_worth_a_traceback(lab: str) -> None:
    """As `invoke predict … | head -1` does."""
    command = [*INVOKE, "predict", lab]
    process = subprocess.Popen(
        command, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout and process.stderr
    process.stdout.close()
    assert "Traceback" not in process.stderr.read()
    process.wait()


def test_an_ordinary_user_needs_no_root(lab: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Nor a folder to write in: the clone is somebody else's."""
    clone = Path("/tmp") / f"predict-{tmp_path_factory.getbasetemp().name}"
    shutil.rmtree(clone, ignore_errors=True)
    clone.mkdir()
    try:
        for name in ("srv6lab", "templates", "labs"):
            shutil.copytree(REPOSITORY / name, clone / name, ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("tasks.py", "Vagrantfile.j2"):
            shutil.copy(REPOSITORY / name, clone)
        (clone / "row.yml").write_text(ROW)
        subprocess.run(["chmod", "-R", "a+rX", clone], check=True)
        user = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]
        command = [*user, *INVOKE, "predict", "lab=./row.yml"]
        environment = {**os.environ, "HOME": str(clone)}
        done = subprocess.run(command, cwd=clone, env=environment, capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == walks_text(walked(ROW))
    finally:
        shutil.rmtree(clone)
