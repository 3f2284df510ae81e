"""How the labs fare that were begun here: one of them, or all."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from srv6lab.called import CALLED
from srv6lab.cli.labs import LabsFolder
from srv6lab.errors import LabError, UsageError
from srv6lab.evidence.drift import Difference
from srv6lab.live import changed_file, snapshot
from srv6lab.live.begun import read_begun
from srv6lab.live.instance import Instance, Reference
from srv6lab.providers.base import Health
from srv6lab.providers.registry import provider_of
from srv6lab.providers.state import Home, State
from srv6lab.report import formats
from srv6lab.report.status import Begun


def begun(site: LabsFolder) -> list[Begun]:
    """All labs that are up, and what is left of those whose `up` was cut off."""
    found = []
    for home in site.homes():
        name = home.path.name
        try:
            if state := home.read():
                found.append(_begun(site, home, state))
            elif home.alive.exists():
                found.append(Begun(name, "?", "?", f"lab={name}", trouble="begun, and never ready"))
        except LabError as error:
            found.append(Begun(name, "?", "?", f"lab={name}", trouble=error.what))
    return found


def _begun(site: LabsFolder, home: Home, state: State) -> Begun:
    called = site.called(state)
    if state.phase != "ready":
        return Begun(state.instance, state.lab, state.provider, called, trouble="begun, and never ready")
    kept = home.path / snapshot.KEPT
    time = datetime.fromtimestamp(kept.stat().st_mtime).astimezone() if kept.exists() else None
    since = time.isoformat(timespec="seconds") if time else ""
    try:
        health, trouble = tuple(changed_file.health(Instance(home, state, provider_of(state)))), ""
    except LabError as error:
        health, trouble = (), error.what
    return Begun(state.instance, state.lab, state.provider, called, since, health, trouble)


def overview(site: LabsFolder, found: Sequence[Begun], form: str) -> str:
    first = "NAME" if found else site.samples().get("lab", "NAME")
    return formats.chosen(formats.OVERVIEW, form)(found, first)


def status(one: Instance) -> tuple[Sequence[Health], Sequence[Difference] | None]:
    """Every node and tracer, and whether it is alive; and what isn't as Day0 left it, None where nobody could tell, or
    a learner is to find it."""
    health = changed_file.health(one)
    known = all(entry.alive for entry in health if entry.kind == "node") and read_begun(one.home) is None
    return health, snapshot.differences(one) if known else None


def edited(site: LabsFolder, reference: Reference, one: Instance) -> str:
    """What is to be said where the lab's file is another by now; "" where it is up from what the file says, or says itself
    that it was half changed."""
    try:
        older = reference.path.stat().st_mtime <= one.home.written.stat().st_mtime
    except OSError:
        return "its file is gone"
    if older or changed_file.half_done(one.home):
        return ""
    plan = site.load_if_sound(reference)
    if plan is None:
        return f"its file was edited since, and is wrong now: {CALLED} validate {site.called(one.state)}"
    from srv6lab.live.lifecycle import refuse_stale

    try:
        refuse_stale(one, plan)
    except UsageError as error:
        return f"{error.what}: {error.mend}"
    return ""


def status_report(
    one: Instance, health: Sequence[Health], drift: Sequence[Difference] | None, form: str
) -> str:
    show = formats.chosen(formats.STATUS, form)
    return show(one.state.lab, one.state.instance, one.state.provider, health, drift)
