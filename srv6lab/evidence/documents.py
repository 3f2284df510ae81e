"""Frozen dataclasses ⇄ what JSON holds: by their annotations, and refused where a value is of another type."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any, NoReturn, get_args, get_origin, get_type_hints

from srv6lab.evidence.packets import Point
from srv6lab.host.files import read_document

LATER = {"later": True}  # metadata of a field that documents of before don't have
_DEEPEST = 40
_LARGEST = (1 << 63) - 1
_HALF = re.compile("[\ud800-\udfff]")  # JSON can say one, UTF-8 can't
_JSON = {
    str: "text",
    int: "a number",
    bool: "true or false",
    dict: "a mapping",
    list: "a list",
    type(None): "null",
}


def read_json(path: Path) -> Any:
    """What a file of somebody else's says, once it is typed by `from_json`; OSError for what is no file, ValueError for
    what `parsed` refuses."""
    return parsed(read_document(path))


def parsed(text: str) -> Any:
    """What a JSON text says; ValueError for what is none, too deep, or says a thing twice, and for NaN and the like."""
    try:
        found = json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant)
    except RecursionError:
        found = None
        deep = True
    else:
        deep = _is_deep(found)
    if deep:
        raise ValueError(f"it is deeper than {_DEEPEST} levels")
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice in it")
    return found


def _no_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number of JSON")


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(_DEEPEST):
        level = [one for outer in level if isinstance(outer, (dict, list)) for one in _inner(outer)]
        if not level:
            return False
    return True


def _inner(outer: dict[str, Any] | list[Any]) -> list[Any]:
    return [*outer.values()] if isinstance(outer, dict) else outer


def to_json(value: Any) -> Any:
    """Texts, numbers, lists and mappings; a Point is its text."""
    if isinstance(value, Point):
        return str(value)
    if is_dataclass(value):
        return {one.name: to_json(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, Mapping):
        return {key: to_json(one) for key, one in value.items()}
    return [to_json(one) for one in value] if isinstance(value, (tuple, list)) else value


def from_json(kind: Any, value: Any, where: str) -> Any:
    """The value of a type; ValueError that says what at `where` (`tracers[2].point`) is otherwise."""
    if kind is Point:
        return _point(value, where)
    if is_dataclass(kind):
        return _record(kind, _checked(dict, value, where), where)
    arguments = get_args(kind)
    if get_origin(kind) is Mapping:
        pairs = _checked(dict, value, where).items()
        return {
            _checked(str, key, f"a key of {where}"): from_json(arguments[1], one, f"{where}[{key!r}]")
            for key, one in pairs
        }
    if get_origin(kind) is tuple:
        items = _checked(list, value, where)
        kinds = [arguments[0]] * len(items) if arguments[1:] == (...,) else list(arguments)
        if len(items) != len(kinds):
            raise ValueError(f"{where} has {len(items)} values, not {len(kinds)}")
        pairs = enumerate(zip(kinds, items, strict=True))
        return tuple(from_json(one, item, f"{where}[{index}]") for index, (one, item) in pairs)
    return _checked(kind, value, where)


_hints = cache(get_type_hints)  # which compiles each annotation anew


def _record(kind: Any, value: Mapping[str, Any], where: str) -> Any:
    hints, prefix = _hints(kind), f"{where}." if where else ""
    known = {one.name for one in fields(kind)}
    if unknown := sorted(value.keys() - known):
        raise ValueError(f"nothing is called {prefix}{unknown[0]}")
    needed = [one.name for one in fields(kind) if not one.metadata.get("later")]
    if missing := [name for name in needed if name not in value]:
        raise ValueError(f"{prefix}{missing[0]} is missing")
    return kind(**{name: from_json(hints[name], one, f"{prefix}{name}") for name, one in value.items()})


def _point(value: Any, where: str) -> Point:
    try:
        return Point.parse(_checked(str, value, where))
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None


def _checked(kind: type, value: Any, where: str) -> Any:
    if type(value) is not kind:
        raise ValueError(f"{where or 'it'} is {_JSON.get(type(value), 'a fraction')}, not {_JSON[kind]}")
    if isinstance(value, int) and abs(value) > _LARGEST:
        raise ValueError(f"{where or 'it'} is larger than any number that is counted")
    if isinstance(value, str) and _HALF.search(value):
        raise ValueError(f"{where or 'it'} holds half a character, which no file can hold")
    return value
