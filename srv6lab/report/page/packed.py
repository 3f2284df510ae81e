"""A document with what it says several times said once: the same header stands at many NICs."""

from __future__ import annotations

from typing import Any

_SHORT = 20  # letters: a reference is no shorter
_Key = Any


def packed(document: Any) -> dict[str, Any]:
    """`shared` holds the values that are there more than once, `{"$": 3}` stands for the fourth of them; each speaks of
    those before it only."""
    packing = _Packing()
    packing.count(document)
    root = packing.written(document)
    return {"shared": packing.shared, "document": root}


def unpacked(document: dict[str, Any]) -> Any:
    """The whole document again; the page does the same."""
    shared: list[Any] = []

    def whole(value: Any) -> Any:
        if isinstance(value, dict):
            if "$" in value:
                return shared[value["$"]]
            return {name: whole(one) for name, one in value.items()}
        return [whole(one) for one in value] if isinstance(value, list) else value

    for value in document["shared"]:
        shared.append(whole(value))
    return whole(document["document"])


class _Packing:
    """Every value by what it is: `number` of each, how often it is there, and where it stands among the shared ones."""

    def __init__(self) -> None:
        self.numbers: dict[_Key, int] = {}
        self.by_object: dict[int, int] = {}
        self.times: list[int] = []
        self.places: dict[int, int] = {}
        self.shared: list[Any] = []

    def count(self, value: Any) -> _Key:
        """Its key, which is the same for equal values; numbers and short texts are their own. What is in a value is looked
        at in place: there is a hundred thousand of it, and a call for each is what takes long."""
        if (known := self.by_object.get(id(value))) is not None:
            self.times[known] += 1
            return known
        if isinstance(value, dict):
            parts: list[_Key] = [dict]
            for name, one in value.items():
                short = type(one) is str and len(one) <= _SHORT
                parts += (name, one if short else self.count(one))
            key: _Key = tuple(parts)
        elif isinstance(value, list):
            parts = [list]
            for one in value:
                short = type(one) is str and len(one) <= _SHORT
                parts.append(one if short else self.count(one))
            key = tuple(parts)
        elif isinstance(value, str) and len(value) > _SHORT:
            key = value
        else:
            return value if type(value) is str else (type(value), value)
        number = self.numbers.setdefault(key, len(self.times))
        if number == len(self.times):
            self.times.append(0)
        self.times[number] += 1
        self.by_object[id(value)] = number
        return number

    def written(self, value: Any) -> Any:
        number = self.by_object.get(id(value)) if isinstance(value, (dict, list, str)) else None
        if number is None or self.times[number] < 2 or not value:
            return self._whole(value)
        if number not in self.places:
            whole = self._whole(value)  # what is in it comes first
            self.places[number] = len(self.shared)
            self.shared.append(whole)
        return {"$": self.places[number]}

    def _whole(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {name: self.written(one) for name, one in value.items()}
        return [self.written(one) for one in value] if isinstance(value, list) else value
