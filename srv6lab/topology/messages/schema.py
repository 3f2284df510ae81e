"""pydantic's findings about one file, as Problems in our words.

Only the kind of a finding and its numbers are used, never pydantic's text: it speaks of validators,
and an author writes YAML. Findings at one place are one problem.
"""

from __future__ import annotations

import types
from collections.abc import Iterable, Iterator
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from srv6lab.errors import Problem
from srv6lab.suggest import did_you_mean, meant
from srv6lab.topology.messages.absent import absent
from srv6lab.topology.messages.addresses import address_problem
from srv6lab.topology.messages.pydantic_messages import (
    WORDINGS,
    Finding,
    allowed_pattern,
    custom,
    shown,
)
from srv6lab.topology.model import Topology
from srv6lab.topology.yaml.source import Path, Source

# An example says more than a type.
EXAMPLES = {
    "at": 'at: "a:eth1"',
    "behavior": "behavior: End",
    "candidate_paths": 'candidate_paths: [{segment_lists: [{segments: ["fc00:2::a"]}]}]',
    "color": "color: 10",
    "direction": "direction: out",
    "endpoint": 'endpoint: "fc00:2::1"',
    "link": "link: net12",
    "endpoints": 'endpoints: ["a:eth1", "b:eth1"]',
    "expect": "expect: {packets: []}",
    "from": "from: a",
    "headend": "headend: a",
    "id": "id: ping",
    "match": "match: {prefix: 10.0.1.0/24}",
    "members": "members: [a, b]",
    "name": "name: some-name",
    "node": "node: a",
    "nodes": "nodes: {a: {role: host}}",
    "prefix": 'prefix: "2001:db8:1::/64"',
    "probe": "probe: ping",
    "probes": "probes: [{id: ping, from: a, to: b, icmp: 3}]",
    "role": "role: router",
    "segments": 'segments: ["fc00:2::a"]',
    "sid": 'sid: "fc00:1::a"',
    "to": 'to: {segments: ["fc00:2::a"]}',
    "via": "via: 10.0.0.1",
}


def schema_problems(error: ValidationError, source: Source) -> Iterator[Problem]:
    """One problem for each place that pydantic complains about."""
    strays = misplaced(source.data)
    places: dict[tuple[Path, str], list[Finding]] = {}
    for finding in findings_of(error, source.data):
        path, key = real_path(source.data, finding["loc"], finding["type"])
        if path[:2] not in strays:
            places.setdefault((path, key), []).append(finding)
    for path, home in strays.items():
        what = f"this is no {_THINGS.get(str(path[0]), path[0])}, but looks like a {_THINGS.get(home, home)}"
        yield Problem(source.locate(path), what, f"move it below `{home}:`")
    for (path, key), findings in places.items():
        problem = _missing(path, key, source) if key else _problem(path, findings, source)
        if problem is not None:
            yield problem


def findings_of(error: ValidationError, data: Any) -> list[Finding]:
    """What pydantic has found, without what it says about the branches of a union that nobody meant."""
    found: list[Finding] = [{**finding} for finding in error.errors(include_url=False)]
    return [finding for finding in found if not _in_other_branch(finding["loc"], data)]


def _in_other_branch(loc: tuple[str | int, ...], data: Any) -> bool:
    """Whether a `loc` leads through a model of a union that fits the author's keys worse than another."""
    path: list[str | int] = []
    for step in loc:
        if _has(data, step):
            data = data[step]
            path.append(step)
            continue
        branches = {model.__name__: set(_keys([model])) for model in models_at(tuple(path))}
        if len(branches) > 1 and step in branches and isinstance(data, dict):
            given = set(data)
            if step != max(branches, key=lambda name: len(branches[name] & given)):
                return True
    return False


def _has(data: Any, step: str | int) -> bool:
    if isinstance(data, list):
        return isinstance(step, int) and step < len(data)
    return isinstance(data, dict) and step in data


def real_path(data: Any, loc: Iterable[str | int], kind: str = "") -> tuple[Path, str]:
    """The part of a `loc` that exists in the data, and the missing key if that is the finding.

    A `loc` also names branches of unions, which no author has written.
    """
    path: list[str | int] = []
    steps = tuple(loc)
    for step in steps:
        if _has(data, step):
            data = data[step]
            path.append(step)
    return tuple(path), str(steps[-1]) if kind == "missing" else ""


def misplaced(data: dict[str, Any]) -> dict[Path, str]:
    """Items of a top list that belong in another: somebody has lost the line with its key."""
    keys = {name: set(allowed_keys((name, 0))) for name in allowed_keys(())}
    found: dict[Path, str] = {}
    for section, items in data.items():
        for index, item in enumerate(items if isinstance(items, list) and keys.get(section) else []):
            if not isinstance(item, dict) or 2 * len(item.keys() - keys[section]) <= len(item):
                continue
            homes = [name for name, allowed in keys.items() if item.keys() <= allowed and _whole(name, item)]
            if homes:
                found[(section, index)] = homes[0]
    return found


def _whole(section: str, item: dict[str, Any]) -> bool:
    return all(key in item for key in allowed_keys((section, 0)) if _required((section, 0), key))


def value_at(data: Any, path: Path) -> Any:
    for step in path:
        data = data[step]
    return data


def _missing(path: Path, key: str, source: Source) -> Problem | None:
    unknown = value_at(source.data, path).keys() - set(allowed_keys(path))
    if unknown and len(models_at(path)) > 1:
        return None  # the unknown key is the mistake; which of the known ones was meant, nobody knows
    if (typo := _misspelled(path, key, source.data)) is not None:
        return typo_of_missing(path, typo, key, source)
    mend = f"add `{EXAMPLES[key]}`" if key in EXAMPLES else f"add `{key}: …`"
    if path[:1] == ("links",) and key == "prefix":
        mend += ", or take prefixes from a pool: `pools: {links: …}`"
    return Problem(source.locate(path, key=True), f"{thing(path, source.data)} has no `{key}`", mend)


def _misspelled(path: Path, key: str, data: Any) -> str | None:
    """A key that isn't allowed here and looks like the missing one: one cause, one problem."""
    unknown = [one for one in value_at(data, path) if one not in allowed_keys(path)]
    return next((one for one in unknown if key in meant(one, [key])), None)


def typo_of_missing(path: Path, typo: str, key: str, source: Source) -> Problem:
    where = source.locate((*path, typo), key=True)
    return Problem(where, f"{thing(path, source.data)} has no key `{typo}`", f"did you mean `{key}`?")


def _problem(path: Path, findings: list[Finding], source: Source) -> Problem | None:
    kinds = {finding["type"] for finding in findings}
    value = value_at(source.data, path)
    first = findings[0]
    if "extra_forbidden" in kinds:
        return _unknown_key(path, source)
    if first["loc"][-1:] == ("[key]",):
        what = f"{shown(str(path[-1]))} can't be a name here"
        return Problem(source.locate(path, key=True), what, allowed_pattern(first))
    where = source.locate(path)
    if value is None:
        mend = "give it a value, or take the key away" if isinstance(path[-1], str) else "give it a value"
        return Problem(where, f"{label(path)} has no value", mend)
    if words := address_problem(label(path), value, kinds):
        return Problem(where, *words)
    for kind, wording in WORDINGS.items():
        if kind in kinds:
            finding = next(one for one in findings if one["type"] == kind)
            told = wording(label(path), value, finding)
            return Problem(where, *told) if told else None
    return Problem(where, f"{label(path)} can't be {shown(value)}", custom(first))


def _unknown_key(path: Path, source: Source) -> Problem | None:
    """A key that the model doesn't have; silent where `_missing` has already named it, as it does for one model."""
    parent, key = path[:-1], str(path[-1])
    if parent and (words := absent(str(parent[-1]), key)):
        return Problem(source.locate(path, key=True), *words)
    allowed = allowed_keys(parent)
    given = value_at(source.data, parent)
    if key in allowed:
        others = [{*_keys([model])} for model in models_at(parent) if key not in _keys([model])]
        if other := next((one for keys in others for one in given if one in keys), None):
            what = f"`{key}` and `{other}` don't go together"
            return Problem(source.locate(path, key=True), what, "take one of the two away")
    close = meant(key, [one for one in allowed if one not in given])
    if close and _required(parent, close[0]) and len(models_at(parent)) == 1:
        return None
    mend = did_you_mean(close) if close else f"allowed here: {', '.join(allowed)}"
    if "at" in allowed and len(given) == 1 and isinstance(given[key], str):  # `[r1: eth1]`
        mend = f'write "{key}:{given[key]}", with no space in it'
    return Problem(source.locate(path, key=True), f"{thing(parent, source.data)} has no key `{key}`", mend)


def _required(parent: Path, key: str) -> bool:
    fields = {
        (field.alias or name): field
        for model in models_at(parent)
        for name, field in model.model_fields.items()
    }
    return fields[key].is_required()


def models_at(path: Path) -> list[type[BaseModel]]:
    """The models that may stand at a path: found from the types, so that new keys need no word here."""
    kinds: list[Any] = [Topology]
    for step in path:
        kinds = [below for kind in kinds for below in _below(kind, step)]
    return [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)]


def _below(kind: Any, step: str | int) -> Iterator[Any]:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        for name, field in kind.model_fields.items():
            if step in (field.alias or name, name):
                yield from _flat(field.annotation)
    elif get_origin(kind) is tuple and isinstance(step, int):
        yield from _flat(get_args(kind)[0])
    elif get_origin(kind) is dict:
        yield from _flat(get_args(kind)[1])


def _flat(kind: Any) -> Iterator[Any]:
    if hasattr(kind, "__metadata__"):
        yield from _flat(kind.__origin__)
    elif get_origin(kind) in (Union, types.UnionType):
        for branch in get_args(kind):
            yield from _flat(branch)
    else:
        yield kind


def allowed_keys(path: Path) -> list[str]:
    return _keys(models_at(path))


def _keys(models: list[type[BaseModel]]) -> list[str]:
    keys = [field.alias or name for model in models for name, field in model.model_fields.items()]
    return list(dict.fromkeys(keys))


_THINGS = {
    "endpoints": "endpoint",
    "exercises": "exercise",
    "expect": "`expect`",
    "groups": "group",
    "alerts": "alert",
    "apply": "action",
    "counters": "counter",
    "links": "link",
    "losses": "loss",
    "local_sids": "local SID",
    "nodes": "node",
    "packets": "expectation",
    "policies": "policy",
    "candidate_paths": "candidate path",
    "segment_lists": "segment list",
    "composite": "constituent",
    "flows": "flow",
    "probes": "probe",
    "ports": "port",
    "routes": "route",
    "services": "service",
    "steps": "step",
    "steering": "steering entry",
}


def thing(path: Path, data: Any) -> str:
    """What stands at a path, as a person calls it: `link net1`, `the expectation`, `the file`."""
    if not path:
        return "the topology"
    *before, last = path
    if isinstance(last, int):
        noun = _THINGS.get(str(before[-1]), f"item of `{before[-1]}`")
        value = value_at(data, path)
        name = next((value[key] for key in ("name", "id") if isinstance(value.get(key), str)), None)
        return f"{noun} {name}" if name else f"this {noun}"
    if before and before[-1] in _THINGS:
        return f"{_THINGS[str(before[-1])]} {last}"
    return f"`{last}`"


def label(path: Path) -> str:
    if not path:
        return "the topology"
    if isinstance(path[-1], str):
        return f"`{path[-1]}`"
    return f"item {path[-1] + 1} of `{path[-2]}`"
