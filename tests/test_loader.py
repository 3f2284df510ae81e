"""The loader: labs load, speed is linear, and no file however broken raises anything else."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from srv6lab.errors import TopologyError, UsageError
from srv6lab.topology.checks import CHECKS
from srv6lab.topology.load import load, loads

ROOT = Path(__file__).parents[1]
LABS = sorted(ROOT.glob("labs/*/topology.yml"))


@pytest.mark.parametrize("path", LABS, ids=lambda path: path.parent.name)
def test_labs_load_without_a_word(path: Path) -> None:
    lab = load(path, "topology.yml")
    assert lab.warnings == ()
    assert lab.source.file == "topology.yml"
    for index, link in enumerate(lab.topology.links):
        assert link.name in lab.source.locate(("links", index, "name")).source


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no file") as caught:
        load(tmp_path / "no.yml")
    assert caught.value.mend


def test_a_folder(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is a folder") as caught:
        load(tmp_path)
    assert str(tmp_path / "topology.yml") in caught.value.mend


def test_a_path_below_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="can't be read"):
        load(tmp_path / "file" / "topology.yml")


def test_a_path_with_nul() -> None:
    with pytest.raises(UsageError, match="can't be read"):
        load(Path("a\0b"))


def test_every_check_has_a_case() -> None:
    """A check that no file in tests/errors/ triggers is unproven."""
    triggered: set[str] = set()

    def watched(check: Callable[..., object]) -> Callable[..., object]:
        def run(*arguments: object) -> list[object]:
            found: list[object] = list(check(*arguments))  # type: ignore[call-overload]
            if found:
                triggered.add(check.__name__)
            return found

        return run

    names = {check.__name__ for check in CHECKS}
    original = CHECKS.copy()
    CHECKS[:] = [watched(check) for check in original]  # type: ignore[misc]
    try:
        for path in (ROOT / "tests" / "errors").glob("*.yml"):
            try:
                load(path)
            except TopologyError:
                continue
    finally:
        CHECKS[:] = original
    assert names - triggered == set()


def ring(size: int) -> str:
    """A ring of routers with a SID, a policy and an expectation each."""
    nodes, links, sids, steering, packets = [], [], [], [], []
    for number in range(size):
        name, after = f"n{number}", f"n{(number + 1) % size}"
        prefix = f"fd00:{number:x}"
        nodes.append(
            f'  {name}: {{role: router, locator: "fc00:{number:x}::/64", loopback: "fc00:{number:x}::1/64", '
            f'routes: [{{prefix: "::/0", via: "{prefix}::2"}}]}}'
        )
        links.append(
            f'  - {{name: l{number}, prefix: "{prefix}::/64", endpoints: '
            f'[{{at: "{name}:eth1", address: "{prefix}::1"}}, '
            f'{{at: "{after}:eth2", address: "{prefix}::2"}}]}}'
        )
        sids.append(f'  - {{node: {name}, sid: "fc00:{number:x}::e", behavior: End}}')
        last = f"fc00:{(number + 1) % size:x}::e"
        match = '{prefix: "fd99::/48"}'
        steering.append(f'  - {{headend: {name}, match: {match}, to: {{segments: ["{last}"]}}}}')
        packets.append(f'        - {{at: "{name}:eth1", direction: out, probe: p, segment_list: ["{last}"]}}')
    parts = {"nodes": nodes, "links": links, "local_sids": sids, "steering": steering}
    text = "name: ring\n" + "".join(f"{key}:\n" + "\n".join(lines) + "\n" for key, lines in parts.items())
    exercise = "  - name: e\n    probes: [{id: p, from: n0, to: n1, icmp: 1}]\n    expect:\n      packets:\n"
    return f"{text}exercises:\n{exercise}" + "\n".join(packets) + "\n"


def seconds(text: str) -> float:
    start = time.process_time()
    try:
        loads(text, "ring.yml")
    except TopologyError as error:
        str(error)
    return time.process_time() - start


def growth(small: str, large: str) -> float:
    """How many times as much of the processor the larger file takes. The least of some, since others are at work, too."""
    return min(seconds(large) for _ in range(2)) / min(seconds(small) for _ in range(5))


def test_many_nodes_load_in_linear_time() -> None:
    assert loads(ring(400), "ring.yml").warnings == ()
    assert growth(ring(40), ring(400)) < 20


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("  n0: {", "  renamed: {"),
        ("role: router", "role: rooter"),
        (":e", ":f"),
        ("segments: [", "segment: ["),
        ("via: ", "via: 10.0.0.0/8 #"),
        ("address: ", "address: 300."),
        ('", behavior: End', '", behavior: Ende, table: 3'),
        ("probe: p", "probe: q"),
        ("fc00:", "fc00::"),
        ("node: n", "node: m"),
        ("eth1", "eth2"),
        ("prefix: ", "prefixx: "),
    ],
)
def test_many_nodes_with_one_mistake_everywhere(old: str, new: str) -> None:
    """What grows with the square of the nodes takes a hundred times as long for ten times as many."""
    assert growth(ring(30).replace(old, new), ring(300).replace(old, new)) < 25


RULED = """\
name: x
nodes: {a: {role: service}, b: {role: host}}
links: [{name: l, prefix: 10.0.0.0/24, endpoints: ["a:eth1", "b:eth1"]}]
services: {ids: {node: a, listen: eth1, rules: own.rules}}
"""


def test_rules_are_read_beside_the_topology(tmp_path: Path) -> None:
    (tmp_path / "topology.yml").write_text(RULED)
    (tmp_path / "own.rules").write_text("# none\r\n")
    assert load(tmp_path / "topology.yml").files == {"own.rules": "# none\r\n"}
    assert loads(RULED, "x.yml").files == {}


@pytest.mark.parametrize("content", [b"a\0b", b"\xff", b"x" * 1_000_001, None])
def test_rules_that_are_no_small_text_are_refused(tmp_path: Path, content: bytes | None) -> None:
    """A pipe, for one, would never end."""
    (tmp_path / "topology.yml").write_text(RULED)
    if content is None:
        os.mkfifo(tmp_path / "own.rules")
    else:
        (tmp_path / "own.rules").write_bytes(content)
    with pytest.raises(TopologyError, match=r":4:48: error: own\.rules can't be read: it is "):
        load(tmp_path / "topology.yml")
