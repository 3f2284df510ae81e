"""What a person at a terminal sees of verdicts."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from ipaddress import ip_network

import pytest

from srv6lab.cli.tasks import verdicts_report
from srv6lab.evidence.packets import Direction, Point
from srv6lab.evidence.verdict import (
    AlertTally,
    FieldDiffers,
    Item,
    MessageSeen,
    Missing,
    PacketsSeen,
    Status,
    Suspect,
    Unreviewed,
    Verdict,
)
from srv6lab.live.node_state import NodeState, Route
from srv6lab.report.screen import Look, verdicts_screen
from srv6lab.report.sids import sids_text
from srv6lab.report.table import width as columns
from srv6lab.topology.notation import parse
from tests.conftest import SITE
from tests.small import LINE

PLAIN = "10.0.1.1 → 10.0.2.1 hl 64 icmp"
TUNNEL = "2001:ab::1 → fc00:b::e hl 63 [fc00:b::d4, *fc00:b::e] SL 1 | 10.0.1.1 → 10.0.2.1 hl 64 icmp"


def seen(at: str, direction: str, text: str, probe: str = "echo") -> Item:
    return PacketsSeen(
        status=Status.PASS,
        point=Point.parse(at),
        direction=Direction(direction),
        captured=f"3: {text}",
        probe=probe,
    )


WALK = (
    seen("west:eth1", "out", PLAIN),
    seen("gate:eth1", "in", PLAIN),
    seen("gate:eth2", "out", TUNNEL),
    seen("exit:eth2", "in", TUNNEL),
    seen("east:eth1", "in", PLAIN.replace("64", "62")),
)
NOTE = Unreviewed(status=Status.PASS, note="the walk of echo is unreviewed", probe="echo")
WRONG = [
    replace(MISSING, point=Point("exit", f"eth{number}"))
    for MISSING in [
        Missing(
            status=Status.FAIL,
            direction=Direction.OUT,
            expected="3",
            captured="0",
            location=LINE,
            probe="echo",
        )
    ]
    for number in range(1, 8)
]
CAUSE = Suspect(
    "sid-not-installed",
    "exit",
    "SID fc00:b::e (End) isn't installed on exit",
    ("ip", "-6", "route"),
    (),
    True,
    "invoke up lab=small",
)


def shown(*verdicts: Verdict, width: int = 80) -> list[str]:
    return verdicts_screen(verdicts, Look(width)).splitlines()


def test_of_several_that_pass_each_is_a_line() -> None:
    found = shown(Verdict("across", WALK), Verdict("back", WALK[:1]))
    assert found == [
        "PASS  across  5 points as they should be",
        "PASS  back  1 points as they should be",
        "",
        "exercises: 2 pass",
    ]


def test_one_that_passes_is_a_line_a_link_as_an_author_may_write_it() -> None:
    alert = AlertTally(status=Status.PASS, field="alert", expected="1: signature 1000", captured="1")
    found = shown(Verdict("across", (*WALK, alert)))
    assert found[1:5] == [
        f"  west > gate  {PLAIN}",
        "  gate > exit  2001:ab::1 → fc00:b::e hl 63 [fc00:b::d4, *fc00:b::e] | same",
        "  into east    same hl 62",
        "  alert: 1: signature 1000, seen 1",
    ]
    before = None
    for line in found[1:4]:
        before = parse(line[15:], before)
    assert before and before.document()["hop_limit"] == 62


def test_what_is_not_right_is_shown_around_the_break_with_the_cause_last() -> None:
    found = shown(Verdict("across", (*WALK[:4], *WRONG), suspects=(CAUSE,)))
    assert found == [
        "FAIL  across  4 points as they should be",
        f"  west > gate  {PLAIN}",
        "  gate > exit  2001:ab::1 → fc00:b::e hl 63 [fc00:b::d4, *fc00:b::e] | same",
        "  FAIL exit:eth1 out  missing: expected 3",
        "       small.yml:22:11",
        "  and 6 more that are not right: -v shows all",
        "  cause: SID fc00:b::e (End) isn't installed on exit",
        "      shown on exit: ip -6 route",
        "      to mend it: invoke up lab=small",
        "",
        "exercises: 1 fail",
    ]


def test_all_that_is_wrong_at_one_point_is_shown() -> None:
    fields = [
        FieldDiffers(
            status=Status.FAIL,
            point=Point("exit", "eth1"),
            direction=Direction.OUT,
            field=name,
            expected="1",
            captured="0",
            probe="echo",
        )
        for name in ("hop_limit", "segments_left")
    ]
    found = shown(Verdict("across", tuple(fields)))
    assert found[1:3] == [
        "  FAIL exit:eth1 out  hop_limit: expected 1, captured 0",
        "  FAIL exit:eth1 out  segments_left: expected 1, captured 0",
    ]


def test_before_a_break_stand_links_and_each_is_said_without_those_that_are_not_shown() -> None:
    further = [TUNNEL.replace("hl 63", f"hl {hops}") for hops in (62, 61, 60)]
    way = [
        seen(at, direction, text)
        for text, out, into in zip(
            further, ("a:eth2", "b:eth2", "c:eth2"), ("b:eth1", "c:eth1", "d:eth1"), strict=True
        )
        for at, direction in ((out, "out"), (into, "in"))
    ]
    found = shown(Verdict("across", (*WALK[:4], *way, *WRONG)), width=64)
    assert found[1:5] == [
        "  a > b  2001:ab::1 → fc00:b::e hl 62 [fc00:b::d4, *fc00:b::e]",
        "         | 10.0.1.1 → 10.0.2.1 hl 64 icmp",
        "  b > c  same hl 61 | same",
        "  c > d  same hl 60 | same",
    ]


def test_the_same_cause_is_said_once() -> None:
    likely = replace(CAUSE, proven=None, argv=(), mend="")
    found = shown(Verdict("across", (*WALK[:2], *WRONG), suspects=(likely, replace(likely, node="east"))))
    assert found[5:7] == ["  likely cause:", "    SID fc00:b::e (End) isn't installed on exit"]


def test_a_note_is_said_once() -> None:
    found = shown(Verdict("across", (*WALK, NOTE)), Verdict("back", (*WALK, NOTE)))
    assert found.count("  note  the walk of echo is unreviewed") == 1


@pytest.mark.parametrize("width", [80, 60, 48])
def test_lines_fit_the_terminal(width: int) -> None:
    long = replace(CAUSE, what="SID fc00:b::e (End) isn't installed on exit " * 4)
    note = replace(NOTE, note="节点 r1 的路由与初始配置不同，" * 9)
    for verdict in (
        Verdict("across", (*WALK, note)),
        Verdict("across", (*WALK[:2], *WRONG, note), suspects=(long,)),
        Verdict(
            "n" * 31, (*WALK, *(AlertTally(status=Status.PASS), MessageSeen(status=Status.PASS)) * 2, *WRONG)
        ),
        Verdict("across", (seen("w" * 31 + ":eth1", "out", TUNNEL), seen("g" * 31 + ":eth1", "in", TUNNEL))),
    ):
        for line in shown(verdict, width=width):
            assert columns(line) <= width, line


def test_colors_mark_what_is_new_and_nothing_else() -> None:
    text = verdicts_screen([Verdict("across", WALK)], Look(80, color=True))
    assert "\x1b[32mPASS" in text
    assert "same hl \x1b[1m62\x1b[0m" in text
    assert re.sub(r"\x1b\[\d*m", "", text).splitlines() == shown(Verdict("across", WALK))


def test_what_a_capture_says_cannot_steer_a_terminal() -> None:
    evil = replace(WALK[0], captured="3: \x1b]0;title\x07 → x")
    cause = replace(CAUSE, what="\x1b[2J")
    text = verdicts_screen(
        [Verdict("across", (evil, replace(WRONG[0], note="\x1b[1A")), suspects=(cause,))], Look(80)
    )
    assert "\x1b" not in text and "\x07" not in text


def test_a_sid_behind_a_proxy_is_shown_as_what_it_is() -> None:
    proxied = [node for name in SITE.names() for node in SITE.load(SITE.refer(name))[0].nodes if node.proxies]
    for node in proxied:
        (proxy, *_) = node.proxies
        for nic, behavior in ((proxy.to, proxy.behavior.name), ("eth1", "End.DX4")):
            known = NodeState(routes=(Route(ip_network(proxy.sid), nic, "static", (), "End.DX4"),))
            assert [line.split()[2] for line in sids_text([node], {node.name: known}).splitlines()[2:3]] == [
                behavior
            ]
    assert proxied


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_pipe_gets_every_point_and_a_terminal_what_matters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    verdicts = [Verdict("across", WALK)]

    def said(out: io.StringIO, verbose: bool = False, color: str = "auto", form: str = "text") -> str:
        return verdicts_report(verdicts, form, verbose=verbose, color=color, out=out)

    whole = said(io.StringIO())
    assert "  ok   west:eth1 out" in whole
    assert said(Terminal(), verbose=True) == whole
    assert said(Terminal(), form="json").startswith("[")
    assert "\x1b[32m" in said(Terminal())
    assert "\x1b" not in said(Terminal(), color="never")
    assert "\x1b[32m" in said(io.StringIO(), color="always")
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in said(Terminal())
