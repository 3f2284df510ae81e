"""A lab that is up after its file was edited: what is another now is changed, and nothing else is touched.

Before the first change is made, which nodes it touches is written down. So a change that was stopped half-way is known to
all commands, and the next `up` makes those nodes anew.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from srv6lab.called import CALLED
from srv6lab.errors import Interrupted, LabError, UsageError
from srv6lab.evidence.documents import from_json, to_json
from srv6lab.host.files import write_whole
from srv6lab.host.progress import Progress
from srv6lab.live import sending, snapshot
from srv6lab.live.begun import read_begun
from srv6lab.live.instance import Instance
from srv6lab.providers.base import Health
from srv6lab.providers.rendered import Rendered
from srv6lab.providers.state import Home
from srv6lab.render.laid import Laid, laid, laid_nics, laid_node
from srv6lab.render.step import Step, step

LAID, HALF = "laid.json", "changing.json"
CHANGE = "change"  # of the file, in `status`
_SCHEMA = 1
_MOST = 40  # lines of what a change does


def keep(one: Instance, lab: Rendered) -> None:
    """Write down what the lab is built from, where it isn't yet, and its provider can make use of it."""
    if one.provider.record.changes and read_laid(one.home) is None:
        _write(one.home, LAID, to_json(laid(lab.plan, lab.texts)))


def half_done(home: Home) -> tuple[str, ...]:
    """The nodes that a change which didn't come to its end has touched; none where none was begun."""
    document = _read(home, HALF)
    return tuple(document["nodes"]) if document else ()


def read_laid(home: Home) -> Laid | None:
    """What was laid; None where nothing that can be read was written down."""
    try:
        document = _read(home, LAID)
        return from_json(Laid, document, "") if document else None
    except ValueError:
        return None


def step_to(one: Instance, lab: Rendered) -> tuple[Step, Laid]:
    """What has to be done to the lab, and what is laid then; UsageError with the reason where it can't be.

    A node that is touched is kept only if it is as Day0 left it: what somebody set there by hand would be taken for Day0's
    from then on."""
    if begun := read_begun(one.home):
        what = (
            f"{begun.exercise} is begun in {one.name}, and an edit of its file would take away what it laid"
        )
        raise UsageError(what, f"{CALLED} finish {_called(one)}, then up again")
    if not one.provider.record.changes:
        raise _unable(one, f"{one.provider.record.name} changes no lab that is up")
    before = read_laid(one.home)
    if before is None:
        raise _unable(one, "what it was built from isn't written down")
    half = half_done(one.home)
    rewritten = {path.removeprefix("day0/").removesuffix(".sh") for path in lab.changed(one.home)}
    nodes = {
        node.name: laid_node(node, lab.texts[f"day0/{node.name}.sh"])
        if node.name in rewritten or node.name in half or node.name not in before.nodes
        else before.nodes[node.name]
        for node in lab.plan.nodes
    }
    after = Laid(nodes, laid_nics(lab.plan))
    anew = dict.fromkeys(half, "an earlier `up` changed it half")
    asked: set[str] = set()
    while True:
        found = step(before, after, rewritten, anew)
        asking = _kept_by(found, lab) & {*one.nodes()} - asked
        drifted = snapshot.drifted(one, asking)
        if not drifted:
            return found, after
        anew |= dict.fromkeys(drifted, "it isn't as Day0 left it")
        asked |= asking


def _kept_by(found: Step, lab: Rendered) -> set[str]:
    """The nodes that stay, and whose settings are another's afterwards."""
    return {*found.touched, *_led(lab)} - {*found.gone, *found.made} if found.touched else set()


def _unable(one: Instance, why: str) -> UsageError:
    return UsageError(f"{one.name} is up from an older file, and {why}", _anew(one))


def mend_of(one: Instance) -> str:
    """How a lab from an older file comes to be as its file is."""
    return f"{CALLED} up {_called(one)} changes it" if one.provider.record.changes else _anew(one)


def _anew(one: Instance) -> str:
    return f"{CALLED} destroy {_called(one)}, then up again"


def _called(one: Instance) -> str:
    lab = one.state.lab
    return f"lab={lab}" if lab == one.name else f"lab={lab} --instance {one.name}"


def change(one: Instance, lab: Rendered, progress: Progress) -> tuple[Instance, Step]:
    """Do it, and say what was done. Errors and interrupts leave the lab half changed, and say so."""
    sending.take_back(one)
    found, after = step_to(one, lab)
    home = one.home
    snapshot.forget(one, {*found.touched, *_led(lab)})
    _write(home, HALF, {"nodes": sorted({*half_done(home), *found.touched})})
    try:
        state = one.provider.change(lab, found, home, one.state, progress)
    except KeyboardInterrupt as error:
        raise Interrupted(f"interrupted: {one.name} is half changed", _go_on(one), by=error) from None
    except LabError as error:
        raise _half(one, error) from error
    for name in found.gone:
        (home.path / "day0" / f"{name}.sh").unlink(missing_ok=True)
    _write(home, LAID, to_json(after))
    state = replace(state, fingerprint=lab.fingerprint)
    home.write(state)
    (home.path / HALF).unlink(missing_ok=True)
    return replace(one, state=state), found


def _led(lab: Rendered) -> Iterator[str]:
    """The nodes whose routes come from others."""
    return (node.name for node in lab.plan.nodes if node.routing or node.headend)


def told(found: Step, nodes: int, *, done: bool = True) -> Iterator[str]:
    """What was done, or would be, for a person."""
    lines = [*found.lines()] or [f"{name}: {'ran' if done else 'runs'} Day0 again" for name in found.run]
    did = "changed what its file has changed" if done else "this would change"
    yield f"{did}; {nodes - len(found.run)} of {nodes} nodes stay as they are{':' if lines else ''}"
    yield from (f"  {line}" for line in lines[:_MOST])
    if len(lines) > _MOST:
        yield f"  and {len(lines) - _MOST} more"


def refuse_half(one: Instance) -> None:
    """UsageError for a lab that is half changed."""
    if nodes := half_done(one.home):
        what = f"{one.name} is half changed: an `up` after an edit of its file didn't come to its end ({', '.join(nodes)})"
        raise UsageError(what, _go_on(one))


def health(one: Instance) -> Sequence[Health]:
    """Every node and tracer; one more line where the lab is half changed."""
    nodes = half_done(one.home)
    half = [Health(CHANGE, ", ".join(nodes), False, f"half done: {_go_on(one)}")] if nodes else []
    return [*half, *one.status()]


def _half(one: Instance, error: LabError) -> LabError:
    """The error with what the lab is now."""
    mend = f"{error.mend}; then {_go_on(one)}" if error.mend else _go_on(one)
    return type(error)(f"{error.what}\n  {one.name} is half changed", mend)


def _go_on(one: Instance) -> str:
    name = _called(one)
    return f"{CALLED} up {name} finishes it, {CALLED} destroy {name} takes the lab away"


def _read(home: Home, name: str) -> Any:
    """A document of ours; None where it isn't there, or isn't of this version."""
    try:
        document = json.loads((home.path / name).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return (
        document.pop("content") if isinstance(document, dict) and document.get("schema") == _SCHEMA else None
    )


def _write(home: Home, name: str, content: Any) -> None:
    home.own(name)
    write_whole(home.path / name, json.dumps({"schema": _SCHEMA, "content": content}) + "\n")
