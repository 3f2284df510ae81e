"""`invoke watch` beside a lab that runs: what happens is told, by whoever it was done; and the terminal is left as it was."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import signal
import struct
import subprocess
import termios
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from srv6lab.cli.watch import watch
from srv6lab.errors import MachineError, UsageError
from srv6lab.live.instance import Instance
from srv6lab.live.lifecycle import destroy
from srv6lab.live.watch import Watcher
from srv6lab.live.watch_lab import Watched
from srv6lab.live.watch_questions import Questions
from srv6lab.live.watch_state import DOWN, UNKNOWN, UP, Known
from srv6lab.providers.netns import Data
from srv6lab.topology.model import Topology
from tests.conftest import INVOKE, REPOSITORY, SITE, Up, invoke
from tests.fake_provider import Fake
from tests.machine import settles
from tests.small import planned

Json = dict[str, Any]
PATIENCE = 60.0


@cache
def first_lab() -> Topology:
    return SITE.course()[0][0]


@pytest.fixture(scope="module")
def up(bring_up: Callable[[str], Up]) -> Up:
    return bring_up(first_lab().name)


class Reader:
    """A program that reads events."""

    def __init__(self, up: Up, *words: str) -> None:
        command = [
            *INVOKE,
            "watch",
            up.reference.name,
            "--instance",
            up.instance,
            "--format",
            "ndjson",
            *words,
        ]
        self.process = subprocess.Popen(
            command, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        self.events: list[Json] = []
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.events.append(json.loads(line))

    def until(self, wanted: Callable[[Json], bool], what: str) -> Json:
        """The first such event; those before it are gone then."""
        found: list[Json] = []

        def look() -> bool:
            while self.events and not found:
                if wanted(one := self.events.pop(0)):
                    found.append(one)
            return bool(found)

        assert settles(look, PATIENCE), f"nobody told {what}"
        return found[0]

    def known(self) -> None:
        """Until every node has been asked."""
        self.until(lambda one: one["kind"] == "route", "routes")
        assert settles(lambda: not self._restless(), PATIENCE)
        self.events.clear()

    def _restless(self) -> bool:
        before = len(self.events)
        time.sleep(2.5)
        return len(self.events) > before and any(one["first"] for one in self.events[before:])


@pytest.fixture(scope="module")
def one_reader(up: Up) -> Iterator[Reader]:
    one = Reader(up)
    one.known()
    yield one
    one.process.terminate()
    _, said = one.process.communicate(timeout=30)
    assert said.decode() in ("", "interrupted\n")


@pytest.fixture
def reader(one_reader: Reader) -> Reader:
    one_reader.events.clear()
    return one_reader


def of(kind: str, **fields: object) -> Callable[[Json], bool]:
    return lambda one: one["kind"] == kind and all(one.get(key) == value for key, value in fields.items())


def test_what_is_done_by_hand_is_told(up: Up, reader: Reader) -> None:
    """A SID taken away and laid again, by whom the kernel counts now; a ping; all of it also as what differs from Day0."""
    node, sid = next((one.name, one.local_sids[0]) for one in up.plan.nodes if one.local_sids)
    prefix = str(sid.prefix.network_address)
    shown = up.sh(node, f"ip -6 route show {prefix}").strip()
    up.sh(node, f"ip -6 route del {prefix}")
    assert (
        reader.until(of("sid", change="removed", sid=prefix, node=node), "the SID")["behavior"]
        == sid.behavior.name
    )
    assert prefix in reader.until(of("drift", change="new", node=node), "what differs")["what"]
    up.sh(node, f"ip -6 route add {shown}")
    reader.until(of("sid", change="added", sid=prefix, node=node), "the SID again")
    assert prefix in reader.until(of("drift", change="gone", node=node), "what no longer differs")["what"]
    source, to = ping_of(up)
    before = counted(reader, up, source)
    up.sh(source, f"ping -c 2 -i 0.2 {to}")
    event = reader.until(of("packets", node=source), "packets")
    assert event["sent"] >= before + 2


def counted(reader: Reader, up: Up, node: str) -> int:
    nic = up.plan.node(node).nics[0].name
    return int(up.sh(node, f"cat /sys/class/net/{nic}/statistics/tx_packets"))


def ping_of(up: Up) -> tuple[str, str]:
    probe = next(one for one in up.plan.exercises[0].every_probe())
    return probe.source, str(up.plan.target(probe))


def test_a_check_of_somebody_else_is_told(up: Up, reader: Reader) -> None:
    exercise = up.plan.exercises[0].name
    done = invoke("check", up.reference.name, exercise, "--instance", up.instance, "--format", "json")
    items = json.loads(done.stdout)[0]["items"]
    reader.until(of("lab", busy=True), "that a command is at work")
    seen: set[tuple[str, str, str]] = set()

    def packet_or_verdict(one: Json) -> bool:
        if one["kind"] == "packet-at":
            netns = f"/{one['netns']}" if one.get("netns") else ""
            seen.add((f"{one['node']}{netns}:{one['nic']}", one["direction"], one["probe"]))
        return bool(one["kind"] == "verdict")

    verdict = reader.until(packet_or_verdict, "the verdict")
    assert (verdict["exercise"], verdict["status"]) == (exercise, json.loads(done.stdout)[0]["status"])
    assert verdict["judged"] == len(items)
    judged = {(one["point"], one["direction"], one["probe"]) for one in items if one["kind"] == "packet"}
    assert judged and judged <= seen


def test_a_node_that_is_killed_and_brought_back(up: Up, reader: Reader) -> None:
    name = next(one.name for one in up.plan.nodes if one.local_sids)
    Data.of(up.running.state).nodes[name].kill()
    why = reader.until(of("unknown", what=f"routes of {name}"), "that it can't be asked")["why"]
    assert why == f"{name} isn't running"
    assert reader.until(of("node", node=name), "its end")["state"] == "down"
    up.again()
    reader.until(of("node", node=name, state="up"), "that it is back")


@pytest.mark.prove
def test_of_one_node(up: Up) -> None:
    name = up.plan.nodes[0].name
    one = Reader(up, "--node", name)
    try:
        assert one.until(of("lab"), "the lab")["state"] == "up"
        one.until(of("route", node=name), "a route")
        assert settles(lambda: one.process.poll() is None)
        assert {event.get("node", name) for event in one.events} <= {name}
    finally:
        one.process.terminate()
        one.process.communicate()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("node", "nobody"), "there is no node nobody"),
        (("form", "xml"), "text, ndjson"),
        (("interval", "0"), "is no interval"),
        (("interval", "nan"), "is no interval"),
        (("interval", "soon"), "is no interval"),
    ],
)
def test_what_there_is_not_is_refused(words: tuple[str, ...], said: str) -> None:
    options = {"form": "ndjson", **dict(zip(words[::2], words[1::2], strict=True))}
    with pytest.raises(UsageError) as caught:
        watch(SITE, first_lab().name, instance="test-nobody", **options)
    assert said in str(caught.value)


def test_a_reader_that_goes_away_ends_it_silently(up: Up) -> None:
    words = f"{' '.join(INVOKE)} watch {up.reference.name} --instance {up.instance} --format ndjson"
    script = f"({words}; echo $? >&2) | head -n 1"
    done = subprocess.run(["bash", "-c", script], cwd=REPOSITORY, capture_output=True, text=True, timeout=120)
    assert json.loads(done.stdout)["kind"] == "lab" and done.stderr == "0\n"


def test_a_reader_that_goes_away_is_noticed_though_nothing_happens() -> None:
    words = f"{' '.join(INVOKE)} watch {first_lab().name} --instance test-nobody --format ndjson"
    script = f"({words} --interval 3600; echo $? >&2) | head -n 1"
    done = subprocess.run(["bash", "-c", script], cwd=REPOSITORY, capture_output=True, text=True, timeout=120)
    assert json.loads(done.stdout)["state"] == "destroyed" and done.stderr == "0\n"


def test_lines_for_people_where_there_is_no_terminal(up: Up) -> None:
    words = f"{' '.join(INVOKE)} watch {up.reference.name} --instance {up.instance} | head -n 3"
    done = subprocess.run(["bash", "-c", words], cwd=REPOSITORY, capture_output=True, text=True, timeout=120)
    lines = done.stdout.splitlines()
    assert len(lines) == 3 and lines[0].endswith(f" lab {up.instance} is up") and "\x1b" not in done.stdout


# --- a terminal


class Terminal:
    """`invoke watch` on a terminal of its own, of which everything it wrote is kept."""

    def __init__(self, up: Up, size: tuple[int, int] = (24, 80)) -> None:
        self.seen = b""
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            os.chdir(REPOSITORY)
            os.environ["TERM"] = "xterm-256color"
            os.execv(INVOKE[0], [*INVOKE, "watch", up.reference.name, "--instance", up.instance])
        self.resize(*size)
        self.before = termios.tcgetattr(self.master)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        with suppress(OSError):
            while chunk := os.read(self.master, 65536):
                self.seen += chunk

    def resize(self, lines: int, columns: int) -> None:
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def shows(self, *words: str) -> None:
        for one in words:
            assert settles(lambda one=one: one in self.seen.decode(errors="replace"), PATIENCE), one  # type: ignore[misc]

    def ends(self) -> int:
        """Its exit code; the terminal is as it was."""
        _, status = os.waitpid(self.pid, 0)
        assert settles(lambda: self.seen.rfind(b"\x1b[?1049l") > self.seen.rfind(b"\x1b[?1049h"))
        assert self.seen.rfind(b"\x1b[?25h") > self.seen.rfind(b"\x1b[?25l")
        assert termios.tcgetattr(self.master) == self.before
        os.close(self.master)
        return os.waitstatus_to_exitcode(status)


def test_a_screen_until_q(up: Up) -> None:
    one = Terminal(up)
    one.shows(
        f"{len(up.plan.nodes)} of {len(up.plan.nodes)} nodes", "q quits", "settings are as Day0 left them"
    )
    seen = len(one.seen)
    one.resize(40, 132)
    assert settles(lambda: len(one.seen) > seen, PATIENCE)
    os.write(one.master, b"xq")
    assert one.ends() == 0


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, 0), (signal.SIGTERM, 143), pytest.param(signal.SIGHUP, 129, marks=pytest.mark.prove)],
)
def test_a_screen_until_a_signal(up: Up, number: int, code: int) -> None:
    one = Terminal(up)
    one.shows("q quits")
    os.kill(one.pid, number)
    assert one.ends() == code


def test_a_screen_that_is_stopped_lets_go_of_the_lab_and_goes_on(up: Up) -> None:
    one = Terminal(up)
    one.shows("q quits")
    os.kill(one.pid, signal.SIGTSTP)
    os.waitpid(one.pid, os.WUNTRACED)
    assert termios.tcgetattr(one.master) == one.before
    assert not [link for link in links(one.pid) if link.startswith("/proc/") and link.endswith("/net/dev")]
    seen = len(one.seen)
    os.kill(one.pid, signal.SIGCONT)
    assert settles(lambda: b"\x1b[?1049h" in one.seen[seen:] and b"q quits" in one.seen[seen:], PATIENCE)
    os.write(one.master, b"q")
    assert one.ends() == 0


def links(pid: int) -> list[str]:
    found = []
    for path in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(OSError):
            found.append(str(path.readlink()))
    return found


# --- nodes elsewhere: a provider that runs nothing


@pytest.fixture
def watched(one: Instance) -> Iterator[Watched]:
    questions = Questions(lambda: None, 1)
    lab = Watched(one, questions, "")
    lab.planned = True
    yield lab
    lab.close()
    questions.end(2)


def asked(lab: Watched) -> Known:
    """What is known when every question has been answered."""
    lab.ask(busy=False, every=10.0)
    known: list[Known] = []

    def look() -> bool:
        for key, answer in lab.questions.answers():
            lab.take(key, answer)
        known[:] = [lab.look({}, busy=False, counted=True)[0]]
        return not lab.questions._open

    assert settles(look)
    return known[0]


SAID = "-- dev \na\nb\n eth1: 1 2 0 0 0 0 0 0 3 4 0 0 0 0 0 0\n-- link \n[]\n-- v6 \n[]\n-- v4 \n[]\n-- policies\n\n-- end\n"


def test_nodes_elsewhere_are_asked_by_a_command(fake: Fake, watched: Watched) -> None:
    for node in watched.one.nodes():
        fake.tell(node, "/proc/net/dev", SAID)
    known = asked(watched)
    assert not watched.here and set(known.nodes.values()) == {UP}
    assert known.packets["gate:eth1"].sent == 4 and known.routes["gate"] == frozenset()
    assert {node for node, _ in fake.asked} == {"west", "gate", "exit", "east"}


def test_a_node_that_does_not_answer_is_unknown(fake: Fake, watched: Watched) -> None:
    for node in watched.one.nodes():
        fake.tell(node, "/proc/net/dev", MachineError("no answer in 15 s") if node == "gate" else SAID)
    known = asked(watched)
    assert known.trouble["routes of gate"] == "no answer in 15 s" and "gate" not in known.routes
    assert known.nodes["gate"] == UP and "routes of exit" not in known.trouble


@pytest.mark.parametrize("begun", [False, True])
def test_settings_are_not_compared_while_a_task_is_begun(watched: Watched, begun: bool) -> None:
    """What differs is for a learner to find; when the task has ended, all nodes are asked again."""
    watched.one.home.path.mkdir(parents=True, exist_ok=True)
    if begun:
        watched.one.home.task.write_text("{}")
    watched.settings_last = time.monotonic()
    watched.settings.add("gate", watched.settings_last - 60)
    watched.ask(busy=False, every=10.0)
    assert (("settings", "gate") in watched.questions._open) is not begun


def test_a_status_that_fails_is_unknown_and_not_down(
    fake: Fake, watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake.alive = False
    assert set(watched.look({}, busy=False, counted=True)[0].nodes.values()) == {DOWN}

    def late(*_: object) -> None:
        raise MachineError("no answer")

    monkeypatch.setattr(fake, "status", late)
    known = watched.look({}, busy=False, counted=True)[0]
    assert set(known.nodes.values()) == {UNKNOWN}
    assert known.trouble["nodes and tracers"] == "no answer"


def test_a_lab_that_is_not_up_is_waited_for(one: Instance) -> None:
    watcher = Watcher(one.home, planned)
    try:
        known, told = watcher.look()
        assert known.lab.state == "destroyed" and [event.kind for event in told] == ["lab"]
        assert not one.home.path.exists()  # nothing was made
        one.home.path.mkdir(parents=True)
        (one.home.path / "state.json").write_text("{")
        known, told = watcher.look()
        assert known.lab.state == UNKNOWN and "state" in known.trouble
    finally:
        watcher.close()


def test_a_lab_that_is_destroyed_is_told_and_let_go(up: Up, reader: Reader) -> None:
    """The last of them: nothing is up afterwards."""
    one = reader
    processes = Data.of(up.running.state).nodes
    destroy(up.running.home)
    one.until(of("lab", state="destroyed"), "the end")
    assert not any(process.alive() for process in processes.values())
    assert not [link for link in links(one.process.pid) if link.endswith("/net/dev")]
    one.process.send_signal(signal.SIGINT)
    assert one.process.wait(30) == 0
