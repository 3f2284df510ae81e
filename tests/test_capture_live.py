"""`invoke capture --live` on labs that are up: every packet once, whoever ends it, and nobody is disturbed."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from srv6lab.evidence.packets import Point
from srv6lab.host.waiting import wait_until
from srv6lab.live.lifecycle import destroy
from srv6lab.predict import predict
from srv6lab.topology.exercises import Probe
from tests.conftest import INVOKE, REPOSITORY, SITE, Up, invoke, tool

FIRST = SITE.course()[0][0].name
PORT = 9123
RATE = 5000
# Sends COUNT datagrams, RATE a second: what one was late the next makes good.
SEND = """
import socket, sys, time
to, port, rate, count = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])
with socket.socket(socket.AF_INET6 if ":" in to else socket.AF_INET, socket.SOCK_DGRAM) as out:
    begun = time.monotonic()
    for number in range(count):
        out.sendto(number.to_bytes(4, "big") * 16, (to, port))
        if (left := begun + (number + 1) / rate - time.monotonic()) > 0:
            time.sleep(left)
"""
# Takes them, so that nobody answers that there is no such port.
TAKE = """
import socket, sys
with socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET, socket.SOCK_DGRAM) as taker:
    taker.bind((sys.argv[1], int(sys.argv[2])))
    print("ready", flush=True)
    sys.stdin.read()
"""


class Live:
    """A stream into a file."""

    def __init__(self, lab: Up, folder: Path, *words: str) -> None:
        self.path = folder / "live.pcapng"
        line = [*INVOKE, "capture", f"lab={lab.reference.name}", "--instance", lab.instance, "--live", *words]
        with self.path.open("wb") as out, (folder / "err").open("wb") as err:
            self.popen = subprocess.Popen(line, cwd=REPOSITORY, stdout=out, stderr=err)
        self.err = folder / "err"

    def wait_for(self, text: str, times: int = 1) -> None:
        """Until the stream has it, such as a NIC's name: then all that passes from now on is in it."""
        assert wait_until(lambda: self.path.read_bytes().count(text.encode()) >= times, 60, 0.02), self.said()

    def end(self, number: int = signal.SIGINT) -> int:
        self.popen.send_signal(number)
        return self.popen.wait(60)

    def said(self) -> str:
        return self.err.read_text()

    def told(self, *fields: str, only: str = "frame", names: bool = False) -> list[list[str]]:
        """What tshark reads of it."""
        wanted = [word for field in fields for word in ("-e", field)]
        line = [
            tool("tshark"),
            *(["-N", "n"] if names else ["-n"]),
            "-r",
            str(self.path),
            "-Y",
            only,
            "-T",
            "fields",
            *wanted,
        ]
        done = subprocess.run(line, capture_output=True, text=True, check=True)
        return [row.split("\t") for row in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def up(labs_up: Callable[[str], Up]) -> Up:
    return labs_up(FIRST)


@pytest.fixture
def live(up: Up, tmp_path: Path) -> Iterator[Callable[..., Live]]:
    begun: list[Live] = []

    def begin(*words: str) -> Live:
        begun.append(Live(up, tmp_path, *words))
        return begun[-1]

    yield begin
    for one in begun:
        one.popen.kill()
        one.popen.wait()


def first_probe(lab: Up) -> tuple[Probe, str]:
    """The lab's first probe, and the address that it is sent to."""
    probe = lab.plan.exercises[0].every_probe()[0]
    assert probe.to
    return probe, str(next(iter(lab.plan.node(probe.to).addresses())))


def points(lab: Up) -> list[Point]:
    """The NICs that a packet of the first probe passes on its way there, in their order."""
    probe, _ = first_probe(lab)
    (found,) = [one for one in predict(lab.plan, lab.plan.exercises[0].name) if one.probe == probe.id]
    return list(dict.fromkeys(hop.point for hop in found.linux[0].hops))


def ping(lab: Up, count: int = 1) -> None:
    probe, address = first_probe(lab)
    lab.sh(probe.source, f"ping -n -c {count} -i 0.01 {address}")


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 1), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_what_passed_is_in_it_however_it_is_told_to_end(
    number: int, code: int, up: Up, live: Callable[..., Live]
) -> None:
    one = live()
    one.wait_for(str(list(up.plan.traced())[-1].point))
    ping(up)
    up.running.mark()  # then tracers have written it down
    assert one.end(number) == code
    assert one.said() == "interrupted\n"
    seen = [name for (name,) in one.told("frame.interface_name", only="icmp.type == 8 || icmpv6.type == 128")]
    assert seen == [str(point) for point in points(up)]


def test_a_packet_comes_while_the_stream_goes_on(up: Up, live: Callable[..., Live]) -> None:
    one = live("--filter", "icmp or icmp6[6] = 128 or ip6 proto 43")
    one.wait_for(str(list(up.plan.traced())[-1].point))
    before = one.path.stat().st_size
    ping(up)
    assert wait_until(lambda: one.path.stat().st_size > before, 30, 0.02)
    assert one.popen.poll() is None


def test_nodes_and_nics_are_chosen(up: Up, live: Callable[..., Live]) -> None:
    there = points(up)
    one = live("--node", there[0].node, "--nic", str(there[-1]))
    one.wait_for(str(there[-1]))
    ping(up)
    up.running.mark()
    one.end()
    names = {name for (name,) in one.told("frame.interface_name")}
    assert names == {str(there[-1]), *(str(point) for point in there if point.node == there[0].node)}


def test_addresses_have_the_names_of_the_lab(up: Up, live: Callable[..., Live]) -> None:
    first, last = points(up)[0], points(up)[-1]
    one = live("--nic", str(first))
    one.wait_for(str(first))
    ping(up)
    up.running.mark()
    one.end()
    assert [str(first), str(last)] in one.told(
        "ip.src_host", "ip.dst_host", only="icmp.type == 8", names=True
    )


def load(lab: Up, count: int) -> None:
    """A flow along the first probe's way, `RATE` packets a second."""
    probe, address = first_probe(lab)
    assert probe.to
    taking = lab.running.command(probe.to, ["python3", "-c", TAKE, address, str(PORT)])
    with subprocess.Popen(taking, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as taker:
        assert taker.stdin and taker.stdout and taker.stdout.readline() == "ready\n"
        sending = ["python3", "-c", SEND, address, str(PORT), str(RATE), str(count)]
        assert lab.running.exec(probe.source, sending, 60 + count / RATE).exit_code == 0
        taker.stdin.close()


@pytest.mark.parametrize("seconds", [1, pytest.param(30, marks=pytest.mark.prove)])
def test_none_of_five_thousand_packets_a_second_on_each_nic_is_lost(
    seconds: int, up: Up, live: Callable[..., Live]
) -> None:
    """What a tracer lost, for it got no processor, was never there to be streamed: it says how many these are."""
    there, sent = points(up), seconds * RATE
    assert len(there) >= 7
    one = live()
    one.wait_for(str(list(up.plan.traced())[-1].point))
    before = up.running.mark()
    load(up, sent)
    now = up.running.mark()
    assert one.end() == 1
    streamed = Counter(name for (name,) in one.told("frame.interface_name", only=f"udp.dstport == {PORT}"))
    lost = {point: now[point].dropped - before[point].dropped for point in there}
    print(f"{sent} packets at each of {len(there)} NICs; tracers lost {sum(lost.values())}")
    assert {point: streamed[str(point)] + lost[point] for point in there} == dict.fromkeys(there, sent)


def test_check_says_the_same_meanwhile(up: Up, live: Callable[..., Live]) -> None:
    one = live()
    one.wait_for(str(list(up.plan.traced())[-1].point))
    exercise = up.plan.exercises[0].name
    done = invoke("check", f"lab={FIRST}", "--instance", up.instance, "--exercise", exercise)
    assert done.returncode == 0, done.stdout + done.stderr
    assert one.popen.poll() is None


def test_a_reader_who_goes_ends_it_also_while_nothing_passes(up: Up) -> None:
    line = [*INVOKE, "capture", f"lab={FIRST}", "--instance", up.instance, "--live", "--filter", "tcp port 1"]
    with subprocess.Popen(line, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as popen:
        assert popen.stdout and popen.stderr and popen.stdout.read(4) == b"\x0a\x0d\x0d\x0a"
        popen.stdout.close()
        assert popen.wait(60) == 0
        assert popen.stderr.read() == b""


def test_it_is_dissected_while_it_comes_as_wireshark_does_it(up: Up, tmp_path: Path) -> None:
    """tshark -i - reads it as Wireshark -k -i - does: through dumpcap, which knows NICs and names in a pipe."""
    line = [*INVOKE, "capture", f"lab={FIRST}", "--instance", up.instance, "--live"]
    wanted = ["-T", "fields", "-e", "frame.interface_name", "-e", "ip.src_host", "-e", "icmp.type"]
    shown = tmp_path / "shown"
    with shown.open("wb") as out, subprocess.Popen(line, cwd=REPOSITORY, stdout=subprocess.PIPE) as popen:
        reading = [tool("tshark"), "-l", "-N", "n", "-i", "-", *wanted]
        with subprocess.Popen(reading, stdin=popen.stdout, stdout=out, stderr=subprocess.DEVNULL) as reader:
            assert popen.stdout
            popen.stdout.close()

            def seen() -> set[str]:
                rows = [line.split("\t") for line in shown.read_text().splitlines()]
                return {row[0] for row in rows if row[1:] == [str(points(up)[0]), "8"]}

            def all_seen() -> bool:
                ping(up)
                return seen() == {str(point) for point in points(up)}

            assert wait_until(all_seen, 60, 0.5)
            reader.terminate()
        assert popen.wait(60) == 0


def test_a_lab_that_is_taken_away_ends_it(bring_up: Callable[[str], Up], tmp_path: Path) -> None:
    lab = bring_up(FIRST)
    one = Live(lab, tmp_path)
    one.wait_for(str(list(lab.plan.traced())[-1].point))
    destroy(lab.running.home, purge=True)
    assert one.popen.wait(60) == 0
    assert one.said() == f"{lab.instance} was taken away: that is the end of the capture\n"


@pytest.mark.parametrize("task", ["capture --live", "wireshark --files-only", "check"])
def test_the_names_of_another_lab_are_not_put_on_it(up: Up, task: str) -> None:
    other = SITE.course()[0][1].name
    done = invoke(task.split()[0], f"lab={other}", "--instance", up.instance, *task.split()[1:])
    assert (done.returncode, done.stdout) == (1, "")
    assert f"{up.instance} is the lab {FIRST}, not {other}\n" in done.stderr


def test_a_terminal_is_spared_and_told_what_to_type(up: Up) -> None:
    ours, theirs = pty.openpty()
    words = ["capture", f"lab={FIRST}", "--instance", up.instance, "--live", "--filter", "ip6 proto 43"]
    done = subprocess.run([*INVOKE, *words], cwd=REPOSITORY, stdout=theirs, stderr=subprocess.PIPE, text=True)
    os.close(ours)
    os.close(theirs)
    line = f"invoke capture lab={FIRST} --live --filter 'ip6 proto 43' --instance {up.instance}"
    assert done.returncode == 1
    assert done.stderr == (
        "error: the packets would go to this terminal, which can't show them\n"
        f"  mend: {line} | wireshark -k -i -\n     or: {line} >FILE.pcapng\n"
    )
