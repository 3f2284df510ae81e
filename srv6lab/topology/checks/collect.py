"""From the text of a file to the view of what of it is sound."""

from __future__ import annotations

import re
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Any

from pydantic import ValidationError

from srv6lab.topology.actions import Action, parsed
from srv6lab.topology.checks.facts import ExerciseView, Facts, Item, M, Path
from srv6lab.topology.exercises import Probe
from srv6lab.topology.expectations import (
    AlertExpectation,
    ControlExpectation,
    CounterExpectation,
    PacketExpectation,
)
from srv6lab.topology.local_sid import LocalSid
from srv6lab.topology.model import Group, Link, Node, Service
from srv6lab.topology.questions import Question
from srv6lab.topology.scalars import NAME
from srv6lab.topology.sr_policy import SrPolicy
from srv6lab.topology.steering import Steering


def view_of(
    data: dict[str, Any], cut: frozenset[Path] = frozenset(), lost: frozenset[str] = frozenset()
) -> Facts:
    """The view of a file: `cut` are the parts that have lost unknown keys, `lost` the lists that have lost items to
    another list."""
    links = _items(Link, data, ("links",), cut)
    sids = _items(LocalSid, data, ("local_sids",), cut)
    policies = _items(SrPolicy, data, ("policies",), cut)
    nics, links_known = _unsound_nics(data, links)
    unsound, sids_known = _unsound_sids(data, sids)
    names = _names(data, "nodes")
    return Facts(
        name=data["name"] if isinstance(data.get("name"), str) else None,
        cut=cut,
        node_names=names,
        nodes_known=bool(names),
        nodes=_mapped(Node, data.get("nodes")),
        groups=_mapped(Group, data.get("groups")),
        links=links,
        local_sids=sids,
        sr_policies=policies,
        policies_known=len(policies) == len(_raw_list(data, "policies")) and "policies" not in lost,
        steering=_items(Steering, data, ("steering",), cut),
        exercises=_exercises(data, cut),
        service_names=_names(data, "services"),
        services=_mapped(Service, data.get("services")),
        unsound_nics=nics,
        links_known=links_known and "links" not in lost,
        unsound_sids=unsound,
        sids_known=sids_known and "local_sids" not in lost,
        external=tuple(one for raw in _raw_list(data, "external") if (one := _network(raw)) is not None),
    )


def _raw_list(data: Any, *keys: str) -> list[Any]:
    """A list below some keys of unsound data, or nothing."""
    for key in keys:
        data = data.get(key) if isinstance(data, dict) else None
    return data if isinstance(data, list) else []


def _network(raw: Any) -> IPv6Network | None:
    try:
        return IPv6Network(raw) if isinstance(raw, str) else None
    except ValueError:
        return None


def _sound(model: type[M], raw: Any) -> M | None:
    try:
        return model.model_validate(raw)
    except ValidationError:
        return None


def _names(data: dict[str, Any], key: str) -> frozenset[str]:
    return frozenset(filter(None, data[key])) if isinstance(data.get(key), dict) else frozenset()


def _mapped(model: type[M], raw: Any) -> dict[str, M]:
    """What is sound, and has a name that is."""
    named = (
        {name: one for name, one in raw.items() if re.match(NAME, str(name))} if isinstance(raw, dict) else {}
    )
    return {name: value for name, one in named.items() if (value := _sound(model, one)) is not None}


def _items(
    model: type[M], data: Any, keys: Path, cut: frozenset[Path], base: Path = ()
) -> tuple[Item[M], ...]:
    """The sound items of a list with their paths."""
    values = (_sound(model, one) for one in _raw_list(data, *map(str, keys)))
    path = (*base, *keys)
    return tuple(
        Item((*path, index), value, (*path, index) not in cut)
        for index, value in enumerate(values)
        if value is not None
    )


def _lost(raw: list[Any], sound: tuple[Item[M], ...]) -> list[Any]:
    kept = {item.path[-1] for item in sound}
    return [one for index, one in enumerate(raw) if index not in kept]


def _unsound_nics(data: Any, links: tuple[Item[Link], ...]) -> tuple[frozenset[str], bool]:
    """The ends of unsound links as far as they can be read, and whether all could."""
    found: set[str] = set()
    known = "links" not in data or isinstance(data["links"], list)
    for raw in _lost(_raw_list(data, "links"), links):
        ends = [one.get("at") if isinstance(one, dict) else one for one in _raw_list(raw, "endpoints")]
        readable = [end for end in ends if isinstance(end, str)]
        found.update(readable)
        known = known and len(readable) >= 2
    return frozenset(found), known


def _unsound_sids(data: Any, sids: tuple[Item[LocalSid], ...]) -> tuple[frozenset[IPv6Address], bool]:
    found: set[IPv6Address] = set()
    known = "local_sids" not in data or isinstance(data["local_sids"], list)
    for raw in _lost(_raw_list(data, "local_sids"), sids):
        text = raw.get("sid") if isinstance(raw, dict) else None
        try:
            address = ip_address(text) if isinstance(text, str) else None
        except ValueError:
            address = None
        if isinstance(address, IPv6Address):
            found.add(address)
        else:
            known = False
    return frozenset(found), known


def _exercises(data: Any, cut: frozenset[Path]) -> tuple[ExerciseView, ...]:
    raw = _raw_list(data, "exercises")
    return tuple(_exercise(one, index, cut) for index, one in enumerate(raw))


def _exercise(raw: Any, index: int, cut: frozenset[Path]) -> ExerciseView:
    path: Path = ("exercises", index)
    probes = _items(Probe, raw, ("probes",), cut, path)
    for number, step in enumerate(_raw_list(raw, "steps")):
        probes += _items(Probe, step, ("probes",), cut, (*path, "steps", number))
        across = step.get("across") if isinstance(step, dict) else None
        place = (*path, "steps", number, "across")
        if across is not None and (probe := _sound(Probe, across)) is not None:
            probes += (Item(place, probe, place not in cut),)
    name = raw.get("name") if isinstance(raw, dict) else None
    ids, known = _probe_ids(raw)
    actions, actions_known = _actions(raw, path, cut)

    def expected(model: type[M], key: str) -> tuple[Item[M], ...]:
        return _items(model, raw, ("expect", key), cut, path)

    return ExerciseView(
        path=path,
        name=name if isinstance(name, str) else None,
        probes=probes,
        packets=expected(PacketExpectation, "packets"),
        unreviewed=_unreviewed(raw),
        probe_ids=ids,
        probes_known=known,
        expects=_expects(raw),
        alerts=expected(AlertExpectation, "alerts"),
        counters=expected(CounterExpectation, "counters"),
        control=expected(ControlExpectation, "control"),
        heard=bool(_raw_list(raw, "expect", "control")),
        actions=actions,
        actions_known=actions_known,
        questions=_items(Question, raw, ("questions",), cut, path),
    )


def _unreviewed(exercise: Any) -> tuple[str, ...]:
    """The probes whose walks are marked so."""
    expect = exercise.get("expect") if isinstance(exercise, dict) else None
    walks = expect.get("walk") if isinstance(expect, dict) else None
    legs = walks.items() if isinstance(walks, dict) else ()
    return tuple(probe for probe, walk in legs if isinstance(walk, dict) and walk.get("unreviewed") is True)


def _actions(exercise: Any, base: Path, cut: frozenset[Path]) -> tuple[tuple[Item[Action], ...], bool]:
    """The sound actions of an exercise and its steps, and whether those are all."""
    parts = [(base, exercise)]
    parts += [((*base, "steps", i), step) for i, step in enumerate(_raw_list(exercise, "steps"))]
    places = [
        ((*path, "apply", index), raw)
        for path, part in parts
        for index, raw in enumerate(_raw_list(part, "apply"))
    ]
    places += [((*base, "start", index), raw) for index, raw in enumerate(_raw_list(exercise, "start"))]
    for index, step in enumerate(_raw_list(exercise, "solution")):
        if isinstance(step, dict) and step.get("do") is not None:
            places.append(((*base, "solution", index, "do"), step["do"]))
    found = [
        Item(path, action, cut.isdisjoint({path, (*path, action.key)}))
        for path, raw in places
        if (action := _sound_action(raw)) is not None
    ]
    return tuple(found), len(found) == len(places)


def _sound_action(raw: Any) -> Action | None:
    try:
        return parsed(raw)
    except ValidationError:
        return None


def _probe_ids(raw: Any) -> tuple[frozenset[str], bool]:
    parts = [raw, *_raw_list(raw, "steps")]
    probes = [probe for part in parts for probe in _raw_list(part, "probes")]
    probes += [part["across"] for part in parts if isinstance(part, dict) and "across" in part]
    ids = [one.get("id") for one in probes if isinstance(one, dict)]
    texts = frozenset(one for one in ids if isinstance(one, str))
    return texts, len(probes) == len([one for one in ids if isinstance(one, str)])


def _expects(raw: Any) -> bool:
    """Whether the exercise can fail at all: any key of `expect` says something, but not `elsewhere: any`, or a
    probe says who answers it."""
    expect = raw.get("expect") if isinstance(raw, dict) else None
    if not isinstance(expect, dict):
        return True
    said = any(value for key, value in expect.items() if (key, value) != ("elsewhere", "any"))
    parts = (raw, *_raw_list(raw, "steps"))
    probes = [one for part in parts for one in _raw_list(part, "probes") if isinstance(one, dict)]
    return said or any(probe.get("answered") or probe.get("hops") for probe in probes)
