"""Runs are judged beside the exercises that come after them: all that wait to be, with one tshark, whose start is most of
what a run takes."""

from __future__ import annotations

from collections import deque
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import TYPE_CHECKING

from srv6lab.host.progress import Progress

if TYPE_CHECKING:
    from srv6lab.evidence.verdict import Verdict
    from srv6lab.plan.nodes import Plan

_MOST = 8 << 20  # bytes of captures that are read with others'


class Grading:
    """Of one lab's runs, by an executor with one worker."""

    def __init__(self, plan: Plan, progress: Progress, executor: Executor) -> None:
        self._plan, self._progress, self._executor = plan, progress, executor
        self._waiting: deque[_Run] = deque()

    def submit(self, exercise: str, folder: Path) -> Future[Verdict]:
        """The verdict on a run. No other run of the exercise may wait for its own."""
        run = _Run(exercise, folder)
        self._waiting.append(run)
        self._executor.submit(self._work)
        return run.verdict

    def _work(self) -> None:
        """There may be nothing left: whoever came before took it."""
        taken: list[_Run] = []
        while self._waiting and (not taken or sum(run.size for run in (*taken, self._waiting[0])) < _MOST):
            taken.append(self._waiting.popleft())
        if len(taken) > 1 and self._graded(taken) is None:
            return
        for run in taken:  # what is wrong with one run is told of that one
            if error := self._graded([run]):
                run.verdict.set_exception(error)

    def _graded(self, runs: list[_Run]) -> Exception | None:
        """Give all of them their verdicts, or none: then why."""
        from srv6lab.judge.grade import graded

        try:
            found = graded(self._plan, {run.exercise: run.folder for run in runs}, self._progress)
        except Exception as error:
            return error
        for run in runs:
            run.verdict.set_result(found[run.exercise].verdict)
        return None


class _Run:
    def __init__(self, exercise: str, folder: Path) -> None:
        self.exercise, self.folder = exercise, folder
        self.verdict: Future[Verdict] = Future()
        self.size = sum(path.stat().st_size for path in folder.rglob("*.pcap"))
