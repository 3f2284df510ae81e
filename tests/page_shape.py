"""The shape of the page's document, as those who read it rely on it: every key is there, and nothing else is."""

from __future__ import annotations

import math
from typing import Any

TEXT, NUMBER, YES_NO = "a text", "a number", "true or false"


class Maybe:
    """That, or null."""

    def __init__(self, shape: Any) -> None:
        self.shape = shape


class Each(dict[str, Any]):
    """A mapping of any names to that."""


class OneOf(tuple[str, ...]):
    """One of these words."""


_FIELDS = Each({"": TEXT})
_STATUS = Maybe(OneOf(("pass", "fail", "inconclusive")))
_WITNESS = {"expected": Maybe(TEXT), "predicted": Maybe(TEXT), "captured": Maybe(TEXT), "alone": Maybe(TEXT)}
_SPOT = {"x": Maybe(NUMBER), "y": Maybe(NUMBER)}
_BOX = {**_SPOT, "width": Maybe(NUMBER), "height": Maybe(NUMBER)}
_SID = {"behavior": TEXT, "what": TEXT}
_DIRECTION = OneOf(("in", "out"))
_END = {"delivered": YES_NO, "known": YES_NO, "at": TEXT, "reason": TEXT}
_PART = {
    "field": Maybe(TEXT), "label": TEXT, "value": TEXT, "header": TEXT, "at": NUMBER, "length": NUMBER, "level": NUMBER,
}  # fmt: skip
_PACKET = {
    "number": NUMBER, "file": TEXT, "time": NUMBER, "fields": _FIELDS, "length": NUMBER, "bytes": TEXT, "cut": YES_NO,
    "parts": [_PART],
}  # fmt: skip
_HOP = {
    "id": TEXT, "point": TEXT, "direction": _DIRECTION, "node": TEXT, "netns": Maybe(TEXT), "link": Maybe(TEXT),
    "behavior": Maybe(TEXT), "reason": TEXT, "quirks": [{"name": TEXT, "what": TEXT, "section": TEXT}],
    "expected": Maybe(_FIELDS), "predicted": Maybe(_FIELDS), "linux": _FIELDS, "captured": [_PACKET],
    "count": Maybe(NUMBER), "changed": [TEXT], "differs": [{"field": TEXT, "note": TEXT, **_WITNESS}],
    "status": _STATUS, "segments": Maybe({"list": [TEXT], "left": NUMBER}),
}  # fmt: skip
_WALK = {
    "leg": OneOf(("there", "back")), "title": TEXT, "share": Maybe(TEXT), "choices": [TEXT],
    "witness": OneOf(("rfc", "linux", "captured")), "number": NUMBER, "end": Maybe(_END), "linux_end": Maybe(_END),
    "hops": [_HOP],
}  # fmt: skip
_PROBE = {
    "id": TEXT, "from": TEXT, "to": TEXT, "words": TEXT, "changes": [TEXT], "across": YES_NO, "walks": [_WALK],
}  # fmt: skip
_ITEM = {
    "kind": TEXT, "status": _STATUS, "point": Maybe(TEXT), "direction": Maybe(_DIRECTION), "field": TEXT, **_WITNESS,
    "location": Maybe(TEXT), "note": TEXT, "quirks": [TEXT], "probe": Maybe(TEXT),
}  # fmt: skip
_SUSPECT = {
    "cause": TEXT, "node": TEXT, "what": TEXT, "command": TEXT, "proven": Maybe(YES_NO), "mend": TEXT,
}  # fmt: skip
_POLICY = {
    "when": [TEXT], "headend": TEXT, "policy": TEXT, "action": TEXT, "binding_sid": Maybe(TEXT),
    "flows": [{"segments": [TEXT], "share": TEXT}],
    "candidates": [{
        "name": TEXT, "preference": NUMBER, "valid": YES_NO, "active": YES_NO, "why": TEXT,
        "lists": [{"segments": [TEXT], "weight": NUMBER, "faults": [TEXT]}],
    }],
}  # fmt: skip
_EXERCISE = {
    "name": TEXT, "description": TEXT, "status": _STATUS, "seconds": Maybe(NUMBER), "when": Maybe(TEXT),
    "note": Maybe(TEXT), "probes": [_PROBE], "items": [_ITEM], "suspects": [_SUSPECT],
    "counters": [{"what": TEXT, "expected": Maybe(TEXT), "seen": Maybe(TEXT), "status": _STATUS}],
    "alerts": [{
        "service": TEXT, "signature": NUMBER, "source": TEXT, "destination": TEXT, "tunnel": Maybe(TEXT), "count": NUMBER,
    }],
    "proxies": [{
        "probe": TEXT, "behavior": TEXT, "node": TEXT, "sid": TEXT, "columns": [TEXT],
        "rows": [{"at": TEXT, "before": YES_NO, "cells": [TEXT]}], "witness": OneOf(("captured", "predicted")),
    }],
    "messages": [{
        "at": Maybe(TEXT), "direction": Maybe(_DIRECTION), "protocol": TEXT, "words": Maybe(TEXT), "status": _STATUS,
    }],
    "policies": [_POLICY],
}  # fmt: skip
_NODE = {
    "name": TEXT, "role": TEXT, **_BOX, "lines": [{"kind": TEXT, "text": TEXT}], "addresses": [TEXT],
    "locator": Maybe(TEXT), "sids": [{"sid": TEXT, **_SID}],
    "services": [{"name": TEXT, "engine": TEXT, "netns": Maybe(TEXT), "text": TEXT, **_BOX}], "policies": [TEXT],
}  # fmt: skip
_LINK_END = {
    "point": TEXT, "node": TEXT, "netns": Maybe(TEXT), "nic": TEXT, "addresses": [TEXT], "mac": TEXT, **_SPOT,
    "path": Maybe(TEXT), "side": Maybe(OneOf(("left", "right", "top", "bottom"))),
}  # fmt: skip
DOCUMENT = {
    "schema": NUMBER, "lab": TEXT, "description": TEXT, "kind": OneOf(("check", "prediction")),
    "made": {"version": TEXT, "provider": Maybe(TEXT), "when": Maybe(TEXT)},
    "picture": {
        "width": NUMBER, "height": NUMBER, "small": YES_NO, "nodes": [_NODE],
        "links": [{"name": TEXT, "prefixes": [TEXT], **_SPOT, "bridge": YES_NO, "ends": [_LINK_END]}],
    },
    "sids": Each({"": {"node": TEXT, **_SID}}), "names": Each({"": TEXT}), "exercises": [_EXERCISE],
}  # fmt: skip


def misshapen(value: Any, shape: Any = DOCUMENT, at: str = "document") -> list[str]:
    """Where a value isn't of a shape, and why."""
    if isinstance(shape, Maybe):
        return [] if value is None else misshapen(value, shape.shape, at)
    if isinstance(shape, Each):
        return _below(value, dict, at) or [
            wrong for name, one in value.items() for wrong in misshapen(one, shape[""], f"{at}[{name!r}]")
        ]
    if isinstance(shape, dict):
        return _below(value, dict, at) or _record(value, shape, at)
    if isinstance(shape, list):
        return _below(value, list, at) or [
            wrong for index, one in enumerate(value) for wrong in misshapen(one, shape[0], f"{at}[{index}]")
        ]
    return [] if _is(value, shape) else [f"{at} is {value!r}, not {shape}"]


def _record(value: dict[str, Any], shape: dict[str, Any], at: str) -> list[str]:
    wrong = [f"{at} has no {name}" for name in shape.keys() - value.keys()]
    wrong += [f"{at} has {name}, which nobody knows" for name in value.keys() - shape.keys()]
    return wrong or [
        one for name, kind in shape.items() for one in misshapen(value[name], kind, f"{at}.{name}")
    ]


def _below(value: Any, kind: type, at: str) -> list[str]:
    return [] if type(value) is kind else [f"{at} is {value!r}, not {kind.__name__}"]


def _is(value: Any, shape: Any) -> bool:
    if isinstance(shape, OneOf):
        return value in shape
    if shape == NUMBER:
        return type(value) in (int, float) and math.isfinite(value)
    return isinstance(value, {TEXT: str, YES_NO: bool}[shape])
