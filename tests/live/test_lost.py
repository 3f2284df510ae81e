"""A ping that is lost by design ends when a tracer has seen it where the model has it last, and any other ends by itself."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from srv6lab.evidence.packets import Direction, Place
from srv6lab.evidence.prediction import End, Hop, Leg, Prediction, Trace
from srv6lab.evidence.probes import Sent
from srv6lab.live import lost, run
from srv6lab.topology.actions.netem import NetemAction
from srv6lab.topology.exercises import Probe
from tests.conftest import silent
from tests.fake_provider import Fake, standing
from tests.small import OTHER, PLACE, plain, planned

TOKEN = "00112233445566778899aabbccddeeff"
FRAME, *OTHERS = (b"header" + bytes([number]) * 16 + bytes.fromhex(TOKEN) * 2 for number in range(3))
PING = Probe.model_validate({"id": "ping", "from": "west", "to": "east", "icmp": 3})
WALK = Trace(
    "ping",
    Leg.THERE,
    (Hop(PLACE, Direction.OUT, plain()), Hop(OTHER, Direction.IN, plain())),
    End(False, Place("east"), "firewall"),
    Fraction(1),
)


def foretold(*walks: Trace, told: Sequence[Trace] = ()) -> Prediction:
    return Prediction("ping", walks, walks, told=tuple(told))


def test_the_last_nic_of_what_is_lost() -> None:
    assert lost.last_seen(PING, foretold(WALK)) == OTHER


@pytest.mark.parametrize(
    "prediction",
    [
        foretold(replace(WALK, end=End(True, Place("east"), ""))),
        foretold(replace(WALK, end=End(False, Place("east"), "", known=False))),
        foretold(replace(WALK, hops=())),
        foretold(WALK, WALK),
        foretold(WALK, told=[WALK]),
        foretold(),
    ],
    ids=["delivered", "not modeled", "never sent", "two ways", "an error tells of it", "nothing is known"],
)
def test_all_else_is_waited_for(prediction: Prediction) -> None:
    assert lost.last_seen(PING, prediction) is None


@pytest.mark.parametrize("more", [{"icmp": None, "udp": 3}, {"segments": ["fc00::1"]}])
def test_so_are_packets_that_are_no_plain_ping(more: dict[str, Any]) -> None:
    probe = Probe.model_validate({"id": "ping", "from": "west", "to": "east", "icmp": 3} | more)
    assert lost.last_seen(probe, foretold(WALK)) is None


@dataclass
class Sending:
    """A ping that waits, and what a tracer sees of it, a look at a time."""

    looks: list[Any]
    ended: threading.Event = field(default_factory=threading.Event)
    interrupts: int = 0

    def send(self) -> str:
        assert self.ended.wait(30)
        return "summary"

    def read(self) -> Iterator[tuple[int, bytes]]:
        if not self.looks:
            self.ended.set()  # by itself
            return
        look = self.looks.pop(0)
        if isinstance(look, BaseException):
            raise look
        yield from ((0, frame) for frame in look)

    def interrupt(self) -> None:
        self.interrupts += 1
        self.ended.set()

    def run(self) -> str:
        return lost.run(self.send, self, TOKEN, 3, self.interrupt)  # type: ignore[arg-type]


def test_it_is_interrupted_when_all_were_seen() -> None:
    ping = Sending([[FRAME], [b"another packet"], OTHERS])
    assert (ping.run(), ping.interrupts) == ("summary", 1)


def test_it_ends_by_itself_where_some_are_missing() -> None:
    ping = Sending([[FRAME], OTHERS[:1]])
    assert (ping.run(), ping.interrupts) == ("summary", 0)


def test_a_packet_that_comes_by_again_is_no_other() -> None:
    """In a loop, or where it leaves by the NIC that it came in by: the last one may not be sent yet."""
    ping = Sending([[FRAME, b"longer " + FRAME], [FRAME]])
    assert (ping.run(), ping.interrupts) == ("summary", 0)


def test_it_ends_with_whoever_waits_for_it() -> None:
    ping = Sending([[FRAME], KeyboardInterrupt()])
    with pytest.raises(KeyboardInterrupt):
        ping.run()
    assert ping.interrupts == 1


def test_one_that_may_still_be_on_its_way_is_waited_for(
    fake: Fake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over a link that delays it the packet that isn't lost after all comes late, and has to be seen."""
    asked: list[tuple[int, Any]] = []

    def send(_: object, __: object, probe: Probe, patience: int, last: object) -> Sent:
        asked.append((patience, last))
        return Sent(probe.id, 1, 0, TOKEN)

    monkeypatch.setattr(run, "_send", send)
    plan = planned()
    one = run._Run(standing(fake, plan, tmp_path), plan, plan.exercises[0].name, silent)
    one.predicted = {PING.id: foretold(WALK)}
    one._send([PING])
    one.actions = (NetemAction.model_validate({"netem": {"link": "core", "delay": 400}}),)
    one._send([PING])
    assert asked == [(1, OTHER), (3, None)]
