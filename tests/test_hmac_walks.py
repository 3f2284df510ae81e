"""Labs whose SRHs are signed: what the model permits, what Day0 tells a node, what `check` compares."""

from __future__ import annotations

import pytest

from srv6lab.evidence.wording import describe, foretell
from srv6lab.judge.diagnose import answers, lookups
from srv6lab.render.day0 import render
from tests.small import planned
from tests.walks import ROW, edited, lost, shown, there

KEYS = 'hmac_keys: {1: {secret: "a b"}}, '


def signed(*, mid: str = KEYS, exit: str = KEYS, gate: str = KEYS, mode: str = "encap") -> str:
    return edited(
        ROW,
        ('loopback: "fc00:a::1/64", ', f'loopback: "fc00:a::1/64", {gate}'),
        ('loopback: "fc00:b::1/64", ', f'loopback: "fc00:b::1/64", {mid}'),
        ('loopback: "fc00:c::1/64", ', f'loopback: "fc00:c::1/64", {exit}'),
        ('to: {segments: ["fc00:b::e", "fc00:c::d4"]}', 'to: {segments: ["fc00:b::e", "fc00:c::d4"]}, hmac: 1, mode: ' + mode),
    )  # fmt: skip


@pytest.mark.parametrize("linux", [False, True])
@pytest.mark.parametrize("mode", ["encap", "encap.red"])
def test_all_who_have_the_key_let_it_through(mode: str, linux: bool) -> None:
    (trace,) = there(signed(mode=mode), linux=linux)
    assert trace.end.delivered
    marks = [describe(hop.packet)["hmac"] for hop in trace.hops]
    assert marks == ["none", "none", "1", "1", "1", "1", "none", "none"]
    assert " hmac 1 | " in shown(trace)[1]
    quirks = {quirk for hop in trace.hops for quirk in hop.quirks}
    assert ("hmac-of-a-draft" in quirks) == linux


def test_the_model_foretells_every_byte() -> None:
    (rfc,), (linux,) = there(signed()), there(signed(), linux=True)
    one, other = (foretell(trace.hops[2].packet) for trace in (rfc, linux))
    assert len(one["srh.tlvs"]) == 80 and one["srh.tlvs"] != other["srh.tlvs"]
    assert (one["srh.flags"], other["srh.flags"]) == ("0x0", "0x8")


@pytest.mark.parametrize(
    ("text", "where", "why"),
    [
        (signed(mid=""), "mid", "End: its HMAC is of key 1, which isn't there"),
        (signed(mid=KEYS.replace("a b", "a c")), "mid", "End: its HMAC isn't that of key 1"),
        (signed(exit=KEYS.replace("secret", "algorithm: sha1, secret")), "exit", "End.DX4: its HMAC isn't that of key 1"),
        (ROW.replace('loopback: "fc00:b::1/64", ', f'loopback: "fc00:b::1/64", hmac_check: required, {KEYS}'), "mid", "End: its SRH has no HMAC"),
        (ROW.replace('loopback: "fc00:c::1/64", ', f'loopback: "fc00:c::1/64", hmac_check: required, {KEYS}'), "exit", "End.DX4: its SRH has no HMAC"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("linux", [False, True])
def test_who_throws_it_away(text: str, where: str, why: str, linux: bool) -> None:
    assert lost(text, linux=linux) == (where, why)


def test_who_asks_for_nothing_lets_it_through() -> None:
    for mid in ("hmac_check: never, ", "hmac_check: never, " + KEYS.replace("a b", "x")):
        (trace,) = there(signed(mid=mid), linux=True)
        assert trace.end.delivered


def test_without_an_srh_nothing_is_asked_for() -> None:
    text = edited(
        ROW,
        ('to: {segments: ["fc00:b::e", "fc00:c::d4"]}', 'to: {segments: ["fc00:c::d4"]}, mode: encap.red'),
        ('loopback: "fc00:c::1/64", ', f'loopback: "fc00:c::1/64", hmac_check: required, {KEYS}'),
    )
    (trace,) = there(text, linux=True)
    assert trace.end.delivered


def test_day0_tells_keys_and_what_is_asked_for() -> None:
    files = render(planned(signed(mid="hmac_check: required, " + KEYS, exit="hmac_check: never, " + KEYS)))
    assert "setsid --wait ip sr hmac set 1 sha256 2>&1 <<<'a b'" in files["day0/gate.sh"]
    assert "segs fc00:b::e,fc00:c::d4 hmac 1 dev $eth2" in files["day0/gate.sh"]
    assert "seg6_require_hmac" not in files["day0/gate.sh"]
    assert '  echo 1 >"$file"' in files["day0/mid.sh"]
    assert '  echo -1 >"$file"' in files["day0/exit.sh"]
    assert "hmac" not in files["day0/west.sh"]


def test_a_route_tells_its_key_in_hex_and_a_node_its_keys_in_decimal() -> None:
    line = "10.0.2.0/24  encap seg6 mode encap segs 1 [ fc00:b::e ] hmac {} dev eth2 scope link \n"
    about = {"prefix": "10.0.2.0/24", "segments": "fc00:b::e", "mode": "encap", "hmac": "17"}
    assert not answers.other_policy(line.format("11"), 0, about)
    assert answers.other_policy(line.format("17"), 0, about)
    assert answers.other_policy(line.replace(" hmac {}", ""), 0, about)
    key = {"key": "17", "algorithm": "sha256", "secret": "s"}
    assert not lookups.other_key('hmac 17 algo sha256 secret "s"\n', 0, key)
    assert lookups.other_key('hmac 11 algo sha256 secret "s"\n', 0, key)
    assert not lookups.other_key("", 1, key)  # it couldn't be asked
