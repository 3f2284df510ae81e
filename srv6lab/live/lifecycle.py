"""A lab from `up` to `destroy`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from srv6lab.called import CALLED
from srv6lab.errors import Interrupted, LabError, MachineError, UsageError
from srv6lab.host.files import shown
from srv6lab.host.progress import Progress
from srv6lab.live import brought_back, changed_file, sending, snapshot, wait_for_policies
from srv6lab.live.changes import unable
from srv6lab.live.instance import Instance, Request, another
from srv6lab.live.wait_for_routes import wait
from srv6lab.plan.nodes import Plan
from srv6lab.providers.base import Provider
from srv6lab.providers.registry import WITH_MACHINES, provider_of
from srv6lab.providers.rendered import Rendered
from srv6lab.providers.state import Home, State
from srv6lab.render.step import Step


def up(home: Home, found: Plan, asked: Request, progress: Progress) -> Instance:
    """Bring the lab up, or what is up back to what the file says. On a failure nothing is left, but by a
    provider that makes machines: there the next `up` goes on. A lab whose routing protocols don't converge stays
    up, to be looked at."""
    with home.locked():
        state = home.read()
        provider = asked.provider or provider_of(state)
        _refuse_another(state, provider, home, asked)
        box = state.box if state else asked.box or provider.record.box
        lab = Rendered(with_box(found, box), provider.record.rendering)
        known = Instance(home, state, provider) if state else None
        one, step = _changed(known, lab, progress) if known else (None, None)
        before = brought_back.look(known) if known and not one and _mendable(known, lab) else None
        one = _mended(known, lab, progress) if known and before else one
        again = before if one else None
        if one is None:
            if before and before.dead:
                progress(f"it is built anew, since these were dead: {', '.join(before.dead)}")
            provider.down(home, state)
            home.forget(keep_runs=True, keep_lock=True)
            path = str(asked.reference.path.resolve())
            fresh = State(found.name, home.path.name, provider.record.name, path, "starting", box=box)
            one = _anew(Instance(home, fresh, provider), lab, progress)
        try:
            wait(one, lab.plan, progress)
            if step:
                wait_for_policies.begin_anew(one, lab.plan)
            wait_for_policies.up(one, lab.plan, progress)
            snapshot.keep(one)
            if step is None:
                changed_file.keep(one, lab)
            for line in unable(one, lab.plan):
                progress(line)
            for line in changed_file.told(step, len(lab.plan.nodes)) if step else ():
                progress(line)
            for line in brought_back.told(again, brought_back.look(one)) if again else ():
                progress(line)
        except KeyboardInterrupt as error:
            what = f"interrupted: {one.name} is up, but was not waited for"
            raise Interrupted(what, _on_or_away(one), by=error) from None
        return one


def would_change(home: Home, found: Plan, asked: Request) -> Iterator[str]:
    """What `up` would do, without doing any of it."""
    state = home.read()
    if state is None or state.phase != "ready":
        yield f"{home.path.name} isn't up, so all of it would be built"
        return
    provider = asked.provider or provider_of(state)
    _refuse_another(state, provider, home, asked)
    one = Instance(home, state, provider)
    lab = Rendered(with_box(found, state.box), provider.record.rendering)
    if not _is_to_change(one, lab):
        alive = all(entry.alive for entry in one.status())
        yield (
            "nothing: it is up from this file"
            if alive
            else "it would be brought back, since some of it is dead"
        )
        return
    yield from changed_file.told(changed_file.step_to(one, lab)[0], len(found.nodes), done=False)


def _changed(one: Instance, lab: Rendered, progress: Progress) -> tuple[Instance | None, Step | None]:
    """What is up from an older file, as the file is now; nothing where that isn't so."""
    return changed_file.change(one, lab, progress) if _is_to_change(one, lab) else (None, None)


def _is_to_change(one: Instance, lab: Rendered) -> bool:
    """Whether it is up, whole but for what was half changed, and from another plan; UsageError for another lab."""
    half = changed_file.half_done(one.home)
    if one.state.phase != "ready" or (one.state.fingerprint == lab.fingerprint and not half):
        return False
    alive = [entry.alive for entry in one.status()]
    if not (any(alive) if half else all(alive)):
        return False
    if one.state.lab != lab.plan.name:
        raise another(one, lab.plan.name)
    return True


def _anew(one: Instance, lab: Rendered, progress: Progress) -> Instance:
    """The lab from nothing. One that can be gone on with is known by its plan from the beginning."""
    machines = one.provider.record.makes_machines
    fresh = replace(one.state, fingerprint=lab.fingerprint) if machines else one.state
    try:
        state = one.provider.up(lab, one.home, fresh, progress)
        state = replace(state, fingerprint=lab.fingerprint)
        one.home.write(state)
        return replace(one, state=state)
    except BaseException as error:
        if machines and one.home.read():
            _keep(one, error)
        _take_back(one)
        if isinstance(error, KeyboardInterrupt):
            raise Interrupted(f"interrupted: nothing is left of {one.name}", by=error) from None
        raise


def _refuse_another(state: State | None, provider: Provider, home: Home, asked: Request) -> None:
    """What is up can't change its provider or its boxes."""
    name, destroy_it = home.path.name, f"{CALLED} destroy lab={asked.reference.name}"
    if state and state.provider != provider.record.name:
        raise UsageError(f"{name} is up under {state.provider}", destroy_it)
    if state and asked.box and state.box != asked.box:
        raise UsageError(f"{name} is up from {state.box or 'the boxes of its file'}", destroy_it)
    if asked.box and not provider.record.makes_machines:
        raise UsageError(
            f"{provider.record.name} has no boxes", f"--box is for {' and '.join(WITH_MACHINES)}"
        )


def with_box(found: Plan, box: str) -> Plan:
    """The plan with one box for all machines; "" leaves each its own."""
    if not box:
        return found
    nodes = (replace(node, box=box, box_version=None) for node in found.nodes)
    return replace(found, nodes=tuple(nodes))


def _keep(one: Instance, error: BaseException) -> None:
    """What came up stays: only a person's interrupt needs words of its own."""
    if isinstance(error, KeyboardInterrupt):
        what = f"interrupted: what came up of {one.name} is kept"
        raise Interrupted(what, _on_or_away(one), by=error) from None
    raise error


def _on_or_away(one: Instance) -> str:
    lab = one.state.lab
    name = f"lab={lab}" if lab == one.name else f"lab={lab} --instance {one.name}"
    return f"{CALLED} up {name} goes on, {CALLED} destroy {name} takes it away"


def _take_back(one: Instance) -> None:
    try:
        one.provider.down(one.home, one.home.read())
        one.home.forget(keep_runs=True)
    except BaseException as error:
        mend = f"{CALLED} destroy lab={one.name} takes the rest away"
        raise LabError(
            f"stopped while taking {one.name} back, so some of it may be left: {error}", mend
        ) from error


def _mendable(one: Instance, lab: Rendered) -> bool:
    """Whether it was built from this plan."""
    return one.state.fingerprint == lab.fingerprint


def _mended(one: Instance, lab: Rendered, progress: Progress) -> Instance | None:
    """What is up already and still whole; None where it has to be built from nothing."""
    try:
        state = one.provider.mend(lab, one.home, one.state, progress)
        if state is None:
            return None
        one = replace(one, state=state)
        sending.take_back(one)
        return one
    except MachineError as error:
        if one.provider.record.makes_machines:
            raise
        progress(f"it can't be mended, so it is built anew: {str(error).splitlines()[0]}")
        return None


def refuse_stale(one: Instance, found: Plan) -> None:
    """UsageError if the lab isn't up from this plan, or only half."""
    changed_file.refuse_half(one)
    lab = Rendered(with_box(found, one.state.box), one.provider.record.rendering)
    if one.state.fingerprint != lab.fingerprint:
        raise stale(one, lab)


def stale(one: Instance, lab: Rendered) -> UsageError:
    """A lab that is up from an older file, with what would change; or another lab."""
    if one.state.lab != lab.plan.name:
        return another(one, lab.plan.name)
    changed = lab.changed(one.home)
    what = f"{', '.join(changed)} would change" if changed else "links or captures would change"
    return UsageError(f"{one.name} is up from an older file: {what}", changed_file.mend_of(one))


def halt(one: Instance, progress: Progress) -> None:
    """Shut a lab's machines down and keep their disks; UsageError for a provider that has none."""
    with one.locked():
        one.provider.halt(one.home, one.state, progress)


def destroy(home: Home, provider: Provider | None = None, *, purge: bool = False) -> bool:
    """Take away what `up` made; False if there was nothing. The results of checks stay unless `purge`. The provider
    is the one that the lab runs under, unless another is given."""
    if home.path.is_symlink():
        raise UsageError(f"{shown(home.path)} is a link to elsewhere", "remove it by hand")
    if not home.begun:
        return False
    with home.locked():
        state = home.read()
        began = state is not None or home.alive.exists()
        (provider or provider_of(state)).down(home, state)
        home.forget(keep_runs=not purge)
    return began or purge
