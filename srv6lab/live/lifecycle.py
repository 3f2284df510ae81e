"""A lab from `up` to `destroy`."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from srv6lab.errors import Interrupted, LabError, MachineError, UsageError
from srv6lab.host.files import shown, write_whole
from srv6lab.host.progress import Progress
from srv6lab.images.box import NAME as OUR_BOX
from srv6lab.live import wait_for_policies
from srv6lab.live.changes import Changes
from srv6lab.live.instance import Instance, Reference
from srv6lab.live.wait_for_routes import wait
from srv6lab.plan.nodes import Plan
from srv6lab.providers.base import Provider
from srv6lab.providers.registry import DEFAULT_PROVIDER, SINGLE_VM_SUFFIX, provider_named, rendering
from srv6lab.providers.state import Home, State
from srv6lab.render.files import Files


def up(
    home: Home,
    found: Plan,
    reference: Reference,
    provider_name: str,
    progress: Progress,
    box: str = "",
) -> State:
    """Bring the lab up, or what is up back to what the file says. On a failure nothing is left, but by a
    provider that resumes: there the next `up` goes on. A lab whose routing protocols don't converge stays up,
    to be looked at. `box` stands for the boxes that the file names."""
    with home.locked():
        state = home.read()
        provider = provider_named(provider_name or (state.provider if state else DEFAULT_PROVIDER))
        if provider.name.endswith(SINGLE_VM_SUFFIX) and not state:
            box = box or OUR_BOX  # the file's boxes are for its nodes
        _refuse_another(state, provider, box, home, reference)
        found = with_box(found, state.box if state else box)
        mended = _mend(home, state, found, provider, progress) if state else None
        fresh = _fresh(home, found, reference, provider, box)
        state = mended or _anew(home, state, found, fresh, provider, progress)
        try:
            wait(found, provider, state, progress)
            wait_for_policies.up(found, provider, state, progress)
        except KeyboardInterrupt:
            raise Interrupted(f"interrupted: {home.path.name} is up, but has not converged") from None
        return state


def _fresh(home: Home, found: Plan, reference: Reference, provider: Provider, box: str) -> State:
    """What is written down at the beginning; a lab that can be resumed is known by its plan from then on."""
    path = str(reference.path.resolve())
    known = fingerprint(found, provider) if provider.resumes else ""
    return State(found.name, home.path.name, provider.name, path, "starting", known, box)


def _anew(
    home: Home, state: State | None, found: Plan, fresh: State, provider: Provider, progress: Progress
) -> State:
    provider.down(home, state)
    home.forget(keep_runs=True, keep_lock=True)
    try:
        state = provider.up(found, partial(_render_into, home, found, provider), home, fresh, progress)
        state = replace(state, fingerprint=fingerprint(found, provider))
        home.write(state)
        return state
    except BaseException as error:
        if provider.resumes and home.read():
            _keep(home, fresh.lab, error)
        _take_back(provider, home)
        if isinstance(error, KeyboardInterrupt):
            raise Interrupted(f"interrupted: nothing is left of {home.path.name}") from None
        raise


def _refuse_another(
    state: State | None, provider: Provider, box: str, home: Home, reference: Reference
) -> None:
    """What is up can't change its provider or its boxes."""
    destroy_it = f"invoke destroy lab={reference.name}"
    if state and state.provider != provider.name:
        raise UsageError(f"{home.path.name} is up under {state.provider}", destroy_it)
    if state and box and state.box != box:
        raise UsageError(f"{home.path.name} is up from {state.box or 'the boxes of its file'}", destroy_it)
    if box and not provider.resumes:
        raise UsageError(f"{provider.name} has no boxes", "--box is for virtualbox and libvirt")


def with_box(found: Plan, box: str) -> Plan:
    """The plan with one box for all machines; "" leaves each its own."""
    if not box:
        return found
    nodes = (replace(node, box=box, box_version=None) for node in found.nodes)
    return replace(found, nodes=tuple(nodes))


def _keep(home: Home, lab: str, error: BaseException) -> None:
    """What came up stays: only a person's interrupt needs words of its own."""
    if isinstance(error, KeyboardInterrupt):
        name = f"lab={lab}" if lab == home.path.name else f"lab={lab} --instance {home.path.name}"
        mend = f"invoke up {name} goes on, invoke destroy {name} takes it away"
        raise Interrupted(f"interrupted: what came up of {home.path.name} is kept", mend) from None
    raise error


def _render_into(home: Home, found: Plan, provider: Provider) -> Mapping[str, str]:
    """Write the lab's files; those that are text."""
    files = rendering(provider)(found)
    for path, content in files.items():
        write_whole(home.path / path, content)
    return _texts(files)


def _texts(files: Files) -> Mapping[str, str]:
    return {path: content for path, content in files.items() if isinstance(content, str)}


def _take_back(provider: Provider, home: Home) -> None:
    try:
        provider.down(home, home.read())
        home.forget(keep_runs=True)
    except BaseException as error:
        name = home.path.name
        mend = f"invoke destroy lab={name} takes the rest away"
        raise LabError(
            f"stopped while taking {name} back, so some of it may be left: {error}", mend
        ) from error


def _mend(home: Home, state: State, found: Plan, provider: Provider, progress: Progress) -> State | None:
    """What is up already and still whole; None where it has to be built from nothing."""
    if state.fingerprint != fingerprint(found, provider):
        if state.phase == "ready" and all(one.alive for one in provider.status(home, state)):
            raise stale(home, found, provider)
        return None
    try:
        mended = provider.mend(found, _texts(rendering(provider)(found)), home, state, progress)
        if mended:
            Changes(provider, home, state).take_back()
    except MachineError as error:
        if provider.resumes:
            raise
        progress(f"it can't be mended, so it is built anew: {str(error).splitlines()[0]}")
        return None
    return mended


def fingerprint(found: Plan, provider: Provider) -> str:
    """What of a plan is built into a running lab: its scripts, its machines, its NICs, its captures' names."""
    digest = hashlib.sha256()
    for path, content in sorted(rendering(provider)(found).items()):
        digest.update(f"{path}\0".encode())
        digest.update(content if isinstance(content, bytes) else content.encode())
        digest.update(b"\0")
    for nic in found.traced():
        digest.update(f"{nic}\0".encode())
    return digest.hexdigest()


def stale(home: Home, found: Plan, provider: Provider) -> UsageError:
    files = rendering(provider)(found)
    changed = [path for path, content in files.items() if not _same(home.path / path, content)]
    what = f"{', '.join(changed)} would change" if changed else "links or captures would change"
    mend = f"invoke destroy lab={home.path.name}, then up again"
    return UsageError(f"{home.path.name} is up from an older file: {what}", mend)


def _same(path: Path, content: str | bytes) -> bool:
    try:
        return path.read_bytes() == (content if isinstance(content, bytes) else content.encode())
    except FileNotFoundError:
        return False


def halt(one: Instance, progress: Progress) -> None:
    """Shut a lab's machines down and keep their disks; UsageError for a provider that has none."""
    if not one.provider.resumes:
        what = f"{one.state.provider} has no machines that could be shut down"
        raise UsageError(what, f"invoke destroy lab={one.state.instance} takes the lab away")
    with one.home.locked():
        one.provider.halt(one.home, one.state, progress)


def destroy(home: Home, *, purge: bool = False) -> bool:
    """Take away what `up` made; False if there was nothing. The results of checks stay unless `purge`."""
    if home.path.is_symlink():
        raise UsageError(f"{shown(home.path)} is a link to elsewhere", "remove it by hand")
    if not home.begun:
        return False
    with home.locked():
        state = home.read()
        began = state is not None or (home.path / "alive").exists()
        provider_named(state.provider if state else DEFAULT_PROVIDER).down(home, state)
        home.forget(keep_runs=not purge)
    return began or purge
