"""What an exercise changes in a lab, done and taken back.

Before a change is made, how to take it back is written down: so whatever was left by a check that
died is taken back by the next one, or by `up`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from srv6lab.called import CALLED
from srv6lab.errors import LabError, NodeError, UnableError
from srv6lab.host.files import write_whole
from srv6lab.live.instance import Instance
from srv6lab.plan.nodes import Plan
from srv6lab.providers.base import own_error
from srv6lab.render.apply import Change, changes_of

_PATIENCE = 60.0  # seconds; Day0 of a machine is among what is run
OTHER_KERNEL = f"run the lab under a kernel that has it: {CALLED} destroy {{lab}}, then {CALLED} up {{lab}} --kernel newest"


def unable(lab: Instance, plan: Plan) -> Iterator[str]:
    """What this machine's kernel can't do of what exercises ask for, each with its exercise."""
    tried: dict[str, bool] = {}
    for exercise in plan.exercises:
        changes = (one for action in exercise.every_action() for one in changes_of(plan, action) if one.tries)
        for change in changes:
            if change.tries not in tried:
                tried[change.tries] = Changes(lab).works(change)
            if not tried[change.tries]:
                yield f"exercise {exercise.name} can't be run here: {change.lacks}"
                break


def run_script(lab: Instance, node: str, script: str) -> str:
    """What a script says in a node; NodeError where it fails."""
    result = lab.exec(node, ["bash", "-ec", script], timeout=_PATIENCE)
    if result.exit_code and (own := own_error(node, result.stderr)):
        raise own
    if result.exit_code:
        raise NodeError(f"{node}: {result.stderr.strip()}\n  in: {script.strip()}", node=node)
    return result.stdout


@dataclass(frozen=True, slots=True)
class Changes:
    """The changes of one lab."""

    lab: Instance

    @contextmanager
    def applied(
        self, changes: Sequence[Change], counted: dict[str, int], holding: Sequence[Change] = ()
    ) -> Iterator[None]:
        """Make the changes, and take them back at the end; what they counted goes to `counted`. Those that are `holding`
        already go on: what Day0 overwrites of them is done again after it has run. UnableError where this machine's
        kernel can't do one of them: then none is made."""
        for change in changes:
            if change.tries and not self.works(change):
                raise UnableError(f"{change.what}: {change.lacks}", OTHER_KERNEL.format(lab=self.lab.name))
        before = len(self._written())
        try:
            for change in changes:
                self._write([*self._written(), (change.node, change.undo)])
                self._run(change.node, change.do)
            yield
            for change in changes:
                if change.count:
                    counted[change.counter] = int(self._run(change.node, change.count).strip() or 0)
        finally:
            self.take_back(before)
            again = {change.node for change in changes if change.again}
            for change in holding:
                if change.renewed and change.node in again:
                    self._run(change.node, change.do)

    def works(self, change: Change) -> bool:
        """Whether the kernel has what a change takes."""
        return not self.lab.exec(change.node, ["bash", "-ec", change.tries], timeout=30).exit_code

    def take_back(self, keep: int = 0) -> None:
        """Take back, the latest first, all that is written down but the first `keep`."""
        written = self._written()
        while len(written) > keep:
            node, undo = written[-1]
            self._run(node, undo)
            written.pop()
            self._write(written)

    def _run(self, node: str, script: str) -> str:
        return run_script(self.lab, node, script)

    def _written(self) -> list[tuple[str, str]]:
        path = self.lab.home.applied
        try:
            return [(node, undo) for node, undo in json.loads(path.read_text("utf-8"))]
        except FileNotFoundError:
            return []
        except (ValueError, TypeError) as error:
            mend = f"{CALLED} destroy lab={self.lab.state.instance}, then up again"
            raise LabError(f"{path} isn't as it was written: {error}", mend) from None

    def _write(self, entries: Sequence[tuple[str, str]]) -> None:
        path = self.lab.home.applied
        if entries:
            write_whole(path, json.dumps(entries, indent=1) + "\n")
        else:
            path.unlink(missing_ok=True)
