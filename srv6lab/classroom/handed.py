"""A variant as a learner gets it: whose it is stands in it, and its commands name it where it will lie."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from srv6lab.classroom.variant import TOPOLOGY

_NAME_LINE = re.compile(r"^name:.*\n", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Learner:
    """Someone in a class: `id` stands in file names, and what `key` makes nobody else can make."""

    id: str
    group: str
    key: str

    @property
    def line(self) -> str:
        """What `topology.yml` says of whose it is."""
        said = {"name": self.id, "class": self.group, "key": self.key}
        return f"learner: {{{', '.join(f'{key}: {json.dumps(value)}' for key, value in said.items())}}}\n"


@dataclass(frozen=True, slots=True)
class Home:
    """A lab in a learner's folder, which lies in the folder of srv6lab; `labs` are in it."""

    lab: str
    learner: str
    labs: Collection[str]

    def text(self, text: str) -> str:
        """A text with the lab named by its path, its instance by the learner, too, and others' pages found from there."""
        lab = re.escape(self.lab)
        text = re.sub(rf"\blab={lab}(?![\w/-])", f"lab={self.learner}/{self.lab}", text)
        text = re.sub(rf"(\binvoke [a-z.]+ ){lab}(?![\w/-])", rf"\g<1>{self.learner}/{self.lab}", text)
        text = re.sub(rf"\.srv6lab/{lab}(?=/)", f".srv6lab/{self.lab}-{self.learner}", text)
        return re.sub(r"(?<=\]\()\.\./(?=([A-Za-z][\w-]*)/README[\w.-]*\.md)", self._beside, text)

    def _beside(self, found: re.Match[str]) -> str:
        return found[0] if found[1] in self.labs else "../../labs/"


def handed(texts: Mapping[str, str], learner: Learner, lab: str, labs: Collection[str]) -> dict[str, str]:
    """The texts of a learner's lab."""
    home = Home(lab, learner.id, labs)
    found = {path: home.text(text) for path, text in texts.items()}
    found[TOPOLOGY] = _NAME_LINE.sub(lambda line: f"{line[0]}{learner.line}", found[TOPOLOGY], count=1)
    return found
