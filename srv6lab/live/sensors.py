"""The sensors of services: how far their logs reach, whether they have seen all, what they alerted.

An engine is a file under `engines/` and a template under `templates/services/`. Sensors are asked through the
provider, with a script that any machine runs, so namespaces and virtual machines are asked alike.
"""

from __future__ import annotations

import csv
import hashlib
import shlex
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass

from srv6lab.engines import ENGINES
from srv6lab.errors import MachineError, NodeError
from srv6lab.evidence.observations import Alert, Sensor
from srv6lab.host.waiting import at_once, wait_until
from srv6lab.live.instance import Instance
from srv6lab.plan.nodes import Plan, PlannedNode, PlannedService

_PATIENCE = 5.0


@dataclass(frozen=True, slots=True)
class SensorState:
    """One look at a sensor: the engine, whether all of its threads sleep, or some are stopped, the SHA-256 of its
    rules, its log from an offset on.

    A sensor that sleeps after the last packet went by has looked at it: the packet woke it.
    """

    engine: str
    alive: bool
    asleep: bool
    stopped: bool
    size: int
    rules: str
    log: str


def look(lab: Instance, node: PlannedNode, service: PlannedService, offset: int = 0) -> SensorState:
    """Look at a sensor once it sleeps, or soon; its log is given from byte `offset` on."""
    head, _, log = _said(lab, node, service, _LOOK, offset).partition("\n--\n")
    said = dict(line.split(" ", 1) for line in head.splitlines())
    threads = said["threads"].split()
    asleep, stopped = set(threads) <= {"S", "I"}, "T" in threads
    return SensorState(said["engine"], bool(threads), asleep, stopped, int(said["size"]), said["rules"], log)


def _said(lab: Instance, node: PlannedNode, service: PlannedService, script: str, offset: int = 0) -> str:
    script = f"cd /var/lib/srv6lab/services/{shlex.quote(service.name)}\n{_LOG}{script}"
    result = lab.exec(node.name, ["bash", "-ec", script, "bash", str(offset + 1)], timeout=10)
    if result.exit_code:
        raise NodeError(f"{node.name}: service {service.name} can't be looked at: {result.stderr.strip()}")
    return result.stdout


def sizes(lab: Instance, plan: Plan) -> dict[str, int]:
    """How far each sensor's log reaches now, of those that can be looked at."""

    def size(one: tuple[PlannedNode, PlannedService]) -> int | None:
        with suppress(MachineError, ValueError):
            return int(_said(lab, *one, _SIZE))
        return None

    every = list(_all(plan))
    found = zip(every, at_once(size, every), strict=True)
    return {service.name: end for (_, service), end in found if end is not None}


def since(
    lab: Instance, plan: Plan, before: Mapping[str, int]
) -> tuple[tuple[Alert, ...], tuple[Sensor, ...]]:
    """What each sensor alerted since `before`, once it has looked at all that went by. Of one that can't be looked at
    nobody knows that it has."""
    alerts: list[Alert] = []
    sensors = []
    every = list(_all(plan))
    states = at_once(lambda one: _at_rest(lab, *one, before.get(one[1].name)), every)
    for (_, service), seen in zip(every, states, strict=True):
        if seen is None:
            sensors.append(Sensor(service.name, "", alive=True, drained=False))
            continue
        as_planned = seen.rules == hashlib.sha256(service.rules.encode()).hexdigest()
        logged = _alerts(service.name, seen)
        looked = seen.asleep and logged is not None
        sensors.append(Sensor(service.name, seen.engine, seen.alive, looked, as_planned))
        alerts += logged or []
    return tuple(alerts), tuple(sensors)


def _alerts(service: str, seen: SensorState) -> list[Alert] | None:
    """What its log holds; None where that isn't what its engine writes, since a node can write there what it likes."""
    engine = ENGINES.get(seen.engine)
    try:
        return [Alert(service, *logged) for logged in engine.read(seen.log)] if engine else []
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError, csv.Error):
        return None


def _at_rest(
    lab: Instance, node: PlannedNode, service: PlannedService, offset: int | None
) -> SensorState | None:
    """The sensor once it sleeps, is stopped or dead, or as it is after a while; None if it can't be looked at, or
    couldn't before."""
    if offset is None:
        return None
    seen: list[SensorState] = []

    def rests() -> bool:
        seen.append(look(lab, node, service, offset))
        return seen[-1].asleep or seen[-1].stopped or not seen[-1].alive

    with suppress(MachineError):
        wait_until(rests, _PATIENCE, 0.01)
        return seen[-1]
    return None


def _all(plan: Plan) -> Iterator[tuple[PlannedNode, PlannedService]]:
    for node in plan.nodes:
        for service in node.services:
            yield node, service


_LOG = f"""declare -A logs=({" ".join(f"[{one.name}]={shlex.quote(one.log)}" for one in ENGINES.values())})
engine=$(<engine)
log=${{logs[$engine]:-none}}
"""
_SIZE = """
if [[ -e $log ]]; then stat -c %s "$log"; else echo 0; fi
"""
# How its threads are is asked before its log is read; and again here, since the way into the node takes longer than they do.
_LOOK = r"""
for ((tries = 0; tries < 30; tries++)); do
  states=
  if [[ -s pid ]] && kill -0 "$(<pid)" 2>/dev/null; then
    for file in /proc/"$(<pid)"/task/*/stat; do
      read -r line <"$file" || continue
      line=${line##*) }
      states+=" ${line%% *}"
    done
  fi
  [[ $states == *[!SI\ ]* && $states != *T* ]] || break
  sleep 0.01
done
size=0
[[ ! -e $log ]] || size=$(stat -c %s "$log")
rules=$(sha256sum rules)
printf 'engine %s\nthreads %s\nsize %s\nrules %s\n--\n' "$engine" "${states:- }" "$size" "${rules%% *}"
[[ ! -e $log ]] || tail -c +"$1" "$log"
"""
