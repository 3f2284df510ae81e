"""What may stand where somebody presses Tab: tasks, their options, the values that help lists, and the labs, exercises,
nodes, NICs and instances that there are.

It is asked between two keys, so it imports next to nothing: what the tasks take is written down once, until they change,
and of a lab's file only the names are read.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from srv6lab.called import CALLED
from srv6lab.cli.places import Place, place
from srv6lab.host.files import PACKAGE, SHARE, cache, write_whole

_SCRIPTS = ("bash", "zsh", "fish")
_INVOKE = ("invoke", "inv")
_FILE = "topology.yml"
_LONGEST = 1 << 20  # bytes of a lab's file that is read while somebody waits
Forms = Mapping[str, Mapping[str, Any]]


def main(words: Sequence[str]) -> None:
    """Print what the last of the words may become, a line each. Whatever goes wrong, a line that is being typed is no
    place to say so."""
    try:
        sys.stdout.write("".join(f"{one}\n" for one in _found(words)))
    except Exception:
        return


def print_script(shell: str) -> None:
    """What makes a shell ask us, for `srv6lab` and for `invoke` in our folders."""
    if shell not in _SCRIPTS:
        sys.exit(f"error: there is no completion for {shell!r}\n  mend: one of {', '.join(_SCRIPTS)}")
    text = (PACKAGE / "cli" / "completion" / shell).read_text(encoding="utf-8")
    asks = shlex.join([sys.executable, "-P", "-m", "srv6lab", "--complete", "--"])
    sys.stdout.write(text.replace("@ASK@", asks))


def _found(words: Sequence[str]) -> Sequence[str]:
    program, *typed = words or [CALLED]
    current = typed[-1] if typed else ""
    if Path(program).name not in _INVOKE:
        return candidates(typed[:-1], current, _forms(), Labs(place("srv6lab")))
    root = next((one for one in (Path.cwd(), *Path.cwd().parents) if (one / "tasks.py").exists()), SHARE)
    if "srv6lab" not in (root / "tasks.py").read_text(encoding="utf-8", errors="replace"):
        done = subprocess.run([program, "--complete", "--", *words], capture_output=True, text=True)
        return [one for one in done.stdout.split() if one.startswith(current)]
    shared = SHARE / "labs" if root.resolve() != SHARE else None
    return candidates(typed[:-1], current, _forms(), Labs(Place(root.resolve(), shared)))


@dataclass(frozen=True, slots=True)
class Labs:
    """The names that there are, as far as files say them in so many words."""

    place: Place

    def labs(self) -> list[str]:
        return sorted({path.parent.name for folder in self._folders() for path in folder.glob(f"*/{_FILE}")})

    def instances(self) -> list[str]:
        folder = self.place.kept or self.place.root / ".srv6lab"
        return sorted(path.parent.name for path in folder.glob("*/state.json"))

    def read(self, lab: str) -> Mapping[str, Any]:
        """The lab's file, in which every scalar is a text; nothing where it can't be read."""
        import yaml

        files = [folder / lab / _FILE for folder in self._folders()] if "/" not in lab else []
        path = next(
            (one for one in files if one.exists()), Path(lab) / _FILE if Path(lab).is_dir() else Path(lab)
        )
        with path.open("rb") as source:
            data = yaml.load(source.read(_LONGEST), getattr(yaml, "CBaseLoader", yaml.BaseLoader))
        return data if isinstance(data, dict) else {}

    def _folders(self) -> list[Path]:
        return [self.place.root / "labs", *([self.place.shared] if self.place.shared else [])]


def candidates(before: Sequence[str], current: str, forms: Forms, labs: Labs) -> list[str]:
    """What `current` may become behind the words `before`, which begin with a task."""
    return [one for one in _all(before, current, forms, labs) if one.startswith(current)]


def _all(before: Sequence[str], current: str, forms: Forms, labs: Labs) -> Iterator[str]:
    if not before:
        yield from (*forms, "--help", "--list", "--version")
        return
    if (form := forms.get(before[0])) is None:
        return
    takes: Mapping[str, bool] = form["options"]
    said = _said(before[1:], form)
    last = before[-1]
    if last.startswith("--") and "=" not in last and takes.get(last[2:]):
        yield from _values(last[2:], said, labs, form)
        return
    dashes = "--" if current.startswith("--") else ""
    name, equals, _ = current.removeprefix("--").partition("=")
    if equals:
        yield from (f"{dashes}{name}={one}" for one in _values(name, said, labs, form))
        return
    left = [one for one in takes if one not in said or one in form["many"]]
    if current.startswith("-"):
        yield from (f"--{one}" for one in (*left, "help"))
        return
    places = [one for one in form["places"] if one not in said or one in form["many"]]
    yield from _values(places[0], said, labs, form) if places else ()
    yield from (f"{one}=" for one in left if takes[one])


def _said(words: Sequence[str], form: Mapping[str, Any]) -> dict[str, str]:
    """What is said already, by the names of options; free words go to the places that are left."""
    said: dict[str, str] = {}
    free, behind = [], ""
    for word in words:
        name, equals, value = word.removeprefix("--").partition("=")
        if behind:
            said[behind], behind = word, ""
        elif equals and name in form["options"]:
            said[name] = value
        elif word.startswith("--"):
            behind = name if form["options"].get(name) else ""
            said.setdefault(name, "")
        else:
            free.append(word)
    for name, word in zip([one for one in form["places"] if one not in said], free, strict=False):
        said[name] = word
    return said


def _values(option: str, said: Mapping[str, str], labs: Labs, form: Mapping[str, Any]) -> Sequence[str]:
    if option == "lab":
        return labs.labs()
    if option == "instance":
        return labs.instances()
    if (of_lab := _OF_A_LAB.get(option)) and said.get("lab"):
        try:
            found = of_lab(labs.read(said["lab"]), said)
        except Exception:  # a file that is being written may be anything
            return ()
        return [one for one in found if isinstance(one, str) and one.isprintable()]
    values: Sequence[str] = form["values"].get(option, ())
    return values


def _nodes(data: Mapping[str, Any], _: Mapping[str, str]) -> list[str]:
    return [one for one in data.get("nodes", {}) if "[" not in one]  # a range stands for many


def _exercises(data: Mapping[str, Any], _: Mapping[str, str]) -> list[str]:
    return [one["name"] for one in data.get("exercises", ())]


def _nics(data: Mapping[str, Any], said: Mapping[str, str]) -> list[str]:
    """As NODE:NIC; without the node where one is said."""
    ends = [one for link in data.get("links", ()) for one in link["endpoints"]]
    points = [one if isinstance(one, str) else one["at"] for one in ends]
    if node := said.get("node"):
        return [one.partition(":")[2] for one in points if one.partition(":")[0] == node]
    return points


_OF_A_LAB: Mapping[str, Callable[[Mapping[str, Any], Mapping[str, str]], Sequence[str]]] = {
    "exercise": _exercises,
    "node": _nodes,
    "from": _nodes,
    "to": _nodes,
    "nic": _nics,
}


def _forms() -> Forms:
    """What each task takes."""
    sources = [SHARE / "tasks.py", *sorted((PACKAGE / "tasks").glob("*.py"))]
    forms: Forms = kept("completion.json", sources, _all_forms)
    return forms


def _all_forms() -> Forms:
    from srv6lab.cli.program import all_forms

    return {
        name: {
            "options": {one.name: one.kind is not bool for one in form.options},
            "many": [one.name for one in form.options if one.kind is list],
            "places": list(form.places),
            "values": {one.name: list(one.values) for one in form.options if one.values},
        }
        for name, form in sorted(all_forms().items())
    }


def kept(name: str, sources: Iterable[Path], make: Callable[[], Any]) -> Any:
    """What is made of these files and is JSON, as it was written down while they were as they are now."""
    stamp = [[str(one), one.stat().st_mtime_ns, one.stat().st_size] for one in sources]
    file = cache(name)
    try:
        known = json.loads(file.read_text(encoding="utf-8"))
        if known["stamp"] == stamp:
            return known["made"]
    except (OSError, ValueError, LookupError, TypeError):
        pass
    made = make()
    if os.access(file.parent if file.parent.exists() else file.parent.parent, os.W_OK):
        with suppress(OSError):
            write_whole(file, json.dumps({"stamp": stamp, "made": made}))
    return made
