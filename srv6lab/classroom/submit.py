"""What a learner hands in, packed: the newest run of each exercise, the state of the nodes, and what was done when."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from io import BytesIO
from pathlib import Path

from srv6lab.called import CALLED
from srv6lab.classroom import handin
from srv6lab.classroom.archive import MOST_PACKED
from srv6lab.classroom.handin import LOG, MANIFEST, PROGRESS, Event, Manifest
from srv6lab.errors import LabError, MachineError, UsageError
from srv6lab.evidence.documents import to_json
from srv6lab.evidence.observations import OBSERVATIONS
from srv6lab.evidence.runs import RUN, Run, read_run
from srv6lab.host.files import shown, write_whole
from srv6lab.host.version import version
from srv6lab.host.waiting import at_once
from srv6lab.judge.score import marked
from srv6lab.live.begun import now
from srv6lab.live.instance import Instance
from srv6lab.plan.nodes import Plan, PlannedNode
from srv6lab.providers.state import Home
from srv6lab.teach.learned import Entry, read_learned

_EPOCH = (1980, 1, 1, 0, 0, 0)  # of each entry: the same content is the same bytes
_FILE = 0o100644 << 16
_PATIENCE = 8  # seconds for a node's answer
_STATE = (
    ("ip", "-br", "address"),
    ("ip", "-4", "route", "show", "table", "all"),
    ("ip", "-6", "route", "show", "table", "all"),
    ("ip", "-6", "rule"),
)
_FRR = ("vtysh", "-c", "show running-config")
_SECRET = re.compile(
    r"^(.*?\b(?:password|key-string|authentication-key|message-digest-key \d+ md5|secret|clear|md5)) .*$",
    re.IGNORECASE | re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Submitted:
    """What was written where: the `runs` that are in it, what is `lacking` with the command that mends it, and how many
    nodes told their state."""

    path: Path
    size: int
    manifest: Manifest
    runs: Mapping[str, Run | None]
    lacking: tuple[str, ...]
    nodes: int


def submit(plan: Plan, home: Home, one: Instance | None, names: Sequence[str], out: Path | None) -> Submitted:
    """Pack the newest run of each of these exercises, or of all; without `one` the lab isn't up, and no state is in it. UsageError
    where nothing was checked, or something can't be read or written."""
    files: dict[str, bytes] = {}
    every = [one.name for one in plan.exercises]
    for name in names or every:
        files |= _run(home, name)
    names = names or [
        name for name in every if name in {one.name for one in marked(plan)} or _is_in(files, name)
    ]
    runs = {name: read_run(home.run(name)) for name in names if _is_in(files, name)}
    if not runs:
        raise UsageError(f"no exercise of {plan.name} was checked yet", f"{CALLED} check {plan.running}")
    entries = read_learned(home).labs.get(plan.name, {})
    state = _states(one, plan) if one else {}
    files |= {f"state/{node}.txt": text.encode() for node, text in state.items()}
    files[PROGRESS] = _json(to_json(entries))
    files[LOG] = "".join(f"{json.dumps(to_json(event))}\n" for event in _log(entries, runs)).encode()
    manifest = _manifest(plan, home, runs, entries, files)
    packed = _packed({MANIFEST: _json(handin.to_document(manifest)), **files})
    if len(packed) > MOST_PACKED:
        raise UsageError(
            f"it would have {len(packed) >> 20} MiB, and {MOST_PACKED >> 20} MiB are taken at most",
            "hand in some exercises alone, with --exercise",
        )
    path = out or Path(f"{manifest.learner}-{plan.name}.zip" if manifest.learner else f"{plan.name}.zip")
    _write(path, packed)
    return Submitted(path, len(packed), manifest, runs, tuple(_lacking(plan, names, runs, one)), len(state))


def told(done: Submitted) -> str:
    """What is in it, for whoever hands it in."""
    manifest = done.manifest
    whose = (
        f"by {manifest.learner} of class {manifest.group}"
        if manifest.learner
        else "of a lab that is nobody's"
    )
    lines = [f"{shown(done.path)}: {max(1, done.size >> 10)} kB, lab {manifest.lab}, {whose}"]
    for name, run in done.runs.items():
        count = sum(path.startswith(f"runs/{name}/captures/") for path in manifest.files)
        lines.append(
            f"  {name}: {count} captures, checked {run.when if run else 'at a time that is not written down'}"
        )
    if done.nodes:
        lines.append(f"  the state of {done.nodes} nodes: addresses, routes, SIDs")
    lines += [f"not in it: {line}" for line in done.lacking]
    return "\n".join(lines) + "\n"


def without_secrets(text: str) -> str:
    """A configuration of FRR with no password in it."""
    return _SECRET.sub(r"\1 (left out)", text)


def _is_in(files: Mapping[str, bytes], name: str) -> bool:
    return f"runs/{name}/{OBSERVATIONS}" in files


def _run(home: Home, name: str) -> dict[str, bytes]:
    folder = home.run(name)
    paths = [folder / OBSERVATIONS, folder / RUN, *sorted((folder / "captures").glob("*.pcap"))]
    try:
        return {
            f"runs/{name}/{path.relative_to(folder).as_posix()}": path.read_bytes()
            for path in paths
            if path.is_file()
        }
    except OSError as error:
        what = f"{error.filename} can't be read: {error.strerror}"
        raise UsageError(what, "run it as who ran check, with sudo if that did") from None


def _states(one: Instance, plan: Plan) -> dict[str, str]:
    """What each node answers, which may be nothing."""
    texts = at_once(lambda node: _state(one, node), plan.nodes)
    return {node.name: text for node, text in zip(plan.nodes, texts, strict=True) if text}


def _state(one: Instance, node: PlannedNode) -> str:
    asked = (*_STATE, _FRR) if node.routing else _STATE
    told = []
    for argv in asked:
        try:
            said = one.exec(node.name, list(argv), timeout=_PATIENCE).stdout
        except (LabError, MachineError):
            return ""
        told.append(f"# {' '.join(argv)}\n{without_secrets(said) if argv is _FRR else said}")
    return "\n".join(told)


def _log(entries: Mapping[str, Entry], runs: Mapping[str, Run | None]) -> list[Event]:
    found = [Event(one.began, "began", name) for name, one in entries.items() if one.began]
    found += [Event(one.passed, "passed", name) for name, one in entries.items() if one.passed]
    found += [Event(run.when, "checked", name) for name, run in runs.items() if run]
    return sorted(found, key=lambda event: (datetime.fromisoformat(event.when), event.exercise, event.what))


def _manifest(
    plan: Plan,
    home: Home,
    runs: Mapping[str, Run | None],
    entries: Mapping[str, Entry],
    files: Mapping[str, bytes],
) -> Manifest:
    times = [run.when for run in runs.values() if run] + [one.began for one in entries.values() if one.began]
    return Manifest(
        version=version(),
        lab=plan.name,
        learner=plan.learner.name if plan.learner else "",
        group=plan.learner.group if plan.learner else "",
        instance=home.path.name,
        started=min(times, key=datetime.fromisoformat, default=""),
        written=now(),
        exercises=tuple(runs),
        files={name: sha256(data).hexdigest() for name, data in sorted(files.items())},
    )


def _lacking(
    plan: Plan, names: Sequence[str], runs: Mapping[str, Run | None], one: Instance | None
) -> list[str]:
    found = []
    for name in names:
        _, exercise = plan.exercise(name)
        if name not in runs:
            start = (
                f"{CALLED} start {plan.running} --exercise {name}, then " if exercise.changes_the_lab else ""
            )
            found.append(f"{name} was never checked: {start}{CALLED} check {plan.running} --exercise {name}")
        elif (run := runs[name]) and run.topology != plan.digest:
            found.append(
                f"{name} was checked before the lab's file was changed: {CALLED} check {plan.running} --exercise {name}"
            )
    if one is None:
        found.append(f"the state of its nodes, since it isn't up: {CALLED} up {plan.running}")
    return found


def _json(value: object) -> bytes:
    return (json.dumps(value, indent=1, ensure_ascii=False) + "\n").encode()


def _packed(files: Mapping[str, bytes]) -> bytes:
    target = BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as into:
        for name in sorted(files):
            info = zipfile.ZipInfo(name, _EPOCH)
            info.external_attr, info.compress_type, info.create_system = _FILE, zipfile.ZIP_DEFLATED, 3
            into.writestr(info, files[name])
    return target.getvalue()


def _write(path: Path, packed: bytes) -> None:
    if path.is_dir():
        raise UsageError(f"{shown(path)} is a folder", f"name a file: --out {path / 'hand-in.zip'}")
    try:
        write_whole(path, packed)
    except OSError as error:
        raise UsageError(
            f"{shown(path)} can't be written: {error.strerror}", "name another file with --out"
        ) from None
