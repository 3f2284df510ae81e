"""Loss and delay of a link, by the kernel's netem at both of its ends."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

from srv6lab.plan.actions.change import ChangedLab, PlannedChange, changed, changes, needs
from srv6lab.plan.nodes import Plan
from srv6lab.topology.actions.netem import Impairment, NetemAction

_TRIES = "tc qdisc add dev lo root netem delay 1ms; tc qdisc del dev lo root"
_LACKS = "this kernel has no netem (CONFIG_NET_SCH_NETEM)"


@changes.register
def _(action: NetemAction, plan: Plan) -> tuple[PlannedChange, ...]:
    netem = action.netem
    words = [f"loses {netem.loss}" if netem.loss else "", f"waits {netem.delay} ms" if netem.delay else ""]
    what = " and ".join(filter(None, words))
    return tuple(
        PlannedChange(
            f"{nic.point} {what}",
            nic.point.node,
            "netem",
            {"nic": nic.name, "vrf": nic.vrf, "loss": netem.loss, "delay": netem.delay},
            tries=_TRIES,
            lacks=_LACKS,
        )
        for nic in plan.nics()
        if nic.link == netem.link
    )


@changed.register
def _(action: NetemAction, lab: ChangedLab) -> ChangedLab:
    return replace(lab, losses={**lab.losses, action.netem.link: _lost(action.netem)})


def _lost(netem: Impairment) -> Fraction:
    """The part of the packets that a NIC loses."""
    return Fraction(netem.loss.removesuffix("%")) / 100 if netem.loss else Fraction(0)


@needs.register
def _(action: NetemAction, exercise: str) -> Iterator[tuple[str, str]]:
    yield "netem", f"link {action.netem.link} in exercise {exercise}"
