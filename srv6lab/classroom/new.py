"""A class on the disk: what its trainer keeps, and for each learner a folder of labs and an archive to hand out.

    DIR/class.json                the seed, the labs, and each learner's key: the trainer's alone
    DIR/labs-of/<learner>/<lab>/  the labs as they were handed out, by which hand-ins are graded
    DIR/<learner>.zip             that folder, for the learner
    DIR/README.txt                which is which

The seed makes everything, so the same seed and the same list make the same bytes. What is there is never changed: a longer
list only adds.
"""

from __future__ import annotations

import hmac
import json
import re
import secrets
import shutil
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from srv6lab.called import CALLED
from srv6lab.classroom.handed import Home, Learner, handed
from srv6lab.classroom.learners import Person, id_of
from srv6lab.classroom.variant import TOPOLOGY, Pattern, Variant, same_lab, variant
from srv6lab.classroom.zipped import zipped
from srv6lab.errors import UsageError
from srv6lab.evidence.documents import read_json
from srv6lab.host.files import read_document, shown, write_whole
from srv6lab.plan.planner import plan
from srv6lab.report.picture.svg import picture_svg
from srv6lab.topology.load import load, loads

SCHEMA = 1
NAME_OF_CLASS = r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}"
CLASS, LABS_OF, PAGE, PICTURE = "class.json", "labs-of", "README.txt", "topology.svg"
WALK_THROUGHS = "README*.md"  # one a language
_PRIVATE = 0o600
_ROUNDS = 8

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Class:
    """A class as `class.json` has it: `learners` are keys by the learners' ids, `people` what the list said of them."""

    name: str
    seed: str
    labs: tuple[str, ...]
    learners: Mapping[str, str] = field(default_factory=dict)
    people: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        return {
            "schema": SCHEMA,
            "class": self.name,
            "seed": self.seed,
            "labs": list(self.labs),
            "learners": dict(self.learners),
            "people": {one: dict(said) for one, said in self.people.items()},
        }

    def with_person(self, person: Person) -> Class:
        """The class with one more, who is told from all others by a key that only the seed makes."""
        known = {Person(said["name"]).known_by for said in self.people.values()}
        if person.known_by in known:
            return self
        found = id_of(person.name, self.learners)
        learners = {**self.learners, found: key_of(self.seed, person.name)}
        return replace(
            self, learners=learners, people={**self.people, found: {"name": person.name, **person.columns}}
        )


def key_of(seed: str, name: str) -> str:
    """A learner's key, 32 hexadecimal digits: HMAC-SHA256 of the name with the seed of the class."""
    text = f"learner\0{unicodedata.normalize('NFC', name)}".encode()
    return hmac.digest(seed.encode(), text, "sha256").hex()[:32]


def class_name(text: str) -> str:
    """A class's name, as it may stand in `topology.yml`; UsageError for another one."""
    if not re.fullmatch(NAME_OF_CLASS, text):
        what = f"{text[:60]!r} is no name for a class"
        raise UsageError(what, "name it with --name: letters, digits, dashes and underscores")
    return text


def read_class(folder: Path) -> Class | None:
    """The class in a folder, None if none is there; UsageError for what can't be read as one."""
    try:
        found = read_json(folder / CLASS)
        if found["schema"] != SCHEMA:
            raise ValueError(f"its schema is {found['schema']}, not {SCHEMA}")
        people = {
            str(one): {str(k): str(v) for k, v in said.items()} for one, said in found["people"].items()
        }
        learners = {str(one): str(key) for one, key in found["learners"].items()}
        return Class(found["class"], found["seed"], tuple(found["labs"]), learners, people)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        what = f"{shown(folder / CLASS)} can't be read as a class: {error}"
        raise UsageError(what, "take it from where it was kept, or name another folder with --out") from None


def make(
    folder: Path, people: Sequence[Person], labs: Mapping[str, Path], name: str, seed: str, say: Say
) -> Class:
    """Make a class of the labs (by their names, with their files), or add what is new to the one in the folder. Without
    a seed it is that of the class, or a random one."""
    found = read_class(folder)
    if found is None:
        _refuse_other_things(folder)
        found = Class(name, seed or secrets.token_hex(16), tuple(labs))
    elif seed and seed != found.seed:
        what = f"{shown(folder)} is a class of another seed"
        raise UsageError(what, "leave --seed away to add to it, or name another folder with --out")
    else:
        found = replace(found, labs=tuple(dict.fromkeys((*found.labs, *labs))))
    for person in people:
        found = found.with_person(person)
    patterns = {lab: pattern_of(labs[lab]) for lab in found.labs if lab in labs}
    if not folder.exists():
        beside = folder.with_name(f".{folder.name}.new")
        shutil.rmtree(beside, ignore_errors=True)
        try:
            _write(beside, found, patterns, say)
            beside.rename(folder)
        finally:
            shutil.rmtree(beside, ignore_errors=True)
    else:
        _write(folder, found, patterns, say)
    return found


def _refuse_other_things(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        mend = "name a folder that isn't there yet, with --out"
        raise UsageError(f"{shown(folder)} is there and is no class", mend)


def pattern_of(file: Path) -> Pattern:
    """The pattern of a lab's variants, from its file and those beside it that it names; UsageError for a lab that is a
    learner's already."""
    lab = load(file, shown(file))
    if lab.topology.learner:
        raise UsageError(
            f"{shown(file)} is {lab.topology.learner.name}'s already", "name the lab that it is of"
        )
    texts = {TOPOLOGY: file.read_bytes().decode().removeprefix("\ufeff"), **lab.files}
    pages = sorted(path.name for path in file.parent.glob(WALK_THROUGHS))
    for name in (*pages, *lab.topology.include):
        with suppress(FileNotFoundError):
            texts[name] = read_document((file.parent / name).resolve())
    return Pattern(lab, texts)


def _write(folder: Path, found: Class, patterns: Mapping[str, Pattern], say: Say) -> None:
    """`class.json` first: what is cut off is made whole by doing it again."""
    write_whole(folder / CLASS, json.dumps(found.document(), indent=2, ensure_ascii=False) + "\n")
    (folder / CLASS).chmod(_PRIVATE)
    write_whole(folder / PAGE, page(found))
    made = _Maker(found, patterns, say)
    for number, learner in enumerate(found.learners, 1):
        fresh = 0
        for lab, texts in made.labs_of(learner):
            fresh += _add(folder / LABS_OF / learner / lab, texts)
        archive = folder / f"{learner}.zip"
        if fresh or not archive.exists():
            write_whole(archive, zipped(_handed_out(folder / LABS_OF / learner)))
        if fresh:
            say(f"{learner} ({number} of {len(found.learners)})")


def _add(folder: Path, texts: Callable[[], Mapping[str, str]]) -> bool:
    """Write a lab's folder whole, if it isn't there."""
    if folder.exists():
        return False
    beside = folder.with_name(f".{folder.name}.new")
    shutil.rmtree(beside, ignore_errors=True)
    for path, text in texts().items():
        write_whole(beside / path, text)
    beside.rename(folder)
    return True


def _handed_out(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.glob("*/**/*") if path.is_file())
    files = [path for path in files if not path.relative_to(folder).parts[0].startswith(".")]
    return {
        f"{folder.name}/{path.relative_to(folder).as_posix()}": path.read_bytes().decode() for path in files
    }


class _Maker:
    """Makes the labs of learners, one after the other: nobody gets what another one has."""

    def __init__(self, found: Class, patterns: Mapping[str, Pattern], say: Say) -> None:
        self._class, self._patterns, self._say = found, patterns, say
        self._taken: dict[str, set[Any]] = {lab: set() for lab in patterns}
        self._same: set[str] = set()

    def labs_of(self, learner: str) -> Iterator[tuple[str, Callable[[], Mapping[str, str]]]]:
        """Each lab's name, and what makes its texts."""
        for lab, pattern in self._patterns.items():
            mine = self._variant(lab, pattern, self._class.learners[learner])
            yield lab, lambda pattern=pattern, mine=mine, lab=lab: self._texts(pattern, mine, learner, lab)  # type: ignore[misc]

    def _variant(self, lab: str, pattern: Pattern, key: str) -> Variant:
        """The first that has nothing in common with another learner's, or the one with least."""
        taken = self._taken[lab]
        best: Variant | None = None
        for number in range(_ROUNDS):
            one = variant(pattern, key if not number else f"{key}\0{number}")
            if best is None or len(one.marks & taken) < len(best.marks & taken):
                best = one
            if not best.marks & taken:
                break
        assert best is not None
        taken |= best.marks
        return best

    def _texts(self, pattern: Pattern, mine: Variant, learner: str, lab: str) -> Mapping[str, str]:
        """All that is in the lab's folder. A lab of which no variant is the same lab is handed out as it is."""
        who = Learner(learner, self._class.name, self._class.learners[learner])
        home = Home(lab, learner, self._class.labs)
        texts, found = handed(mine.texts, who, lab, self._class.labs), pattern.lab
        if not pattern.lab.topology.include:
            found = loads(texts[TOPOLOGY], f"{learner}/{lab}/{TOPOLOGY}")
        if not same_lab(pattern.lab, found, lambda text: home.text(mine.rewriting.text(text))):
            texts, found = handed(pattern.texts, who, lab, self._class.labs), pattern.lab
            self._tell_same(lab)
        files = {path: texts[path] for path in pattern.lab.files}
        return {**texts, PICTURE: picture_svg(plan(found.topology, found.source.locate, files))}

    def _tell_same(self, lab: str) -> None:
        if lab not in self._same:
            self._same.add(lab)
            self._say(
                f"{lab} is handed out with its own addresses, since its file doesn't write all of them out"
            )


def page(found: Class) -> str:
    """What a trainer finds beside the class."""
    first = next(iter(found.learners), "LEARNER")
    lab = found.labs[0] if found.labs else "LAB"
    return f"""The class {found.name}: {len(found.learners)} learners, {len(found.labs)} labs.

Hand out: to each learner his own .zip, and nobody else's. He unpacks it in his folder of srv6lab:

    unzip {first}.zip
    {CALLED} up lab={first}/{lab}

Keep secret: class.json, for its seed makes every learner's lab and key, and the folder labs-of. Whoever has them can make
what another learner would hand in. Keep a copy of class.json in a safe place: hand-ins are graded by this folder.

Somebody comes later: add the name to the list, and type the command again that made the class. It changes nothing that is
here.
"""
