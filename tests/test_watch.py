"""What `watch` makes of what it knows: events, lines, screens. Values in, values out."""

from __future__ import annotations

import fcntl
import json
import struct
from collections.abc import Mapping
from dataclasses import replace
from io import StringIO
from ipaddress import IPv6Address
from pathlib import Path
from typing import Any

import pytest

from srv6lab.capture.pcap import packets_from
from srv6lab.errors import MachineError
from srv6lab.evidence.packets import Direction, Point
from srv6lab.evidence.verdict import FieldDiffers, Item, Settled, Status, Suspect, Verdict
from srv6lab.host.lock import is_held
from srv6lab.live.watch_answers import Answer, counters, read, read_policies
from srv6lab.live.watch_captures import MOST, Trace, Traces, destination, direction
from srv6lab.live.watch_files import outcome
from srv6lab.live.watch_lab import Due
from srv6lab.live.watch_state import (
    DOWN,
    UNKNOWN,
    UP,
    Counted,
    Event,
    Known,
    Lab,
    Outcome,
    Policy,
    Route,
    events,
    of_node,
)
from srv6lab.report.json import verdicts_json
from srv6lab.report.table import width as columns
from srv6lab.report.watch import event_json, event_text
from srv6lab.report.watch_frame import History, frame
from srv6lab.report.watch_screen import console, draw

WAY = Route("fc00:b::/64", "main", "via 2001:ab::2 dev eth2", "boot")
SID = Route("fc00:a::e", "main", "encap seg6local action End dev eth2", "boot", "End")
VERDICT = Outcome(
    "fail", "2026-11-29T16:00:00+00:00", 3, 5, "a route is gone", "route-gone", True, "invoke up"
)
SEEN = Known(
    lab=Lab(UP, "small", "mine", "netns", "2026-11-29T16:00:00+00:00"),
    nodes={"gate": UP, "exit": UP},
    tracers={"gate:eth2": UP},
    nics={"gate:eth2": UP, "gate/inner:veth0": UP},
    packets={"gate:eth2": Counted(1, 2, 100, 200), "gate/inner:veth0": Counted(0, 0)},
    routes={"gate": frozenset({WAY, SID}), "gate/inner": frozenset()},
    served={("gate", "fc00:a::e"): (0, "captures")},
    policies={("gate", "10 to fc00:b::1"): Policy("blue", "steer", "first", "fc00:b::e (1)")},
    lacks={"gate": frozenset()},
    drift={"gate": frozenset()},
    runs={"across": VERDICT},
)


def told(before: Known | None, now: Known) -> list[tuple[str, Mapping[str, Any]]]:
    return [(one.kind, one.fields) for one in events(before, now)]


class TestEvents:
    def test_at_first_everything_is_told_as_found(self) -> None:
        found = list(events(None, SEEN))
        kinds = {
            "lab",
            "verdict",
            "node",
            "tracer",
            "nic",
            "packets",
            "route",
            "sid",
            "policy",
            "routing",
            "drift",
        }
        assert {one.kind for one in found} == kinds
        assert all(one.first for one in found)

    def test_nothing_new_is_nothing(self) -> None:
        assert told(SEEN, SEEN) == []

    def test_a_node_that_dies(self) -> None:
        assert told(SEEN, replace(SEEN, nodes={"gate": DOWN, "exit": UP})) == [
            ("node", {"node": "gate", "state": "down"})
        ]

    def test_what_could_not_be_read_is_unknown(self) -> None:
        now = replace(SEEN, nodes={"gate": UNKNOWN, "exit": UP}, trouble={"nodes": "no answer"})
        assert [(kind, one.get("state"), one.get("why")) for kind, one in told(SEEN, now)] == [
            ("unknown", None, "no answer"),
            ("node", "unknown", None),
        ]
        assert told(now, replace(now, trouble={}))[0] == ("unknown", {"what": "nodes", "why": ""})

    def test_a_nic_of_a_nested_namespace_has_its_parts(self) -> None:
        now = replace(SEEN, nics={**SEEN.nics, "gate/inner:veth0": DOWN})
        assert told(SEEN, now) == [
            ("nic", {"node": "gate", "netns": "inner", "nic": "veth0", "state": "down"})
        ]

    def test_routes_and_sids_come_and_go(self) -> None:
        now = replace(SEEN, routes={"gate": frozenset({replace(WAY, how="via 2001:ab::3 dev eth2")})})
        assert [(kind, one["change"], one.get("prefix") or one["sid"]) for kind, one in told(SEEN, now)] == [
            ("sid", "removed", "fc00:a::e"),
            ("route", "removed", "fc00:b::/64"),
            ("route", "added", "fc00:b::/64"),
        ]

    def test_a_namespace_that_was_not_read_has_lost_nothing(self) -> None:
        assert told(SEEN, replace(SEEN, routes={})) == []

    def test_lines_that_nobody_could_tell_are_not_gone(self) -> None:
        bad = replace(SEEN, drift={"gate": frozenset({"mtu"})})
        assert told(SEEN, bad) == [("drift", {"node": "gate", "change": "new", "what": "mtu"})]
        assert told(bad, replace(SEEN, drift={"gate": None})) == []
        assert told(bad, SEEN) == [("drift", {"node": "gate", "change": "gone", "what": "mtu"})]

    def test_a_lab_that_goes_is_one_event_and_one_that_comes_is_all(self) -> None:
        gone = Known(lab=Lab("destroyed", "small", "mine"), runs=SEEN.runs)
        assert [kind for kind, _ in told(SEEN, gone)] == ["lab"]
        again = list(events(gone, SEEN))
        assert [one.kind for one in again if not one.first] == ["lab"]
        assert {one.kind for one in again} > {"node", "route", "sid"}

    def test_a_verdict_is_told_once(self) -> None:
        now = replace(
            SEEN, runs={"across": replace(VERDICT, status="pass", when="2026-11-29T16:00:01+00:00")}
        )
        assert [(kind, one["exercise"], one["status"]) for kind, one in told(SEEN, now)] == [
            ("verdict", "across", "pass")
        ]

    def test_of_one_node_and_of_the_lab(self) -> None:
        found = [Event("lab", {}), Event("node", {"node": "gate"}), Event("node", {"node": "exit"})]
        assert list(of_node(found, "gate")) == found[:2]
        assert list(of_node(found, "")) == found


# Ends of lines, escape sequences, marks from right to left, a separator of lines, markup of rich, a wide letter.
HOSTILE = "\x1b]0;owned\x07\x1b[2J\r\nfake node\u202e\u2028\u2066[red]:boom:[/]\x9b31m\t界\ud800"


def hostile() -> Known:
    return Known(
        lab=Lab(UP, HOSTILE, HOSTILE, HOSTILE, "2026-11-29T16:00:00+00:00", True, HOSTILE),
        nodes={HOSTILE: DOWN},
        tracers={HOSTILE: DOWN},
        nics={HOSTILE: DOWN},
        packets={HOSTILE: Counted(1, 1)},
        routes={HOSTILE: frozenset({Route(HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE)})},
        served={(HOSTILE, HOSTILE): (1, "kernel")},
        policies={(HOSTILE, HOSTILE): Policy(HOSTILE, HOSTILE, HOSTILE, HOSTILE)},
        lacks={HOSTILE: frozenset({HOSTILE})},
        drift={HOSTILE: frozenset({HOSTILE})},
        runs={HOSTILE: Outcome("fail", HOSTILE, 1, 2, HOSTILE, HOSTILE, True, HOSTILE)},
        trouble={HOSTILE: HOSTILE},
    )


class TestHostile:
    def test_an_event_is_one_line_of_ascii(self) -> None:
        found = list(events(None, hostile()))
        assert len(found) > 10
        for one in found:
            line = event_json(one, "now")
            assert line.isascii() and line.endswith("\n") and line[:-1].isprintable()
            assert json.loads(line)["kind"] == one.kind

    def test_a_line_for_people_is_one_line(self) -> None:
        for one in events(None, hostile()):
            line = event_text(one, "now")
            assert line == "" or (line.endswith("\n") and line[:-1].isprintable())

    @pytest.mark.parametrize("size", [(80, 24), (200, 60), (50, 12)])
    def test_a_screen_has_no_words_that_steer(self, size: tuple[int, int]) -> None:
        out = StringIO()
        on = console(out)
        draw(on, frame(hostile(), History(), *size), size)
        shown = out.getvalue()
        assert (
            "\x1b]" not in shown and "\x1b[2J" not in shown and "\x9b" not in shown and "\u202e" not in shown
        )
        assert "owned" in shown and "[red]:boom:" in shown  # as words


class TestFrame:
    @pytest.mark.parametrize("size", [(80, 24), (200, 60), (71, 24), (40, 10), (20, 5), (5, 2), (1, 1)])
    @pytest.mark.parametrize("known", [SEEN, Known(), hostile()], ids=["sound", "gone", "hostile"])
    def test_it_is_as_wide_and_high_as_there_is_room(self, known: Known, size: tuple[int, int]) -> None:
        lines = frame(known, History(), *size, note="nodes aren't on this machine")
        assert len(lines) == size[1]
        assert all(sum(columns(words) for words, _ in line) <= size[0] for line in lines)

    def test_what_is_wrong_stands_there(self) -> None:
        now = replace(
            SEEN,
            nodes={"gate": DOWN, "exit": UP},
            lacks={"gate": frozenset({"gate has no route"})},
            drift={"gate": frozenset({"gate link: mtu 1500 → 1400"})},
        )
        shown = screen(now)
        for words in (
            "1 of 2 nodes",
            "gate DEAD",
            "FAIL  across",
            "cause: a route is gone",
            "gate has no route",
        ):
            assert words in shown
        assert "mtu 1500 → 1400" in shown and "0* gate fc00:a::e End" in shown

    def test_what_nobody_could_tell_is_not_said_to_be_sound(self) -> None:
        assert "settings are as Day0 left them" in screen(SEEN)
        shown = screen(
            replace(SEEN, drift={"gate": None}, nodes={"gate": UNKNOWN}, trouble={"settings": "late"})
        )
        assert "as Day0" not in shown and "gate unknown" in shown and "DEAD" not in shown
        assert "unknown: settings: late" in shown

    def test_of_one_node(self) -> None:
        now = replace(SEEN, packets={**SEEN.packets, "exit:eth2": Counted(0, 0)})
        assert "exit:eth2" in screen(now) and "exit:eth2" not in screen(now, "gate")

    def test_rates_are_between_two_looks(self) -> None:
        history = History()
        history.add(1.0, {"gate:eth2": Counted(10, 10)})
        assert history.rate("gate:eth2") is None
        history.add(3.0, {"gate:eth2": Counted(14, 10)})
        assert history.rate("gate:eth2") == (2.0, 0.0)
        assert history.bars("gate:eth2", 3) == "  █" and history.rate("other:eth1") is None

    def test_quiet_nics_are_left_out_first(self) -> None:
        history = History()
        quiet = {f"gate:eth{number}": Counted(0, 0) for number in range(40)}
        history.add(1.0, quiet)
        now = {**quiet, "gate:eth39": Counted(9, 0)}
        history.add(2.0, now)
        shown = screen(replace(SEEN, packets=now), history=history)
        assert "gate:eth39" in shown and "more that were quiet" in shown


def screen(known: Known, node: str = "", history: History | None = None) -> str:
    lines = frame(known, history or History(), 160, 24, node)
    return "\n".join("".join(words for words, _ in line) for line in lines)


def test_no_color_where_none_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    colored = StringIO()
    draw(console(colored), frame(SEEN, History(), 80, 24), (80, 24))
    assert "\x1b[32m" in colored.getvalue()
    monkeypatch.setenv("NO_COLOR", "")
    plain = StringIO()
    draw(console(plain), frame(SEEN, History(), 80, 24), (80, 24))
    assert "\x1b[32m" not in plain.getvalue() and "2 of 2 nodes" in plain.getvalue()


# --- answers of nodes

DEV = "Inter-| Receive\n face |bytes\n    lo: 1 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0\n  eth2: 640 8 0 1 0 0 0 0 680 6 0 2 0 0 0 0\n"
LINKS = [
    {"ifname": "lo", "flags": ["LOOPBACK", "UP", "LOWER_UP"], "address": "00:00:00:00:00:00"},
    {"ifname": "eth2", "flags": ["UP", "LOWER_UP"], "address": "02:00:00:00:00:0a"},
    {"ifname": "eth3", "flags": ["UP", "NO-CARRIER"], "address": "02:00:00:00:00:0b"},
]
V6 = [
    {"type": "local", "dst": "fc00:a::1", "dev": "lo", "table": "local"},
    {"dst": "fe80::/64", "dev": "eth2", "protocol": "kernel"},
    {
        "dst": "fc00:a::e",
        "encap": "seg6local",
        "action": "End.DX4",
        "nh4": "10.0.0.1",
        "dev": "eth1",
        "metric": 1024,
    },
    {
        "dst": "fc00:a::f",
        "encap": {"encap_type": "seg6local", "action": "End", "stats64": {"packets": 7}},
        "dev": "eth2",
    },
    {"dst": "default", "gateway": "2001:ab::2", "dev": "eth2", "metric": 1024, "flags": [], "pref": "medium"},
    {
        "dst": "fc00:c::/64",
        "nexthops": [{"via": "x", "dev": "eth2", "weight": 1}, {"dev": "eth3"}],
        "table": "100",
    },
]


def answer(v6: object = V6, tail: str = "-- policies\n\n-- end\n") -> str:
    return f"-- dev \n{DEV}\n-- link \n{json.dumps(LINKS)}\n-- v6 \n{json.dumps(v6)}\n-- v4 \n[]\n{tail}"


def test_an_answer_is_read() -> None:
    found: Answer = read("gate", answer())
    assert found.packets == {"gate:eth2": Counted(8, 6, 640, 680, 3)}
    assert (
        found.nics == {"gate:eth2": UP, "gate:eth3": DOWN} and found.macs["gate:eth3"] == "02:00:00:00:00:0b"
    )
    routes = {one.prefix: one for one in found.routes["gate"]}
    assert routes.keys() == {"fc00:a::e", "fc00:a::f", "default", "fc00:c::/64"}
    assert (routes["fc00:a::e"].behavior, routes["fc00:a::e"].packets) == ("End.DX4", None)
    assert routes["fc00:a::e"].how == "encap seg6local action End.DX4 nh4 10.0.0.1 dev eth1"
    assert (routes["fc00:a::f"].behavior, routes["fc00:a::f"].packets) == ("End", 7)
    assert routes["default"].how == "via 2001:ab::2 dev eth2"
    assert routes["fc00:c::/64"].table == "100" and routes["fc00:c::/64"].how.count("nexthop") == 2


@pytest.mark.parametrize("said", [answer([{"no": "dst"}]), "-- dev \nx\ny\neth1: 1\n-- end\n", answer(["x"])])
def test_an_answer_that_is_none_is_refused(said: str) -> None:
    with pytest.raises(MachineError, match="answers otherwise"):
        read("gate", said)


def test_policies_as_an_agent_tells_them() -> None:
    path = {"name": "blue", "id": "x", "state": "active: only one", "segment_lists": []}
    policy = {"name": "", "color": 10, "endpoint": "fc00::1", "action": "steer", "candidate_paths": [path]}
    policy |= {"flows": [{"segments": ["fc00:b::e"], "share": "1"}]}
    assert read_policies("gate", json.dumps({"policies": [policy]})) == {
        ("gate", "10 to fc00::1"): Policy("", "steer", "blue", "fc00:b::e (1)")
    }
    assert read_policies("gate", "half a fi") == {}


def test_a_counter_of_many_digits_without_a_space() -> None:
    text = "a\nb\neth0:99999999999 8 0 0 0 0 0 0 680 6 0 0 0 0 0 0\n"
    assert counters(text) == {"eth0": Counted(8, 6, 99999999999, 680, 0)}


# --- captures

MAC, FAR = bytes.fromhex("02000000000a"), bytes.fromhex("02000000000b")
TOKEN = "00112233445566778899aabbccddeeff"
HEAD = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1)


def frame_to(
    address: str, to: bytes = MAC, source: bytes = FAR, payload: bytes = b"", tag: bytes = b""
) -> bytes:
    ip = b"\x60" + bytes(23) + IPv6Address(address).packed
    return to + source + tag + b"\x86\xdd" + ip + payload


def record(frame: bytes, seconds: int = 1_700_000_000) -> bytes:
    return struct.pack("<IIII", seconds, 5, len(frame), len(frame)) + frame


def test_where_a_frame_goes_is_told_by_its_macs() -> None:
    assert direction(frame_to("fc00::1"), MAC) == "in"
    assert direction(frame_to("fc00::1", FAR, MAC), MAC) == "out"
    assert direction(frame_to("fc00::1", b"\x33" + bytes(5)), MAC) == "in"
    assert direction(frame_to("fc00::1", FAR, bytes(6)), MAC) is None  # as a circuit carries it
    assert direction(frame_to("fc00::1"), b"") is None


def test_the_destination_stands_behind_a_tag_too() -> None:
    assert (
        destination(frame_to("fc00::1"))[-1]
        == destination(frame_to("fc00::1", tag=b"\x81\x00\x00\x07"))[-1]
        == 1
    )
    assert destination(frame_to("fc00::1")[:50]) == b"" == destination(bytes(60))


def test_packets_are_counted_for_the_longest_sid_and_probes_are_told(tmp_path: Path) -> None:
    path = tmp_path / "one.pcap"
    path.write_bytes(HEAD + record(frame_to("fc00:a::e")))
    traces = Traces([Trace.from_now(Point("gate", "eth2"), path)])
    sids = [("gate", "fc00:a::/64"), ("gate", "fc00:a::e"), ("exit", "fc00:b::e")]
    macs = {"gate:eth2": "02:00:00:00:00:0a"}
    assert traces.look(macs, sids, {}) == [] and not traces.served  # what was there before
    new = frame_to("fc00:a::e", payload=bytes.fromhex(TOKEN) * 2)
    elsewhere = record(frame_to("fc00:a::e", FAR)) + record(frame_to("fc00:b::e"))
    whole = record(new) + record(frame_to("fc00:a::7")) + elsewhere
    with path.open("ab") as file:
        file.write(whole + record(new)[:20])
    found = traces.look(macs, sids, {TOKEN: "ping", "zz": "", "00": ""})
    assert dict(traces.served) == {("gate", "fc00:a::e"): 1, ("gate", "fc00:a::/64"): 1}
    assert [(one.fields["probe"], one.fields["direction"], one.fields["number"]) for one in found] == [
        ("ping", "in", 1)
    ]
    with path.open("ab") as file:
        file.write(record(new)[20:])
    assert len(traces.look(macs, sids, {TOKEN: "ping"})) == 1
    path.write_bytes(HEAD + record(new, 1_700_000_001) * (MOST + 5))  # begun anew
    assert len(traces.look(macs, sids, {TOKEN: "ping"})) == MOST - 2


def test_a_file_that_is_no_capture_is_trouble_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "one.pcap"
    one = Trace.from_now(Point("gate", "eth2"), path)
    path.write_bytes(b"this is no capture")
    assert list(one.read()) == [] and "as no pcap does" in one.trouble


def test_packets_from_an_offset(tmp_path: Path) -> None:
    path = tmp_path / "one.pcap"
    path.write_bytes(b"")
    assert packets_from(path, 0) == ([], 0)
    path.write_bytes(HEAD + record(b"first") + record(b"second") + record(b"third")[:-1])
    packets, offset = packets_from(path, 0)
    assert [data for _, data in packets] == [b"first", b"second"]
    assert packets[0][0] == 1_700_000_000_000_005_000
    assert packets_from(path, offset) == ([], offset)
    path.write_bytes(HEAD + struct.pack("<IIII", 1, 1, 1 << 30, 1))
    with pytest.raises(ValueError, match="damage"):
        packets_from(path, 0)


# --- files of other commands


def test_a_verdict_in_a_few_words() -> None:
    point = Point("gate", "eth2")
    good = Settled(status=Status.PASS, point=point)
    bad = FieldDiffers(
        status=Status.FAIL,
        point=point,
        direction=Direction.IN,
        field="hop_limit",
        expected="62",
        captured="63",
    )
    assert outcome(as_json(good), "then") == Outcome("pass", "then", 1, 1)
    assert outcome(as_json(good, bad), "then").gist == "gate:eth2 in hop_limit: 63 instead of 62"
    suspect = Suspect("cause", "gate", "a route is gone", ("ip", "route"), proven=True, mend="invoke up")
    found = outcome(as_json(good, bad, suspects=(suspect,)), "then")
    assert (found.passed, found.judged, found.status) == (1, 2, "fail")
    assert (found.gist, found.proven, found.mend) == ("a route is gone", True, "invoke up")
    with pytest.raises((KeyError, TypeError, IndexError)):
        outcome([{"status": "pass"}], "then")


def as_json(*items: Item, suspects: tuple[Suspect, ...] = ()) -> Any:
    return json.loads(verdicts_json([Verdict("across", items, suspects=suspects)]))


def test_a_lock_is_seen_without_being_taken(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    assert not is_held(path)
    with path.open("w") as file:
        assert not is_held(path)
        fcntl.flock(file, fcntl.LOCK_EX)
        assert is_held(path)
    assert not is_held(path)


def test_a_node_is_asked_when_it_has_been_quiet_or_restless_for_long() -> None:
    due = Due()
    due.add("gate", 0.0)
    assert due.take(0.1, 0.2, 1.0) == []
    due.add("gate", 0.9)
    assert due.take(1.0, 0.2, 1.0) == ["gate"] and due.take(2.0, 0.2, 1.0) == []
    due.add("gate", 3.0)
    assert due.take(3.2, 0.2, 1.0) == ["gate"]
