"""The words of a command line: which tasks are meant, and what is said to each.

An option is `--key value`, `--key=value`, `key=value`, or a word in its place, if it has one. Whatever is no option and
has no place is refused with what it may stand for.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from srv6lab.called import CALLED
from srv6lab.errors import UsageError
from srv6lab.suggest import closest, did_you_mean, or_all

Value = str | int | bool

_KEY = re.compile(r"^([A-Za-z][\w-]*)=(.*)$", re.DOTALL)
_TRUTH = {
    "yes": True,
    "true": True,
    "1": True,
    "on": True,
    "no": False,
    "false": False,
    "0": False,
    "off": False,
}


@dataclass(frozen=True, slots=True)
class Option:
    """Its name, all of its spellings (`--exercise`, `-e`), what it takes (str, int, bool, or list for several str),
    whether a task can't do without it, and its values where they are few."""

    name: str
    flags: tuple[str, ...]
    kind: type = str
    required: bool = False
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Form:
    """What a task takes. `places` are the options whose names may be left out, in their order; with `whole` the last
    place takes all words that follow, whatever they are."""

    name: str
    options: tuple[Option, ...] = ()
    places: tuple[str, ...] = ()
    whole: bool = False

    def usage(self) -> str:
        """A line with all that it takes."""
        options = {one.name: one for one in self.options}
        words = [CALLED, self.name]
        for name in self.places:
            word = name.upper() + " …" * (options[name].kind is list)
            words.append(word if options[name].required else f"[{word}]")
        for one in self.options:
            if one.name not in self.places:
                words.append(f"[--{one.name}]" if one.kind is bool else f"[{one.name}=…]")
        return " ".join(words)

    def instead(self, wrong: str, known: Sequence[str]) -> str:
        """How to mend an option that there isn't."""
        return or_all(wrong, known) if known else f"{self.name} takes none: {self.usage()}"


@dataclass(frozen=True, slots=True)
class Said:
    """What is said to one task, by the names of its options; `core` is what is said to all (`--help`)."""

    form: Form
    values: dict[str, list[Value]] = field(default_factory=dict)
    core: dict[str, list[Value]] = field(default_factory=dict)


def read(words: Sequence[str], forms: Mapping[str, Form], core: Form) -> list[Said]:
    """What words say to each task, one after the other; UsageError for what none of them takes."""
    left = deque(words)
    found = []
    while left:
        name = left.popleft()
        if name.startswith("-"):
            flags = [flag for one in core.options for flag in one.flags]
            raise UsageError(f"there is no option {name}", or_all(name, flags))
        if name not in forms:
            raise UsageError(f"there is no task {name}", or_all(name, forms))
        found.append(_Reader(forms, core, Said(forms[name]), left).read())
    return found


@dataclass(frozen=True, slots=True)
class _Reader:
    """Takes the words of one task from those that are left."""

    forms: Mapping[str, Form]
    core: Form
    said: Said
    left: deque[str]
    free: list[str] = field(default_factory=list)

    def read(self) -> Said:
        form = self.said.form
        while self.left and not self._another():
            word = self.left.popleft()
            if word == "--":
                self._rest()
            elif word.startswith("-") and word != "-":
                self._flag(word)
            elif named := self._named(word):
                self._take(*named)
            elif form.whole and self._filled() >= len(form.places) - 1:
                self.left.appendleft(word)
                self._rest()
            else:
                self.free.append(word)
        self._place()
        return self.said

    def _another(self) -> bool:
        """Whether the next word begins another task: its name does so where no place is left for it."""
        form = self.said.form
        full = self._filled() >= len(form.places) and not any(
            one.kind is list for one in form.options if one.name in form.places
        )
        return full and self.left[0] in self.forms

    def _filled(self) -> int:
        return len(self.free) + sum(name in self.said.values for name in self.said.form.places)

    def _rest(self) -> None:
        form = self.said.form
        if not form.whole:
            raise UsageError(f"{form.name} takes no command: -- {' '.join(self.left)}", form.usage())
        self.said.values.setdefault(form.places[-1], []).extend(self.left)
        self.left.clear()

    def _flag(self, word: str) -> None:
        """An option with dashes, its value behind `=`, behind a lone letter, or in the next word."""
        flag, equals, value = word.partition("=")
        together = not word.startswith("--") and len(flag) > 2
        if together:
            flag, equals, value = word[:2], "", word[2:]
        option = self._option(flag, word)
        if option.kind is bool:
            if together:
                self.left.appendleft(f"-{value}")  # -ab is -a -b
            self._take(option, value if equals else "yes")
        elif equals or together:
            self._take(option, value)
        elif not self.left or self.left[0] in self._flags():
            raise UsageError(f"{flag} needs a value", f"{flag} {option.name.upper()}")
        else:
            self._take(option, self.left.popleft())

    def _flags(self) -> dict[str, Option]:
        """By its spelling, each option of the task, and of all tasks."""
        return {flag: one for one in (*self.core.options, *self.said.form.options) for flag in one.flags}

    def _option(self, flag: str, word: str) -> Option:
        if found := self._flags().get(flag.replace("_", "-")):
            return found
        form = self.said.form
        known = [name for one in form.options for name in one.flags if name.startswith("--")]
        raise UsageError(f"{form.name} has no option {word.partition('=')[0]}", form.instead(flag, known))

    def _named(self, word: str) -> tuple[Option, str] | None:
        """`key=value`; none where it may be a word of a command."""
        form = self.said.form
        if not (match := _KEY.match(word)):
            return None
        key, value = match[1].replace("_", "-"), match[2]
        for one in form.options:
            if one.name == key:
                return one, value
        if form.whole and self._filled() >= len(form.places) - 1:
            return None
        known = [one.name for one in form.options]
        raise UsageError(f"{form.name} has no option {match[1]}", form.instead(key, known))

    def _take(self, option: Option, text: str) -> None:
        into = self.said.values if option in self.said.form.options else self.said.core
        values = into.setdefault(option.name, [])
        values.append(_value(option, text))
        if len(values) > 1 and option.kind is not list:
            raise _twice(self.said.form, option.name, *values[-2:])

    def _place(self) -> None:
        """Each free word to the first place that nothing was said for; one of several values takes all that are left."""
        form, said = self.said.form, self.said.values
        places = [one for name in form.places for one in form.options if one.name == name]
        open_ = [one for one in places if one.name not in said or one.kind is list]
        for word in self.free:
            if not open_:
                raise self._extra(word)
            self._take(open_[0], word)
            if open_[0].kind is not list:
                open_.pop(0)

    def _extra(self, word: str) -> UsageError:
        form = self.said.form
        near = closest(word, [one.name for one in form.options]) or closest(word, self.forms)
        taken = "".join(_shown(self.said.values))
        what = f"{form.name} has no place for {word!r}" + (f" beside{taken}" if taken else "")
        return UsageError(what, did_you_mean(near) if near else form.usage())


def _shown(values: Mapping[str, list[Value]]) -> Iterator[str]:
    for name, said in values.items():
        for value in said:
            yield f" {name}={value}"


def _twice(form: Form, name: str, first: Value, second: Value) -> UsageError:
    if first == second:
        return UsageError(f"{form.name}: {name} is given twice", f"{name}={first} once will do")
    return UsageError(f"{form.name}: {name} is given twice", f"name one: {name}={first} or {name}={second}")


def _value(option: Option, text: str) -> Value:
    if option.kind is bool:
        if text.lower() not in _TRUTH:
            raise UsageError(f"{option.name} is yes or no, not {text!r}", f"--{option.name}")
        return _TRUTH[text.lower()]
    if option.kind is int:
        try:
            return int(text)
        except ValueError:
            raise UsageError(f"{option.name} is a whole number, not {text!r}", f"{option.name}=3") from None
    return text
