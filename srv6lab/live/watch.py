"""Watching a lab from beside it, as long as somebody looks: through `destroy` and `up`, without a lock.

`Watcher.look` says what is known and what has happened since the look before; `Watcher.wait` sleeps until there is a
reason to look again.
"""

from __future__ import annotations

import os
import selectors
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from srv6lab.capture.pcap import packets_from
from srv6lab.errors import LabError, UsageError
from srv6lab.live import snapshot
from srv6lab.live.instance import Instance
from srv6lab.live.watch_captures import MOST, packet_at
from srv6lab.live.watch_files import Folder, Runs, Stamp, sent_now, sent_then, stamp, when
from srv6lab.live.watch_lab import NEVER, Watched
from srv6lab.live.watch_namespaces import drain
from srv6lab.live.watch_questions import Questions
from srv6lab.live.watch_state import UNKNOWN, Event, Known, Lab, events
from srv6lab.plan.nodes import Plan
from srv6lab.providers.registry import provider_of
from srv6lab.providers.state import Home, State

HERE, ELSEWHERE = 1.0, 10.0  # seconds from a look to the next, by where the nodes are
_SOON = 0.1  # no two looks are nearer
_LINGER = 5.0  # seconds that a probe's packets are looked for after it has ended
_FAREWELL = 2.0
Load = Callable[[], Plan | None]


@dataclass(slots=True)
class Tokens:
    """Probes that are being sent, or were a moment ago: by token what each is called, and when it was last noted."""

    names: dict[str, str] = field(default_factory=dict)
    noted: dict[str, float] = field(default_factory=dict)
    followed: set[str] = field(default_factory=set)

    def take(self, home: Home) -> None:
        now = time.monotonic()
        for token, name in sent_now(home).items():
            self.names[token], self.noted[token] = name, now
            self.followed.add(token)

    def current(self) -> dict[str, str]:
        for token in [one for one, noted in self.noted.items() if time.monotonic() - noted > _LINGER]:
            del self.names[token], self.noted[token]
        return dict(self.names)


class Watcher:
    """Watches the instance in a folder. `load` gives the plan of its file, or a LabError; `interval` is in seconds, None
    for the usual one."""

    def __init__(self, home: Home, load: Load, interval: float | None = None) -> None:
        self.home, self.load = home, load
        self.asked_interval = interval
        self.known: Known | None = None
        self.watched: Watched | None = None
        self.runs = Runs(home)
        self.tokens = Tokens()
        self.selector = selectors.DefaultSelector()
        self.woken, self.waker = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self.selector.register(self.woken, selectors.EVENT_READ, "wake")
        self.questions = Questions(self.wake, 2)
        self.folder: Folder | None = None
        self.written: Stamp | None = None
        self.file: Stamp | None = None
        self.state_trouble = ""
        self.hurry = False
        self.looked = self.counted = NEVER
        self.judged: dict[str, str] = {}

    # --- what the caller does

    @property
    def interval(self) -> float:
        """Seconds from a look to the next."""
        here = self.watched is None or self.watched.here
        return self.asked_interval or (HERE if here else ELSEWHERE)

    def wake(self) -> None:
        """End the wait; from any thread or signal handler."""
        with suppress(OSError):
            os.write(self.waker, b".")

    def look(self) -> tuple[Known, list[Event]]:
        """What is known now, and what has happened since the look before."""
        before = self.known
        self.looked = time.monotonic()
        count = self.looked - self.counted >= self.interval - _SOON
        self.counted = self.looked if count else self.counted
        told = self._attach()
        now, seen = self._now(count)
        told += events(self.known, now)
        self.known = now
        if self.watched:
            self.watched.ask(busy=now.lab.busy, every=self.interval)
            self._register()
        return now, [*told, *seen, *self._afterwards(now, first=before is None)]

    def wait(self, others: Collection[int] = ()) -> set[int]:
        """Until something has changed or it is time; which of the `others` (descriptors) can be read."""
        for number in others:
            self.selector.register(number, selectors.EVENT_READ, "other")
        try:
            return self._selected()
        finally:
            for number in others:
                self.selector.unregister(number)

    def release(self) -> None:
        """Let go of all that keeps something of the lab, as before being stopped; the next look takes it again."""
        self._detach()

    def close(self) -> None:
        self._detach()
        self.questions.end(_FAREWELL)

    # --- waiting

    def _selected(self) -> set[int]:
        ready: set[int] = set()
        while True:
            found = self.selector.select(self._left())
            ready |= {key.fd for key, _ in found if key.data == "other"}
            for key, _ in found:
                self._heard(key.data, key.fd)
            if ready or self._left() <= 0:
                return ready

    def _left(self) -> float:
        """Seconds until the next look."""
        now, due = time.monotonic(), self.looked + self.interval
        one = self.watched
        if one and ((one.routes.last and one.planned) or self.hurry):
            due = min(due, self.looked + _SOON)
        return max(0.0, due - now)

    def _heard(self, data: Any, descriptor: int) -> None:
        if data == "wake":
            with suppress(OSError):
                os.read(self.woken, 1 << 12)
            self.hurry = True
        elif data == "folder" and self.folder:
            self.folder.drain()
            self.tokens.take(self.home)
            self.hurry = True
        elif isinstance(data, tuple) and self.watched:
            kind, node = data
            if kind == "news":
                drain(
                    one for space in self.watched.spaces for one in space.news if one.fileno() == descriptor
                )
                self.watched.heard(node)
            else:  # its end
                self._forget(node)
                self.hurry = True

    def _forget(self, node: str) -> None:
        if self.watched:
            self.watched.close_node(node)
            self._register()

    def _register(self) -> None:
        """Have the selector listen to what is open now, and to nothing else."""
        wanted: dict[int, Any] = {}
        if self.watched:
            wanted = {
                one.fileno(): ("news", space.node) for space in self.watched.spaces for one in space.news
            }
            wanted |= {number: ("end", node) for number, node in self.watched.ends.items()}
        if self.folder:
            wanted[self.folder.descriptor] = "folder"
        for key in list(self.selector.get_map().values()):
            if key.data not in ("wake", "other") and wanted.get(key.fd) != key.data:
                self.selector.unregister(key.fd)
        for number in wanted.keys() - self.selector.get_map().keys():
            self.selector.register(number, selectors.EVENT_READ, wanted[number])

    # --- coming and going

    def _attach(self) -> list[Event]:
        """Take what is up now for what is watched; the events of a lab that was built anew since the last look."""
        self.hurry = False
        now = stamp(self.home.written)
        self._watch_folder()
        if now == self.written and (self.watched or not now):
            return []
        state = self._state()
        old = self.watched
        if old and state and _same(old.one.state, state):
            old.one = replace(old.one, state=state)
            old.follow()
            self.written = now
            return []
        gone: list[Event] = []
        if old and self.known:
            self._detach()
            lab = Lab("destroyed", old.lab.lab, old.lab.instance, busy=self.home.busy)
            left = Known(lab, runs=self.known.runs)
            gone, self.known = list(events(self.known, left)), left
        if state and state.phase == "ready":
            self._begin(state)
        self.written = now
        return gone

    def _begin(self, state: State) -> None:
        since = ""
        with suppress(OSError):
            since = when(self.home.path / snapshot.KEPT)
        try:
            self.watched = Watched(Instance(self.home, state, provider_of(state)), self.questions, since)
            self.watched.follow()
        except (LabError, OSError) as error:
            self.state_trouble = str(error).splitlines()[0]
        self.file = None

    def _detach(self) -> None:
        if self.watched:
            self.watched.close()
        self.watched, self.written = None, None
        if self.folder:
            self.folder.close()
        self.folder = None
        self._register()

    def _watch_folder(self) -> None:
        """A folder that was made anew is another one."""
        if self.folder and not self.home.path.exists():
            self.folder.close()
            self.folder = None
            self._register()
        if self.folder is None:
            with suppress(OSError):
                self.folder = Folder(self.home.path)

    def _state(self) -> State | None:
        self.state_trouble = ""
        try:
            return self.home.read()
        except LabError as error:
            self.state_trouble = error.what
            return None

    # --- looking

    def _now(self, count: bool) -> tuple[Known, list[Event]]:
        runs, troubles = self.runs.look()
        if self.state_trouble:
            troubles["state"] = self.state_trouble
        for key, answer in self.questions.answers():
            self._answered(key, answer)
        one = self.watched
        if one is None:
            return Known(self._without(), runs=runs, trouble=troubles), []
        self._look_at_file(one)
        self.tokens.take(self.home)
        known, seen = one.look(self.tokens.current(), busy=self.home.busy, counted=count)
        return replace(known, runs=runs, trouble={**known.trouble, **troubles}), seen

    def _without(self) -> Lab:
        """What is said of a lab that isn't up."""
        known = self.known.lab if self.known else Lab(instance=self.home.path.name)
        state = None if self.state_trouble else self._state()
        word = UNKNOWN if self.state_trouble else "starting" if state else "destroyed"
        provider = state.provider if state else ""
        return Lab(
            word, state.lab if state else known.lab, self.home.path.name, provider, busy=self.home.busy
        )

    def _look_at_file(self, one: Watched) -> None:
        """Read the lab's file at first, and when it has changed."""
        path = one.one.state.topology
        now = stamp(Path(path)) or (0, 0, 0)
        if now != self.file and self.questions.ask(("plan", one.lab.since), lambda: self._plan(one)):
            self.file = now

    def _plan(self, one: Watched) -> tuple[Plan | None, str]:
        """The plan, and why it isn't that of what is up."""
        from srv6lab.live.lifecycle import refuse_stale  # slow to import, and nobody waits for it

        plan = self.load()
        if plan is None:
            return None, "its file is gone"
        try:
            refuse_stale(one.one, plan)
        except UsageError as error:
            return plan, error.what
        return plan, ""

    def _answered(self, key: tuple[str, str], answer: Any) -> None:
        one = self.watched
        if one is None:
            return
        if key[0] != "plan":
            if key[0] == "routing" or key[1] in one.one.nodes():
                one.take(key, answer)
            return
        one.planned = True
        if isinstance(answer, Exception):
            one.plan, one.lab = None, replace(one.lab, stale=str(answer).splitlines()[0])
        else:
            one.plan, stale = answer
            one.lab = replace(one.lab, stale=stale)
            for node in one.one.nodes():
                one.routes.add(node, NEVER)  # its proxies have names now

    # --- probes whose packets were not seen while they were sent

    def _afterwards(self, now: Known, *, first: bool) -> list[Event]:
        """Of runs that have ended since the look before, the packets of probes that were missed; none at the `first`."""
        before, self.judged = self.judged, {name: one.when for name, one in now.runs.items()}
        if first:
            return []
        ended = [name for name, written in self.judged.items() if before.get(name) != written]
        return [event for name in ended for event in self._missed(name)]

    def _missed(self, exercise: str) -> list[Event]:
        plan, folder = self.watched.plan if self.watched else None, self.home.run(exercise)
        wanted = [(token, probe) for token, probe in sent_then(folder) if token not in self.tokens.followed]
        found: list[Event] = []
        for nic in plan.traced() if plan and wanted else ():
            path, mac, offset = (
                folder / "captures" / f"{nic.trace}.pcap",
                bytes.fromhex(nic.mac.replace(":", "")),
                0,
            )
            with suppress(OSError, ValueError):
                while (read := packets_from(path, offset))[0]:
                    packets, offset = read
                    for token, probe in wanted:
                        mine = [one for one in packets if bytes.fromhex(token) in one[1]]
                        found += [
                            packet_at(nic.point, time_, frame, mac, token, probe, number, late=True)
                            for number, (time_, frame) in enumerate(mine[:MOST], 1)
                        ]
        self.tokens.followed |= {token for token, _ in wanted}
        return sorted(found, key=lambda event: str(event.fields["at"]))


def _same(old: State, new: State) -> bool:
    """Whether it is the lab that it was, perhaps with other tracers."""
    left_out = ("tracers",)
    was, is_ = (
        {key: value for key, value in one.provider_data.items() if key not in left_out} for one in (old, new)
    )
    return new.phase == "ready" and (old.instance, old.provider, was) == (new.instance, new.provider, is_)
