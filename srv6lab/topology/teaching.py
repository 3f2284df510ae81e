"""What makes an exercise a task: what a learner is to reach, where the lab begins, what helps, and what it is worth."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from srv6lab.topology.actions import AnyAction
from srv6lab.topology.own import Command
from srv6lab.topology.questions import Question
from srv6lab.topology.scalars import Flag, Line, Model, Name

TEXT = r"^[^\x00-\x08\x0b-\x1f\x7f]*$"
Text = Annotated[str, StringConstraints(pattern=TEXT, max_length=2000)]
Points = Annotated[int, Field(strict=True, ge=0, le=1000)]


class Worth(Model):
    """The points of each thing that is judged: the packets of probes; what was alerted, counted and answered; messages of
    routing protocols. What isn't said has none."""

    walk: Points = 0
    alerts: Points = 0
    counters: Points = 0
    answered: Points = 0
    messages: Points = 0


class SolutionStep(Model):
    """A part of the solution, and `why` it is done: commands to `run` in a `node`, or an action to `do`."""

    why: Line
    node: Name | None = None
    run: Annotated[tuple[Command, ...], Field(max_length=20)] = ()
    do: AnyAction | None = None


class Learner(Model):
    """Whose lab this is, in a class: probes carry what only `key` can make."""

    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$")]
    group: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$")] = Field(
        alias="class"
    )
    key: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]


class Taught(Model):
    """An exercise as a task.

    `like` names the exercise of the same lab whose probes, changes and expectations are this one's, too. `start` is what the
    lab has wrong, or lacks, at the beginning. With `by_hand` what the exercise applies is left to the learner: once it is
    started, `check` doesn't apply it. `points` are for each thing that is judged."""

    like: Name | None = None
    task: Text = ""
    minutes: Annotated[int, Field(strict=True, ge=1, le=600)] | None = None
    by_hand: Flag = False
    start: tuple[AnyAction, ...] = ()
    hints: Annotated[tuple[Text, ...], Field(max_length=20)] = ()
    solution: tuple[SolutionStep, ...] = ()
    points: Worth | None = None
    questions: Annotated[tuple[Question, ...], Field(max_length=50)] = ()

    @property
    def is_task(self) -> bool:
        """Whether a learner has something to do in it, more than to look."""
        return bool(self.task or self.start or self.by_hand or self.questions)

    @property
    def only_asks(self) -> bool:
        """Whether all that a learner has to do is to answer."""
        return bool(self.questions) and not self.changes_the_lab

    @property
    def changes_the_lab(self) -> bool:
        """Whether it has to be started: the lab isn't as its file says until the learner has made it so."""
        return bool(self.start) or self.by_hand
