"""What headends elect: by the rules of RFC 9256, over the segment lists whose probes come back in the model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from srv6lab.evidence.prediction import End
from srv6lab.plan.headend import PlannedHeadend
from srv6lab.plan.nodes import Plan
from srv6lab.predict.forwarding import walks
from srv6lab.predict.namespaces import ModeledLab
from srv6lab.predict.policy_routes import Elected
from srv6lab.srv6.packet import Icmpv6, Ipv6, Srh, build
from srv6lab.srv6.policy.identity import Address
from srv6lab.srv6.policy.probing import way
from srv6lab.srv6.policy.sr_db import SrDb
from srv6lab.srv6.policy.state import NOTHING, States, compute
from srv6lab.srv6.policy.view import Sids, View
from srv6lab.srv6.quirks import QUIRKS
from srv6lab.topology.actions import Action
from srv6lab.topology.places import Place

_HOPS = 64


def elect(
    plan: Plan, actions: Sequence[Action] = (), before: dict[str, Elected] | None = None
) -> dict[str, Elected]:
    """What every headend has elected under these actions, after what it had elected `before` (if that isn't known:
    what it elects in the lab that nothing has changed)."""
    headends = [node.headend for node in plan.nodes if node.headend]
    if not headends:
        return {}
    if before is None:
        before = _settled(plan, (), headends, {})
    return _settled(plan, actions, headends, before) if actions else before


def _settled(
    plan: Plan, actions: Sequence[Action], headends: Sequence[PlannedHeadend], before: dict[str, Elected]
) -> dict[str, Elected]:
    """Lists may lead over binding SIDs, which stand only once their headend has elected: so it is done again, as often
    as there are headends."""
    found = _elect(plan, actions, headends, before, before)
    bound = any(one.binding.sid for elected in found.values() for one in elected.states.values())
    for _ in headends if bound else ():
        again = _elect(plan, actions, headends, before, found)
        if again == found:
            break
        found = again
    return found


def _elect(
    plan: Plan,
    actions: Sequence[Action],
    headends: Sequence[PlannedHeadend],
    before: Mapping[str, Elected],
    standing: Mapping[str, Elected],
) -> dict[str, Elected]:
    """One round: `before` is what headends had installed, `standing` what probes meet now."""
    lab = ModeledLab(plan, actions, standing)
    found = {}
    for headend in headends:
        installed = NOTHING
        if last := before.get(headend.node):
            installed = {id: state.installed for id, state in last.states.items()}
        db = _with_links_up(headend, lab)
        alive = View(headend.node, db)
        probed = set(_lists(compute(headend.policies, alive, headend.space, installed)))
        ends = {one: _ends(lab, headend, *one) for one in probed}
        at = Place(headend.node)
        dead = {
            one for one, those in ends.items() if any(not (it.delivered and it.place == at) for it in those)
        }
        view = View(headend.node, db, frozenset(dead))
        states = compute(headend.policies, view, headend.space, installed)
        unknown = next((it.reason for those in ends.values() for it in those if not it.known), "")
        found[headend.node] = Elected(states, view, unknown)
    return found


def _with_links_up(headend: PlannedHeadend, lab: ModeledLab) -> SrDb:
    """What a headend knows, without its own links whose NICs are down or have no carrier: it sees those itself."""
    dead = {nic.name for nic in lab.plan.node(headend.node).nics if lab.silent(nic)}
    down = {address for address, nic in headend.nics if nic in dead}
    links = (one for one in headend.db.links if down.isdisjoint({one.local, one.remote}))
    return replace(headend.db, links=tuple(links))


def _lists(states: States) -> Iterator[tuple[Address, Sids]]:
    for id, state in states.items():
        for candidate in state.candidates:
            yield from ((id.endpoint, one.sids) for one in candidate.lists if one.valid)


def _ends(lab: ModeledLab, headend: PlannedHeadend, endpoint: Address, sids: Sids) -> list[End]:
    """Where a probe down a list ends: at the headend, if the list is alive. One that can't be probed is taken for
    alive, and has no ends."""
    through = way(sids, endpoint, headend.db, headend.node)
    if through is None:
        return []
    path = (*through, headend.address)
    packet = build(Ipv6(headend.address, path[0], _HOPS), Srh.of(path), Icmpv6(128))
    return [one.end for one in walks(lab, packet, Place(headend.node), frozenset(QUIRKS))]
