"""The catalogue of faults: a file a kind, with what is known of it in `KIND`. A file here is a kind everywhere."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from importlib import import_module
from pkgutil import iter_modules

from srv6lab.teach.faults.fault import Fault, Kind
from srv6lab.teach.faults.scene import Scene

__all__ = ["KINDS", "Fault", "Kind", "Scene", "faults"]

_OTHERS = ("fault", "rules", "scene")
_FILES = sorted(one.name for one in iter_modules(__path__) if one.name not in _OTHERS)

KINDS: Mapping[str, Kind] = {
    kind.name: kind for kind in (import_module(f"{__name__}.{name}").KIND for name in _FILES)
}


def faults(kind: Kind, scene: Scene) -> Iterator[Fault]:
    """The faults of a kind that an exercise may show, each once."""
    found = {(one.node, one.do): one for one in reversed([*kind.find(scene)])}
    for one in reversed([*found.values()]):
        yield replace(one, kind=kind.name, causes=kind.causes)
