"""Events of a lab that is watched: JSON for programs, a line each for people. Values in, text out."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from srv6lab.errors import printable
from srv6lab.live.watch_state import DOWN, UNKNOWN, Event

SCHEMA = 1
_WORDS = {"up": "is up", DOWN: "is DEAD", UNKNOWN: "is unknown"}


def event_json(event: Event, time: str) -> str:
    """A line of JSON in ASCII: what a name may hold to steer a terminal or to break a line is escaped."""
    said = {"schema": SCHEMA, "time": time, "kind": event.kind, "first": event.first}
    return json.dumps({**said, **event.fields}) + "\n"


def event_text(event: Event, time: str) -> str:
    """A line for a person, without what would steer a terminal; "" for what only programs want."""
    words = _TEXTS[event.kind](event.fields)
    line = " ".join(f"{time} {event.kind} {words}".split()) if words else ""
    return f"{printable(line)}\n" if line else ""


def one_line(text: object) -> str:
    """What a tool or a node said, in one line without what would steer a terminal."""
    return printable(" ".join(str(text).split()))


def point(told: Mapping[str, object]) -> str:
    """Where an event is: `node/netns:nic`, without the parts that it hasn't."""
    netns = f"/{told['netns']}" if told.get("netns") else ""
    return f"{told.get('node', '')}{netns}" + (f":{told['nic']}" if told.get("nic") else "")


def _lab(told: Mapping[str, object]) -> str:
    state = {"up": "is up", "destroyed": "isn't up", "starting": "is being brought up"}
    busy = ", another command is at work on it" if told["busy"] else ""
    stale = f", but its file is another one: {told['stale']}" if told["stale"] else ""
    return f"{told['instance']} {state.get(str(told['state']), 'is unknown')}{busy}{stale}"


def _state(told: Mapping[str, object]) -> str:
    return f"{point(told)} {_WORDS.get(str(told['state']), '')}"


def _nic(told: Mapping[str, object]) -> str:
    return f"{point(told)} is {told['state']}"


def _route(told: Mapping[str, object]) -> str:
    table = f" table {told['table']}" if told["table"] != "main" else ""
    return f"{point(told)} {told['change']} {told['prefix']} {told['how']}{table}"


def _sid(told: Mapping[str, object]) -> str:
    if told["change"] == "counted":
        return f"{point(told)} {told['sid']} {told['packets']} packets ({told['counted_by']})"
    return f"{point(told)} {told['change']} {told['sid']} {told['behavior']} {told['how']}"


def _packets(told: Mapping[str, object]) -> str:
    dropped = f", {told['dropped']} dropped" if told["dropped"] else ""
    return f"{point(told)} in {told['received']}, out {told['sent']}{dropped}"


def _packet_at(told: Mapping[str, object]) -> str:
    late = " (told after the run)" if told["late"] else ""
    probe = f"probe {told['probe']}" if told["probe"] else f"token {told['token']}"
    return f"{point(told)} {told['direction'] or '?'} packet {told['number']} of {probe}, {told['length']} bytes{late}"


def _policy(told: Mapping[str, object]) -> str:
    name = f" {told['name']}" if told["name"] else ""
    over = f" over {told['segments']}" if told["segments"] else ""
    return f"{told['node']} {told['policy']}{name}: {told['action']} {told['candidate']}{over}"


def _line(told: Mapping[str, object]) -> str:
    return f"{point(told)} {told['change']}: {told['what']}" if told["what"] else ""


def _verdict(told: Mapping[str, object]) -> str:
    cause = f": {'cause: ' if told['proven'] else ''}{told['gist']}" if told["gist"] else ""
    return f"{told['exercise']} {str(told['status']).upper()}, {told['passed']} of {told['judged']} as they should be{cause}"


def _unknown(told: Mapping[str, object]) -> str:
    return f"{told['what']}: {told['why'] or 'known again'}"


_TEXTS: Mapping[str, Callable[[Mapping[str, object]], str]] = {
    "lab": _lab,
    "node": _state,
    "tracer": _state,
    "nic": _nic,
    "packets": _packets,
    "packet-at": _packet_at,
    "route": _route,
    "sid": _sid,
    "policy": _policy,
    "routing": _line,
    "drift": _line,
    "verdict": _verdict,
    "unknown": _unknown,
}
