"""The namespace provider inside a machine: `inside.py VERB HOME`, asked from outside (see within.py).

What it is asked with comes on standard input, pickled (outside is trusted, inside is not); it answers in
JSON, a document a line:

    ← {"say": "…"}                        progress, as it comes
    ← {"answer": …}                       and the end
    ← {"error": "…", "mend": "…"}         and the end
"""

from __future__ import annotations

import json
import pickle
import sys
from collections.abc import Callable, Mapping
from dataclasses import astuple
from pathlib import Path
from typing import Any

from srv6lab.errors import LabError
from srv6lab.evidence.packets import Point
from srv6lab.providers import tcpdump
from srv6lab.providers.base import Record
from srv6lab.providers.netns import Data, Netns
from srv6lab.providers.rendered import Rendered
from srv6lab.providers.state import Home
from srv6lab.providers.vm import within

Asked = Mapping[str, Any]


_NETNS = Netns(Record("netns", "netns", "network namespaces in this machine", Netns, lambda _: {}, ""))


def _lab(asked: Asked) -> Rendered:
    return Rendered(asked["plan"], lambda _: asked["files"])


def _up(home: Home, asked: Asked) -> Any:
    return _NETNS.up(_lab(asked), home, asked["state"], _say).provider_data


def _mend(home: Home, asked: Asked) -> Any:
    mended = _NETNS.mend(_lab(asked), home, asked["state"], _say)
    return mended and mended.provider_data


def _mark(home: Home, asked: Asked) -> Any:
    data = Data.of(asked["state"])
    return {str(point): astuple(one) for point, one in tcpdump.mark(data.tracers, home.captures).items()}


def _down(home: Home, _: Asked) -> None:
    _NETNS.down(home, home.read())
    home.forget(keep_runs=False)


def _status(home: Home, asked: Asked) -> Any:
    return [astuple(one) for one in _NETNS.status(home, asked["state"])]


def _into(_: Home, asked: Asked) -> Any:
    nodes = Data.of(asked["state"]).nodes
    return {node: within.into(nodes, node, ()) for node in nodes}


def _cut(home: Home, asked: Asked) -> Any:
    """What was seen since a mark, as pcaps in the folder `cut`."""
    tracers, mark = Data.of(asked["state"]).tracers, asked["mark"]
    before = mark and {Point.parse(point): tcpdump.Reading(*one) for point, one in mark.items()}
    now = tcpdump.mark(tracers, home.captures)
    found = tcpdump.cut(tracers, home.captures, before, now, home.cut)
    return [(str(one.point), one.state, one.captured, one.dropped, one.note, one.trace) for one in found]


_VERBS: Mapping[str, Callable[[Home, Asked], Any]] = {
    "up": _up,
    "mend": _mend,
    "mark": _mark,
    "cut": _cut,
    "status": _status,
    "into": _into,
    "down": _down,
}


def _tell(**document: object) -> None:
    print(json.dumps(document), flush=True)


def _say(line: str) -> None:
    _tell(say=line)


def main(verb: str, home: str) -> None:
    try:
        _tell(answer=_VERBS[verb](Home(Path(home)), pickle.load(sys.stdin.buffer)))
    except LabError as error:
        _tell(error=error.what, mend=error.mend)


if __name__ == "__main__":
    main(*sys.argv[1:])
