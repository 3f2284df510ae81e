"""One capture of all NICs with what the model says of each packet, and a profile, as tshark reads them."""

from __future__ import annotations

import gzip
import json
import os
import re
import shlex
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

import srv6lab.capture.tshark
from srv6lab.capture.records import records
from srv6lab.cli import wireshark
from srv6lab.cli.labs import LabsFolder
from srv6lab.errors import MachineError, UsageError
from srv6lab.evidence.packets import Direction, Point
from srv6lab.evidence.prediction import Hop
from srv6lab.evidence.wording import foretell, sentence
from srv6lab.plan.nodes import Plan
from srv6lab.predict import predict
from srv6lab.wireshark import merge, names, profile, runs, start
from tests import modeled
from tests.captures import formats, frames
from tests.conftest import invoke, silent, tool
from tests.small import SMALL

HOSTILE = "a\"b\\c'd,e[f]@g\n#h\x1b[31m\u202ei;$(reboot)`j`\x00</script>"
LAB = (
    SMALL[: SMALL.index("      elsewhere: absent")]
    + """\
      packets:
        - {at: "west:eth1", direction: out, probe: echo, source: 10.0.1.1, destination: 10.0.2.1}
"""
)
ROW = ("frame.interface_name", "frame.packet_flags_direction", "frame.time_epoch", "ip.src_host", "ipv6.dst_host", "frame.comment")  # fmt: skip


@dataclass(frozen=True)
class Lab:
    """A lab's file, and its folder of labs."""

    folder: Path
    plan: Plan

    def write(self, captures: Path, *exercises: str) -> wireshark.Written:
        site = LabsFolder(self.folder)
        asked = wireshark.Asked(exercises, str(captures), (), str(self.folder / "out"))
        return wireshark.write(site, site.refer(str(self.folder / "small.yml")), "", asked, silent)


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return make(tmp_path)


def make(folder: Path) -> Lab:
    (folder / "small.yml").write_text(LAB)
    site = LabsFolder(folder)
    return Lab(folder, site.load(site.refer(str(folder / "small.yml")))[0])


@pytest.fixture(scope="module")
def right(tmp_path_factory: pytest.TempPathFactory) -> tuple[Lab, wireshark.Written]:
    """A right run, in which all packets of a ping are of one instant."""
    folder = tmp_path_factory.mktemp("right")
    lab = make(folder)
    return lab, lab.write(modeled.run(lab.plan, "across", folder / "run"))


def tshark(*words: str, config: Path | None = None) -> str:
    """What tshark says; a complaint of it is a failure."""
    environ = os.environ | ({"WIRESHARK_CONFIG_DIR": str(config)} if config else {})
    ran = subprocess.run([tool("tshark"), *words], capture_output=True, text=True, check=False, env=environ)
    said = [line for line in ran.stderr.splitlines() if "Running as user" not in line]
    assert (ran.returncode, said) == (0, []), (ran.stdout, ran.stderr)
    return ran.stdout


def rows(file: Path, *more: str) -> list[list[str]]:
    fields = [word for name in ROW for word in ("-e", name)]
    out = tshark("-r", str(file), "-N", "n", "-T", "fields", *fields, *more)
    return [line.split("\t") for line in out.splitlines()]


def walk(plan: Plan) -> list[Hop]:
    (prediction,) = predict(plan, "across")
    return [hop for trace in prediction.linux for hop in trace.hops]


def test_packets_of_one_instant_follow_their_walk(right: tuple[Lab, wireshark.Written]) -> None:
    lab, written = right
    hops = walk(lab.plan)
    found = rows(written.opening.capture)
    assert [row[0] for row in found] == [str(hop.point) for hop in hops] * 2
    codes = {Direction.IN: "0x00000001", Direction.OUT: "0x00000002"}
    assert [row[1] for row in found] == [codes[hop.direction] for hop in hops] * 2
    assert len({row[2] for row in found}) == 2
    assert written.packets == len(found)


def test_each_packet_has_its_prediction_beside_it(right: tuple[Lab, wireshark.Written]) -> None:
    lab, written = right
    hops = walk(lab.plan)
    for number, (row, hop) in enumerate(zip(rows(written.opening.capture), hops * 2, strict=True)):
        first, *lines = row[-1].split("\\n")
        step = number % len(hops) % (len(hops) // 2)
        assert first.startswith("exercise across, probe echo, ") and f"hop {step + 1} of " in first
        assert sentence(foretell(hop.packet)) in row[-1], row
        assert any(line.startswith("captured: as predicted") for line in lines)
        assert hop.reason in row[-1]
    assert "its walk ends: delivered to" in row[-1]


def test_nics_and_names_are_told(right: tuple[Lab, wireshark.Written]) -> None:
    lab, written = right
    found = rows(written.opening.capture)
    assert {row[3] for row in found} == {"west:eth1", "east:eth1"}
    assert {row[4] for row in found} - {""} == {"exit:End", "gate:End.DX4"}
    told = subprocess.run([tool("capinfos"), str(written.opening.capture)], capture_output=True, text=True, check=True)  # fmt: skip
    for nic in lab.plan.traced():
        assert f"Name = {nic.point}" in told.stdout and f"link {nic.link}, " in told.stdout
    assert "Capture application: srv6lab" in told.stdout and "exercise across: pass" in told.stdout


def test_the_counts_are_those_of_the_files(lab: Lab) -> None:
    """Also where some files are compressed, or of another kind."""
    run = modeled.run(lab.plan, "across", lab.folder / "run", apart=3)
    (run / "observations.json").unlink()
    files = sorted((run / "captures").iterdir())
    counts = {path.stem: sum(1 for _ in records(path)) for path in files}
    packed, other = files[0], files[1]
    packed.with_name(f"{packed.name}.gz").write_bytes(gzip.compress(packed.read_bytes()))
    packed.unlink()
    timed = [(one.time // 1000, one.data) for one in records(other)]
    other.write_bytes(formats.pcapng(timed))
    written = lab.write(run, "across")
    found = Counter(row[0] for row in rows(written.opening.capture))
    assert found == {str(nic.point): counts[nic.trace] for nic in lab.plan.traced()}


def test_what_differs_is_said_with_its_cause(lab: Lab) -> None:
    def lower(hop: Hop, number: int, frame: bytes) -> bytes:
        """Another hop limit in the outer header of the second ping, from the far end of the core on."""
        wrong = number == 2 and str(hop.point) == "exit:eth2" and frame[12:14] == b"\x86\xdd"
        return frame[:21] + b"\x07" + frame[22:] if wrong else frame

    written = lab.write(modeled.run(lab.plan, "across", lab.folder / "run", lower))
    (wrong,) = [one for one in filters(lab.plan) if one.label == "wrong"]
    found = rows(written.opening.capture, "-Y", wrong.expression)
    assert {row[0] for row in found} == {"exit:eth2"}
    for row in found:
        assert re.search(r"DIFFERS in hop_limit: predicted 6[23], captured 7\\n", row[-1])
        assert "verdict: hop_limit: " in row[-1] and ("cause:" in row[-1] or "one of these" in row[-1])
    assert "exercise across: fail" in written.words


def test_a_proven_cause_and_its_mend_are_those_of_the_check(lab: Lab) -> None:
    run = modeled.run(lab.plan, "across", lab.folder / "run", lost)
    suspect = {"cause": "x", "node": "exit", "what": "the door is shut", "command": "ip link", "proven": True, "mend": "open it"}  # fmt: skip
    (run / "verdict.json").write_text(json.dumps([{"suspects": [suspect]}]))
    told = rows(lab.write(run).opening.capture, "-Y", 'frame.comment contains "MISSING"')
    assert {row[0] for row in told} == {"exit:eth2"}
    for row in told:
        assert "MISSING behind this: the model has it next at exit:eth1 out, where it was not seen" in row[-1]
        assert "cause: the door is shut" in row[-1] and "to mend it: open it" in row[-1]


def lost(hop: Hop, _number: int, frame: bytes) -> bytes | None:
    """Nothing leaves the exit, or is seen behind it."""
    behind = str(hop.point) in ("exit:eth1", "east:eth1") or (hop.packet.icmp and hop.packet.icmp.type == 0)
    return None if behind else frame


def test_captures_that_came_alone_have_predictions_and_no_verdict(lab: Lab) -> None:
    run = modeled.run(lab.plan, "across", lab.folder / "run", lost)
    (run / "observations.json").unlink()
    written = lab.write(run)
    assert written.words[0].startswith("never checked")
    found = [row[-1] for row in rows(written.opening.capture)]
    assert all(f"exercise {runs.AS_UP_LEAVES_IT}, probe ping-1, there, hop " in comment for comment in found)
    assert not any("verdict" in comment or "cause" in comment for comment in found)


def test_a_damaged_file_is_told_and_the_rest_is_there(lab: Lab) -> None:
    run = modeled.run(lab.plan, "across", lab.folder / "run")
    damaged, no_capture, *_ = sorted((run / "captures").iterdir())
    damaged.write_bytes(damaged.read_bytes()[:-5])
    no_capture.write_bytes(b"not a capture at all")
    written = lab.write(run)
    told = "\n".join(written.words)
    assert f"{damaged.name} (" in told and "cut short in record" in told
    assert f"{no_capture.name} (" in told and "no capture that can be read" in told
    assert len(rows(written.opening.capture)) == written.packets == 2 * len(walk(lab.plan)) - 1 - 4


def test_of_many_packets_the_first_have_comments(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    run = modeled.run(lab.plan, "across", lab.folder / "run", pings=4, apart=1)
    hops = len(walk(lab.plan))
    monkeypatch.setattr(runs, "MOST", 2 * hops)
    written = lab.write(run)
    assert [bool(row[-1]) for row in rows(written.opening.capture)] == [True] * 2 * hops + [False] * 2 * hops
    assert any(f"only its first {2 * hops} packets" in word for word in written.words)


@pytest.mark.parametrize(("most", "starts"), [(2, 1), (1, 2)])
def test_runs_are_read_together_as_far_as_tshark_may(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, most: int, starts: int
) -> None:
    (across,) = lab.plan.exercises
    plan = replace(lab.plan, exercises=(across, across.model_copy(update={"name": "again"})))
    folders = {one.name: modeled.run(plan, one.name, lab.folder / one.name) for one in plan.exercises}
    packets = sum(1 for path in (folders["across"] / "captures").iterdir() for _ in records(path))
    monkeypatch.setattr(runs, "MOST", most * packets)
    began = list[Path]()
    describe = srv6lab.capture.tshark.describe

    def counted(program: Path, path: Path, *others: Any) -> Any:
        began.append(path)
        return describe(program, path, *others)

    monkeypatch.setattr(srv6lab.capture.tshark, "describe", counted)
    ours = [runs.Run(name, folder, judged=True) for name, folder in folders.items()]
    told = list(runs.tell(plan, ours, lab.folder, silent))
    assert len(began) == starts
    assert [one.run for one in told] == ours
    assert [one.words for one in told] == [("exercise across: pass",), ("exercise again: pass",)]


def test_no_more_than_the_first_are_described_where_all_are_of_one_instant(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = modeled.run(lab.plan, "across", lab.folder / "run")
    path = run / "captures" / f"{next(iter(lab.plan.traced())).trace}.pcap"
    first = next(records(path))
    path.write_bytes(formats.pcap([(first.time // 1000, bytes(60))] * 500))
    monkeypatch.setattr(runs, "MOST", 50)
    written = lab.write(run)
    described = [row for row in rows(written.opening.capture) if row[-1] or row[1]]
    assert len(described) <= 50 * len([*lab.plan.traced()]) and written.packets > 500
    copied = lab.folder / "copied"
    runs._copy_until(path, first.time, copied)
    assert len([*records(copied)]) == 50


def test_a_packet_of_two_runs_is_written_once(tmp_path: Path) -> None:
    """A run that looks at all since the lab came up holds those of another; a packet that a link doubled stays so."""
    twice = frames.ping(2)
    (tmp_path / "one").write_bytes(formats.pcap([(1, frames.ping(1)), (2, twice), (2, twice)]))
    (tmp_path / "all").write_bytes(formats.pcap([(1, frames.ping(1)), (2, twice), (2, twice), (3, twice)]))
    place = Point("west", "eth1")
    sources = [
        merge.Source(place, tmp_path / "one", "one", {1: merge.Note("by one")}),
        merge.Source(place, tmp_path / "all", "all", {1: merge.Note("by all")}),
    ]
    path = tmp_path / "merged"
    with path.open("wb") as target:
        count = merge.write(target, merge.Header("srv6lab", "", {}), sources, [(place, 1)], 6)
    assert count == 4 and [record.time for record in records(path)] == [1000, 2000, 2000, 3000]
    assert "by one\\n\\nby all" in tshark("-r", str(path), "-T", "fields", "-e", "frame.comment")


def test_nanoseconds_stay(lab: Lab) -> None:
    run = modeled.run(lab.plan, "across", lab.folder / "run")
    for path in (run / "captures").iterdir():
        timed = [(one.time // 1000, one.data) for one in records(path)]
        path.write_bytes(formats.pcap([(time, data) for time, data in timed], magic=0xA1B23C4D, scale=1000))
    path.write_bytes(formats.pcap([(time + 7, data) for time, data in timed], magic=0xA1B23C4D))
    written = lab.write(run)
    (wanted,) = {record.time % 1000 for record in records(path)} - {0}
    assert {row[2][-3:] for row in rows(written.opening.capture)} == {"000", f"{wanted:03}"}


@pytest.mark.parametrize(
    ("exercises", "said"),
    [(("across", "across"), "is of one exercise"), (("nowhere",), "has no exercise 'nowhere'")],
)
def test_what_can_not_be_shown_is_refused(lab: Lab, exercises: tuple[str, ...], said: str) -> None:
    run = modeled.run(lab.plan, "across", lab.folder / "run")
    with pytest.raises(UsageError, match=said):
        lab.write(run, *exercises)
    with pytest.raises(UsageError, match="there is no folder"):
        lab.write(run / "nothing")


# --- the profile


def filters(plan: Plan) -> list[profile.Filter]:
    return profile.filters({"across": predict(plan, "across")})


def test_the_profile_is_shown_by_tshark(right: tuple[Lab, wireshark.Written]) -> None:
    """Its columns, its colors, each of its filters and the names of its hosts."""
    lab, written = right
    opening = written.opening
    folder = opening.config / "profiles" / opening.profile
    ours = ("-C", opening.profile, "-r", str(opening.capture))
    out = tshark(*ours, "-Y", "ipv6.routing.segleft == 1", config=opening.config)
    assert "gate:eth2 Outbound fc00:b::e exit:End 1 fc00:b::d4,fc00:b::e" in out
    rules = tshark(*ours, "--color", "-T", "fields", "-e", "frame.coloring_rule.name", config=opening.config)
    assert set(rules.splitlines()) == {"plain IPv4", "SRH, segments are left", "SRH, the last segment is active"}  # fmt: skip
    every = " or ".join(f"({one})" for one in profile.expressions(filters(lab.plan)))
    assert len(tshark(*ours, "-Y", every, config=opening.config).splitlines()) == written.packets
    trace = next((lab.folder / "run" / "captures").glob("middle.pcap"))
    words = ("-H", str(folder / "hosts"), "-N", "n", "-T", "fields", "-e", "ipv6.dst_host")
    assert "exit:End" in tshark("-r", str(trace), *words)
    kept = (folder / "dfilters").read_text().splitlines()
    assert kept == [f'"{one.name}" {one.expression}' for one in filters(lab.plan)]


def test_what_wireshark_remembers_stays(lab: Lab) -> None:
    """Widths of columns are given once; what the profile says is written anew."""
    run = modeled.run(lab.plan, "across", lab.folder / "run")
    opening = lab.write(run).opening
    place = opening.config / "profiles" / opening.profile
    assert "%Cus:ipv6.routing.segleft, " in (place / "recent").read_text()
    for name in ("recent", "preferences"):
        (place / name).write_text("# changed\n")
    lab.write(run)
    assert (place / "recent").read_text() == "# changed\n" != (place / "preferences").read_text()


def test_a_filter_that_is_none_is_refused_by_tshark(right: tuple[Lab, wireshark.Written]) -> None:
    with pytest.raises(AssertionError):
        tshark("-r", str(right[1].opening.capture), "-Y", "ipv6.no_such_field == 1")


def test_a_color_whose_filter_is_none_is_refused_by_tshark(
    right: tuple[Lab, wireshark.Written], tmp_path: Path
) -> None:
    opening = right[1].opening
    shutil.copytree(opening.config / "profiles", tmp_path / "profiles")
    colors = tmp_path / "profiles" / opening.profile / "colorfilters"
    colors.write_text(f"@wrong@ipv6.no_such_field@[0,0,0][0,0,0]\n{colors.read_text()}")
    with pytest.raises(AssertionError, match="Could not compile"):
        tshark("-C", opening.profile, "-r", str(opening.capture), "--color", config=tmp_path)


def test_filters_find_an_exercise_a_probe_and_a_behavior(right: tuple[Lab, wireshark.Written]) -> None:
    lab, written = right
    kept = {one.name: one.expression for one in filters(lab.plan)}

    def found(name: str) -> int:
        return len(rows(written.opening.capture, "-Y", kept[name]))

    assert found("exercise across, probe echo") == written.packets
    assert found("not as the model says") == 0
    assert found("behavior End.DX4") == 4 and "behavior End" in kept


def test_hostile_words_stay_words(right: tuple[Lab, wireshark.Written], tmp_path: Path) -> None:
    """In names, filters and buttons: nothing of them ends a quote, a line or a column."""
    config = tmp_path / "profiles" / "hostile"
    config.mkdir(parents=True)
    address = ip_address("10.0.1.1")
    ours = [profile.Filter(HOSTILE, f"frame.comment contains {profile.quoted(HOSTILE)}", HOSTILE)]
    for name, text in profile.files(names.hosts([(address, names.clean(HOSTILE))]), ours).items():
        (config / name).write_text(text)
    assert len((config / "dfilters").read_text().splitlines()) == 1
    (button,) = (config / "dfilter_buttons").read_text().splitlines()
    cells = re.fullmatch(r'"TRUE","([^"]*)","([^"]*)","([^"]*)"', button)
    assert cells and button.isascii() and button.isprintable()
    assert unescaped(cells[1]) == HOSTILE
    words = ("-C", "hostile", "-r", str(right[1].opening.capture), "-N", "n")
    # The capture's own names stand above those of a hosts file, so a file without any is asked.
    bare = right[0].folder / "run" / "captures" / "middle.pcap"
    assert tshark("-C", "hostile", "-r", str(bare), "-Y", ours[0].expression, config=tmp_path) == ""
    hosts = tshark(
        *words[:2], "-r", str(bare), "-T", "fields", "-e", "ip.src_host", "-N", "n", config=tmp_path
    )
    assert names.clean(HOSTILE) in hosts.splitlines()


def unescaped(text: str) -> str:
    plain = re.sub(r"\\x([0-9a-f]{2})", lambda found: chr(int(found[1], 16)), text)
    return plain.encode("latin-1").decode()


def test_hostile_descriptions_reach_the_capture_as_text(lab: Lab) -> None:
    path = lab.folder / "small.yml"
    path.write_text(path.read_text().replace("name: small\n", 'name: small\ndescription: "</script>, \'[@]$(reboot)"\n'))  # fmt: skip
    written = lab.write(modeled.run(lab.plan, "across", lab.folder / "run"))
    out = subprocess.run([tool("capinfos"), "-k", str(written.opening.capture)], capture_output=True, text=True, check=True)  # fmt: skip
    assert "</script>, '[@]$(reboot)" in out.stdout


# --- names


def test_sids_of_a_node_are_told_apart() -> None:
    plan = planned_with(
        '  - {node: exit, sid: "fc00:b::d5", behavior: End.DX4, nh4: 10.0.2.9}\n'
        '  - {node: gate, sid: "fc00:a::c", behavior: End.X, nh6: "2001:ab::2"}\n'
    )
    known = {str(address): name for address, name in names.names(plan)}
    assert known["fc00:b::d4"] == "exit:End.DX4(east)" and known["fc00:b::d5"] == "exit:End.DX4(d5)"
    assert known["fc00:a::c"] == "gate:End.X" and known["fc00:a::1"] == "gate"
    assert known["2001:ab::1"] == "gate:eth2"


def planned_with(more: str) -> Plan:
    from tests.small import planned

    return planned(SMALL.replace("steering:\n", f"{more}steering:\n", 1))


def test_names_are_words_of_a_hosts_file() -> None:
    assert names.clean(HOSTILE) == names.clean(names.clean(HOSTILE))
    assert not set(names.clean(HOSTILE)) & set(" \t\n#\"'\\,`\x1b")
    assert names.clean("") == "_" and len(names.clean("x" * 300)) == names.LONGEST


# --- starting it

FAKE = """\
#!/bin/sh
# Refuses what it isn't told to understand, and writes down how it was started.
[ $# = 4 ] && [ "$1" = -C ] && [ "$3" = -r ] && [ -f "$4" ] || { echo "no such options" >&2; exit 2; }
[ -f "$WIRESHARK_CONFIG_DIR/profiles/$2/preferences" ] || { echo "no such profile" >&2; exit 2; }
[ -z "$FAIL" ] || { echo "$FAIL" >&2; exit 1; }
session=$(cut -d ' ' -f 6 /proc/$$/stat)
printf '%s\\n' "$WIRESHARK_CONFIG_DIR" "$session" "$$" "$@" >"${0%/*}/said"
"""


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A Wireshark of ours on the PATH: where it writes down how it was started."""
    programs = tmp_path / "programs"
    programs.mkdir()
    program = programs / "wireshark"
    program.write_text(FAKE)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "SUDO_USER", "FAIL"):
        monkeypatch.delenv(name, raising=False)
    yield programs / "said"


@pytest.mark.parametrize("display", ["DISPLAY", "WAYLAND_DISPLAY"])
def test_it_is_started_apart_with_its_own_configuration(
    display: str, right: tuple[Lab, wireshark.Written], fake: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, written = right
    monkeypatch.setenv(display, ":7")
    assert wireshark.opened(written) == "Wireshark shows it"
    config, session, process, *argv = fake.read_text().splitlines()
    assert config == str(written.opening.config.resolve()) and session == process
    assert argv == ["-C", "srv6lab-small", "-r", str(written.opening.capture)]


def test_one_that_ends_at_once_is_told_with_the_command(
    right: tuple[Lab, wireshark.Written], fake: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, written = right
    monkeypatch.setenv("DISPLAY", ":7")
    monkeypatch.setenv("FAIL", "could not connect to display")
    told = wireshark.opened(written)
    assert "Wireshark didn't start: it ended with status 1: could not connect to display" in told
    assert written.opening.typed() in told


def test_without_a_display_the_command_is_told_and_works(
    right: tuple[Lab, wireshark.Written], tmp_path: Path, fake: Path
) -> None:
    _, there = right
    folder = shutil.copytree(there.folder, tmp_path / "a folder's name; exit 9")
    opening = replace(there.opening, capture=folder / there.opening.capture.name, config=folder)
    written = replace(there, folder=folder, opening=opening)
    told, command = wireshark.opened(written).split("\n")
    assert told.startswith("there is no display here; to open it")
    subprocess.run(["sh", "-c", command], check=True)
    assert fake.read_text().splitlines()[-1] == str(written.opening.capture)


def test_without_wireshark_the_command_is_told(
    right: tuple[Lab, wireshark.Written], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, written = right
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("DISPLAY", ":7")
    assert wireshark.opened(written).startswith("Wireshark isn't installed here; to open it")


def test_whoever_used_sudo_gets_the_window() -> None:
    assert start.person({}) is None and start.person({"SUDO_USER": "nobody-of-that-name"}) is None
    assert start.person({"SUDO_USER": "root"}) is None
    found = start.person({"SUDO_USER": "nobody"})
    assert os.geteuid() != 0 or (found and found.uid and found.name == "nobody")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_it_runs_as_whoever_used_sudo(lab: Lab, fake: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = lab.write(modeled.run(lab.plan, "across", lab.folder / "run"))
    for folder in (*fake.parents,):
        if "pytest" in str(folder):
            folder.chmod(0o777)
    monkeypatch.setenv("DISPLAY", ":7")
    monkeypatch.setenv("SUDO_USER", "nobody")
    assert wireshark.opened(written) == "Wireshark shows it, as nobody"
    assert fake.stat().st_uid == written.opening.capture.stat().st_uid == written.folder.stat().st_uid != 0


def test_what_was_in_the_folder_before_stays_its_owners(
    right: tuple[Lab, wireshark.Written], lab: Lab
) -> None:
    """Somebody may name any folder with --out; who used sudo gets only what was made."""
    there = lab.folder / "out"
    there.mkdir()
    (there / "mine").write_text("")
    written = lab.write(modeled.run(lab.plan, "across", lab.folder / "run"))
    assert not {there, there / "mine"} & {*written.made}
    assert {path for path in there.rglob("*") if path.name != "mine"} == {*written.made}
    _, fresh = right
    assert {fresh.folder, fresh.opening.capture} <= {*fresh.made}


def test_the_task_prints_paths_alone(lab: Lab) -> None:
    run = modeled.run(lab.plan, "across", lab.folder / "run")
    ran = invoke("wireshark", f"lab={lab.folder / 'small.yml'}", "--captures", str(run), "--out", str(lab.folder / "made"), "--files-only")  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert [Path(line).exists() for line in ran.stdout.splitlines()] == [True, True]
    assert "exercise across: pass" in ran.stderr


def test_of_a_lab_that_is_not_up_there_is_nothing_to_show(lab: Lab) -> None:
    site = LabsFolder(lab.folder)
    reference = site.refer(str(lab.folder / "small.yml"))
    with pytest.raises(MachineError, match="never-begun isn't up"):
        wireshark.write(site, reference, "never-begun", wireshark.Asked((), "", (), ""), silent)


@pytest.mark.prove
def test_wireshark_itself_opens_it(lab: Lab) -> None:
    """On a display that nobody sees: it stays, says nothing of the profile, and takes the filters for its own."""
    wanted = ("wireshark", "Xvfb")
    if lacking := [name for name in wanted if not shutil.which(name)]:
        pytest.skip(f"{' and '.join(lacking)} isn't installed")
    written = lab.write(modeled.run(lab.plan, "across", lab.folder / "run"))
    read, write = os.pipe()
    screen = subprocess.Popen(["Xvfb", "-displayfd", str(write), "-screen", "0", "1280x800x24"], pass_fds=[write], stderr=subprocess.DEVNULL)  # fmt: skip
    os.close(write)
    try:
        with os.fdopen(read) as said:
            number = said.readline().strip()
        environ = {**os.environ, "DISPLAY": f":{number}", "WIRESHARK_CONFIG_DIR": str(written.opening.config)}
        ran = subprocess.run(
            ["timeout", "--preserve-status", "40", *written.opening.argv("wireshark")],
            capture_output=True, text=True, env=environ, check=False,
        )  # fmt: skip
    finally:
        screen.terminate()
        screen.wait()
    assert ran.returncode == -15 or ran.returncode == 143, ran.stderr
    told = [
        line
        for line in ran.stderr.splitlines()
        if re.search("filter|profile|column|preference|hosts", line, re.I)
    ]
    assert told == []


def test_what_is_typed_is_quoted() -> None:
    opening = start.Opening(Path("/tmp/a b'c/x.pcapng"), Path("/tmp/a b'c"), "srv6lab-x")
    assert shlex.split(opening.typed()) == ["WIRESHARK_CONFIG_DIR=/tmp/a b'c", "wireshark", "-C", "srv6lab-x", "-r", "/tmp/a b'c/x.pcapng"]  # fmt: skip
