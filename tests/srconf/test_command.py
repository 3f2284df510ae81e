"""The command line, what it refuses, and that it takes back exactly what it made."""

import itertools
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from srv6lab.srconf import bpf, link, netlink, tcx, tools

from .chain import ADD, ROOM, SRCONF, Chain, Namespace, namespaces

OK = "SREXT answers: OK.\n"
SHOWN = (
    "SRv6 - MY LOCALSID TABLE:\n"
    "==================================================\n"
    "\t SID     :        fc00:a::a1 \n"
    "\t Behavior:        end.ad4 \n"
    "\t Next hop:        192.168.1.2 \n"
    "\t OIF     :        veth0 \n"
    "\t IIF     :        veth1 \n"
    "\t Good traffic:    [0 packets : 0  bytes] \n"
    "\t Bad traffic:     [0 packets : 0  bytes] \n"
    "\t Returned:        [0 packets : 0  bytes] \n"
    "------------------------------------------------------\n"
)
DRIVER = """
import contextlib, importlib, io, json, os, sys
sys.path.insert(0, sys.argv[1])
main = importlib.import_module("srv6lab.srconf.command").main
answers = []
for line in json.load(sys.stdin):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(line)
    answers.append([code, out.getvalue(), err.getvalue()])
    os.closerange(3, 256)  # a command's maps are open until its process ends
print(json.dumps(answers))
"""


def test_add_show_del_leaves_nothing(lone: Namespace) -> None:
    before = lone.state()
    assert lone.srconf(*ADD).stdout == OK
    assert lone.srconf("show").stdout == lone.srconf("show", "FC00:A:0::A1").stdout == SHOWN
    assert [entry["sid"] for entry in lone.show()] == ["fc00:a::a1"]
    assert lone.srconf("clear-counters").stdout == OK
    assert lone.srconf("del", "fc00:a::a1").stdout == OK
    assert lone.state() == before
    assert lone.show() == []


def test_json(lone: Namespace) -> None:
    lone.srconf(*ADD)
    (entry,) = lone.show()
    nothing = {"packets": 0, "bytes": 0}
    counters = entry.pop("counters")
    assert entry == {
        "sid": "fc00:a::a1",
        "behavior": "End.AD4",
        "next_hop": "192.168.1.2",
        "oif": "veth0",
        "iif": "veth1",
        "source": None,
        "segments": None,
        "segments_left": None,
        "good": nothing,
        "bad": nothing,
    }
    assert all(value == nothing for value in counters.values())
    assert list(counters)[:4] == ["entered", "returned", "only_chain", "no_srh"]


def test_flush_leaves_nothing(lone: Namespace) -> None:
    before = lone.state()
    lone.srconf(*ADD)
    lone.srconf("add", "fc00:a::a2", "end.ad4", "ip", "192.168.2.9", "veth1", "veth2")
    lone.srconf("add", "fc00:a::a3", "end.ad4", "mac", "2:0:0:0:0:7", "veth2", "veth0")
    assert len(lone.show()) == 3
    assert lone.srconf("flush").stdout == OK
    assert lone.state() == before


def test_delete_one_of_two_leaves_the_other(lone: Namespace) -> None:
    """Both use one next hop: its route stays as long as one needs it."""
    lone.srconf(*ADD)
    one = lone.state()
    lone.srconf("add", "fc00:a::a2", "end.ad4", "ip", "192.168.1.2", "veth0", "veth2")
    lone.srconf("del", "fc00:a::a2")
    assert lone.state() == one
    assert [entry["sid"] for entry in lone.show()] == ["fc00:a::a1"]


def test_what_others_made_stays(lone: Namespace, hook: str) -> None:
    lone.run("tc", "qdisc", "add", "dev", "veth0", "clsact")
    lone.run("tc", "qdisc", "add", "dev", "veth1", "ingress")
    lone.ip("route add 192.168.1.2/32 via 192.168.1.2 dev veth0 onlink")
    before = lone.state()
    lone.srconf(*ADD)
    assert lone.srconf("flush").stdout == OK
    assert lone.state() == before
    lone.srconf(*ADD)
    match = ("u32", "match", "u32", "0", "0")
    if hook == "tcx":  # needs no qdisc, and made none
        lone.run("tc", "qdisc", "add", "dev", "veth2", "clsact")
    lone.run("tc", "filter", "add", "dev", "veth2", "egress", "pref", "7", *match)
    lone.srconf("del", "fc00:a::a1")
    assert "clsact" in lone.run("tc", "qdisc", "show", "dev", "veth2").stdout
    assert "pref 7" in lone.run("tc", "filter", "show", "dev", "veth2", "egress").stdout
    assert "bpf" not in lone.state()


def test_programs_are_gone_from_the_kernel(lone: Namespace) -> None:
    def loaded() -> list[int]:
        code = (
            f"import sys; sys.path.insert(0, {str(ROOM.parents[1])!r})\n"
            "from srv6lab.srconf import bpf\n"
            "import sys\n"
            "for number in map(int, sys.argv[1:]):\n"
            "    try: bpf.program(number); print(number)\n"
            "    except FileNotFoundError: pass\n"
        )
        return [int(word) for word in lone.run(sys.executable, "-c", code, *map(str, ids)).stdout.split()]

    lone.srconf(*ADD)
    ids = [int(number) for number in re.findall(r" id (\d+)", lone.programs("veth0"))]
    assert loaded() == ids
    assert len(ids) == 1
    lone.srconf("flush")
    for _ in range(50):  # the kernel frees it after a grace period
        if not loaded():
            return
    assert loaded() == []


def test_namespaces_do_not_see_each_other(lone: Namespace) -> None:
    with namespaces("other") as made:
        other = made["other"]
        for number in range(2):
            other.ip(f"link add veth{number} type veth peer name far{number}\nlink set veth{number} up")
        lone.srconf(*ADD)
        assert other.show() == []
        other.srconf("add", "fc00:b::b1", "end.ad4", "ip", "192.168.1.2", "veth0", "veth1")
        assert [entry["sid"] for entry in lone.show()] == ["fc00:a::a1"]
        other.srconf("flush")
        assert [entry["sid"] for entry in lone.show()] == ["fc00:a::a1"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (ADD, "Identical localsid already exists."),
        (("add", "fc00:a::a1", "end.ad4", "ip", "192.168.1.3", "veth0", "veth1"), "delete it first"),
        (
            ("add", "fc00:a::a2", "end.ad4", "ip", "192.168.1.3", "veth0", "veth1"),
            "veth1 is the return interface",
        ),
        (
            ("add", "fc00:a::a2", "end.ad4", "ip", "192.168.1.3", "veth0", "nic9"),
            'interface "nic9" doesn\'t exist',
        ),
        (("add", "fc00:a::a2", "end.ad4", "ip", "192.168.1.3", "lo", "veth2"), 'interface "lo"'),
        (("add", "fc00:a::7", "end.ad4", "ip", "192.168.1.3", "veth0", "veth2"), "has a route or an address"),
        (("add", "fc00:a::8", "end.ad4", "ip", "192.168.1.3", "veth0", "veth2"), "has a route or an address"),
        (("add", "fc00:a::a2", "end.ad4", "ip", "192.168.1.8", "veth0", "veth2"), "has a route already"),
        (("add", "fc00:a::a2", "end.ad4", "ip", "192.168.1.1", "veth0", "veth2"), "ip -4 route add"),
        (("del", "fc00:a::a2"), "Localsid not found: fc00:a::a2"),
        (("show", "fc00:a::a2"), "Localsid not found: fc00:a::a2"),
        (("clear-counters", "fc00:a::a2"), "Localsid not found: fc00:a::a2"),
    ],
)
def test_refusals_change_nothing(lone: Namespace, words: tuple[str, ...], says: str) -> None:
    lone.ip("addr add fc00:a::7/128 dev lo\nroute add fc00:a::8/128 dev veth2")
    lone.ip("route add 192.168.1.8/32 dev veth2")
    lone.srconf(*ADD)
    before = lone.state(), lone.show()
    done = lone.srconf(*words, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("SREXT answers: [ERROR]: ")
    assert says in done.stderr
    assert done.stderr.count("\n") == 1
    assert (lone.state(), lone.show()) == before


def test_refused_first_add_leaves_nothing(lone: Namespace) -> None:
    lone.ip("addr add fc00:a::a1/128 dev lo")
    before = lone.state()
    assert lone.srconf(*ADD, check=False).returncode == 1
    assert lone.state() == before


def test_a_refused_program_is_one_line(lone: Namespace, tmp_path: Path) -> None:
    """However much is said about it: the verifier's log is longer than a pipe."""
    fake = tmp_path / "tc"
    fake.write_text("#!/bin/sh\nyes processed | head -c 300000 >&2\necho 'failed to load: -13' >&2\nexit 1\n")
    fake.chmod(0o755)
    before = lone.state()
    path = f"{tmp_path}:{os.environ['PATH']}"
    done = lone.srconf(*ADD, check=False, prepare=lambda: os.environ.update(PATH=path))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1 and "failed to load: -13 (needed: root, Linux 5.10" in done.stderr
    assert lone.state() == before


@pytest.mark.parametrize("word", ["show", "flush", "clear-counters"])
def test_empty_table(lone: Namespace, word: str) -> None:
    done = lone.srconf(word, check=False)
    assert (done.returncode, done.stderr) == (1, "SREXT answers: [ERROR]: Localsid table has no entries.\n")


def test_an_interface_made_anew_is_mended_by_add(lone: Namespace) -> None:
    lone.srconf(*ADD)
    lone.ip("link del veth1\nlink del veth0")
    for number in range(2):
        lone.ip(f"link add veth{number} type veth peer name far{number}\nlink set veth{number} up")
    before = lone.state()
    assert lone.srconf(*ADD).stdout == OK
    assert lone.srconf(*ADD, check=False).returncode == 1
    assert lone.srconf("flush").stdout == OK
    assert "bpf" in before
    assert not any(word in lone.state() for word in ("bpf", "seg6local", "clsact", "192.168.1.2"))


def test_a_sid_without_its_interface_does_not_hinder_others(lone: Namespace) -> None:
    lone.ip("link set far0 up\nlink set far1 up")
    before = lone.state()
    lone.srconf(*ADD)
    lone.srconf("add", "fc00:a::a2", "end.ad4", "ip", "192.168.2.9", "veth1", "far1")
    lone.ip("link del veth2")
    lone.ip("link add veth2 type veth peer name far2\nlink set veth2 up")
    lone.srconf("add", "fc00:a::a3", "end.ad4", "ip", "192.168.2.9", "veth1", "veth2")
    lone.ip("link del veth2")
    assert "veth2 (gone)" in lone.srconf("show", "fc00:a::a3").stdout
    assert lone.srconf("del", "fc00:a::a2").stdout == OK
    lone.ip("link set veth0 down\nlink set veth0 name renamed\nlink set renamed up")
    lone.srconf("add", "fc00:a::a4", "end.ad4", "ip", "192.168.2.9", "veth1", "far0")
    assert lone.show("fc00:a::a1")[0]["oif"] == "renamed"
    assert lone.srconf("del", "fc00:a::a3").stdout == lone.srconf("del", "fc00:a::a4").stdout == OK
    assert lone.srconf("del", "fc00:a::a1").stdout == OK
    assert not any(word in lone.state() for word in ("bpf", "seg6local", "clsact", "proto 173"))
    assert "bpf" not in before


def test_an_interface_made_later_is_served_after_a_repeated_add(lone: Namespace) -> None:
    lone.srconf(*ADD)
    lone.ip("link add late type veth peer name later")
    assert "srproxy" not in lone.programs("late")
    assert lone.srconf(*ADD).stdout == OK
    assert "srproxy" in lone.programs("late")


def served(node: Namespace, interface: str, seconds: float = 3.0) -> bool:
    """Whether the program is on an interface by then."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if "srproxy" in node.programs(interface):
            return True
        time.sleep(0.02)
    return False


def test_watch_serves_interfaces_as_they_appear_and_ends_with_the_last_sid(lone: Namespace) -> None:
    done = lone.srconf("watch", check=False)
    assert (done.returncode, done.stderr) == (1, "SREXT answers: [ERROR]: Localsid table has no entries.\n")
    lone.srconf(*ADD)
    before = lone.state()
    lone.ip("link add early type veth peer name earlier")
    watch = lone.start(sys.executable, str(SRCONF), "localsid", "watch")
    try:
        assert served(lone, "early")
        lone.ip("link add late type veth peer name later")
        assert served(lone, "late") and served(lone, "later")
        assert watch.poll() is None
        lone.srconf("del", "fc00:a::a1")
        assert watch.communicate(timeout=10)[0] == OK
    finally:
        watch.kill()
        watch.communicate()
    assert "srproxy" in before and "srproxy" not in lone.state() and "clsact" not in lone.state()


def test_ports_of_a_bridge_are_left_alone(lone: Namespace) -> None:
    """What a port receives comes up on the bridge again: once is enough."""
    done = lone.run("ip", "link", "add", "br0", "type", "bridge", check=False)
    if done.returncode:
        pytest.skip("this kernel has no bridge")
    lone.ip("link set br0 up\nlink set veth2 master br0")
    lone.srconf(*ADD)
    assert "srproxy" not in lone.programs("veth2")
    assert "srproxy" in lone.programs("br0")
    lone.ip("link set far0 master br0")  # one that was served becomes a port
    lone.srconf(*ADD)
    assert "srproxy" not in lone.programs("far0")


def test_commands_at_the_same_time(lone: Namespace) -> None:
    running = [
        lone.start(
            sys.executable,
            str(SRCONF),
            "localsid",
            "add",
            f"fc00:a::{n}",
            "end.ad4",
            "ip",
            "192.168.1.2",
            "veth0",
            name,
        )
        for n, name in enumerate(("veth0", "veth1", "veth2", "far0", "far1", "far2"), 1)
    ]
    assert [process.communicate(timeout=30)[0] for process in running] == [OK] * 6
    assert len(lone.show()) == 6
    ids = {line.split(" id ")[1].split()[0] for line in lone.state().splitlines() if "srproxy" in line}
    assert len(ids) == 1


@pytest.mark.parametrize(
    ("key", "warned"), [("eth1", True), ("all", True), ("veth1", False), ("veth0", False)]
)
def test_warns_of_rp_filter_where_it_drops(idle: Chain, key: str, warned: bool) -> None:
    node = idle.server1
    node.run("sysctl", "-qw", f"net.ipv4.conf.{key}.rp_filter=2")
    try:
        done = node.srconf(*ADD)
        assert done.stdout == OK
        assert (
            "rp_filter is on" in done.stderr and "net.ipv4.conf.eth1.rp_filter=0" in done.stderr
        ) == warned
        lossless = idle.hosta.run("ping", "-c", "1", "-W", "0.3", "10.0.1.1", check=False).returncode == 0
        assert lossless != warned
    finally:
        node.run("sysctl", "-qw", f"net.ipv4.conf.{key}.rp_filter=0")
        node.srconf("flush")


def test_clear_counters_of_one_sid(chain: Chain) -> None:
    chain.hosta.run("ping", "-c", "1", "-W", "2", "10.0.1.1")
    assert chain.server1.counters()
    assert chain.server1.srconf("clear-counters", "fc00:a::a1").stdout == OK
    assert chain.server1.counters() == {}


VOCABULARY = (
    *(
        "localsid",
        "add",
        "show",
        "del",
        "flush",
        "help",
        "clear-counters",
        "--json",
        "end.ad4",
        "end.am",
        "End.AD4",
    ),
    *(
        "ip",
        "mac",
        "fc00:a::a1",
        "fc00:a::a1/128",
        "::",
        "::1",
        "ff02::1",
        "fe80::1",
        "fe80::1%veth0",
        "fc00:a::g",
    ),
    *("192.168.1.2", "192.168.1.300", "0.0.0.0", "224.0.0.1", "02:00:00:00:00:02", "01:00:00:00:00:02"),
    *(
        "veth0",
        "veth1",
        "lo",
        "nosuch",
        "",
        " ",
        "-1",
        "\N{SNOWMAN}",
        "a\nb",
        "\x1b[31m",
        "x" * 5000,
        "--help",
        "-h",
    ),
)


GOOD = tuple(
    ("localsid", *line.split())
    for line in """
        add fc00:a::a1 end
        add fc00:a::a2 end.ad4 ip 192.168.1.2 veth0 veth1
        add fc00:a::a2 end.ead4 ip 192.168.1.2 veth0 veth1
        add fc00:a::a3 end.ad6 mac 02:00:00:00:00:02 veth0 veth2
        add fc00:a::a3 end.am mac 02:00:00:00:00:02 veth0 veth2
        add fc00:a::a4 end.x ip fe80::1 veth0
        add fc00:a::a5 end.dx2 veth0
        add fc00:a::a6 end.dx4 ip 192.168.1.2 veth0
        add fc00:a::a7 end.as4 ip 192.168.1.2 veth0 veth1 src fc00::1 segs fc00::2,fc00::3 left 1
        add fc00:a::a8 end.as6 ip fd00::2 veth0 veth1 src fc00::1 segs fc00::2
        show fc00:a::a2
        clear-counters fc00:a::a2
        del fc00:a::a2
        flush
        help
    """.strip().splitlines()
)


def spoiled(dice: random.Random) -> list[str]:
    """A good line with some words dropped, doubled, swapped, replaced, added or misspelled."""
    line = list(dice.choice(GOOD))
    for _ in range(dice.randrange(1, 4)):
        at = dice.randrange(len(line)) if line else 0
        match dice.randrange(6):
            case 0:
                del line[at : at + 1]
            case 1:
                line[at:at] = line[at : at + 1]
            case 2:
                dice.shuffle(line)
            case 3:
                line[at : at + 1] = [dice.choice(VOCABULARY)]
            case 4:
                line.insert(at, dice.choice(VOCABULARY))
            case _:
                word = line[at] if line else ""
                cut = dice.randrange(len(word) + 1)
                line[at : at + 1] = [
                    word[:cut] + chr(dice.randrange(1, 0x2FF)) + word[cut + dice.randrange(2) :]
                ]
    return line


@pytest.mark.parametrize("count", [600, pytest.param(10_000, marks=pytest.mark.prove)])
def test_malformed_command_lines(lone: Namespace, count: int) -> None:
    """Each one gets one line that says what is wrong, or does what a good line does."""
    dice = random.Random(8986)
    lines: list[list[str]] = [list(good[:length]) for good in GOOD for length in range(len(good))]
    lines += [["localsid", *dice.choices(VOCABULARY, k=dice.randrange(8))] for _ in range(count // 10)]
    lines += [spoiled(dice) for _ in range(count - len(lines))]
    lines = [line for line in lines if line[:2] != ["localsid", "watch"]]
    before = lone.state()
    done = subprocess.run(
        ["ip", "netns", "exec", lone.name, sys.executable, "-c", DRIVER, str(ROOM.parents[1])],
        input=json.dumps(lines),
        capture_output=True,
        text=True,
        check=True,
    )
    answers = json.loads(done.stdout)
    assert len(answers) == len(lines) > 0.9 * count
    for line, (code, out, err) in zip(lines, answers, strict=True):
        if code == 0:
            assert out.startswith(("SREXT answers: OK.", "Usage: ", "SRv6 - ", "[")), line
        else:
            assert code == 1 and out == "", line
            assert err.count("\n") == 1 and err.endswith("\n") and "\x1b" not in err, (line, err)
            assert err.startswith(("srconf: ", "SREXT answers: [ERROR]: ")), (line, err)
    assert sum(code for code, _, _ in answers) > 0.8 * len(lines)
    lone.srconf("flush", check=False)
    assert lone.state() == before


@pytest.mark.parametrize(
    "words", [(), ("localsid",), ("show",), ("localsid", "nonsense"), ("localsid", "del")]
)
def test_usage_errors(words: tuple[str, ...]) -> None:
    done = subprocess.run([SRCONF, *words], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("srconf: ")


@pytest.mark.parametrize("words", [("help",), ("--help",), ("localsid", "help")])
def test_help(words: tuple[str, ...]) -> None:
    done = subprocess.run([SRCONF, *words], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("Usage: srconf localsid { help | flush }")


def test_not_root(lone: Namespace) -> None:
    """With the system's own Python, and from a folder that everybody may read."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(ROOM, Path(folder, "srconf"))
        Path(folder).chmod(0o755)
        user = ("setpriv", "--reuid=65534", "--clear-groups", "/usr/bin/python3", "-S")
        done = lone.run(*user, f"{folder}/srconf/srconf", "localsid", *ADD, check=False)
    assert done.returncode == 1
    assert "root" in done.stderr and "Traceback" not in done.stderr


def test_the_folder_alone_is_enough(lone: Namespace, tmp_path: Path) -> None:
    """Copied elsewhere under any name and linked into a PATH folder; and as a module."""
    folder = tmp_path / "json"
    folder.mkdir()
    for item in ROOM.iterdir():
        if item.is_file():
            (folder / item.name).write_bytes(item.read_bytes())
    (folder / "srconf").chmod(0o755)
    (tmp_path / "srconf").symlink_to(folder / "srconf")
    assert lone.run(str(tmp_path / "srconf"), "localsid", *ADD).stdout == OK
    module = f"cd {ROOM.parents[1]} && exec {sys.executable} -m srv6lab.srconf localsid"
    assert lone.run("sh", "-c", f"{module} show").stdout == SHOWN
    assert lone.run("sh", "-c", f"{module} flush").stdout == OK


def dying_before(step: int) -> None:
    """Make this process die before its nth change of anything."""
    left = step

    def dying(function: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*words: Any, **options: Any) -> Any:
            nonlocal left
            if not (words and isinstance(words[0], list | tuple) and "show" in words[0]):
                left -= 1
                if left < 0:
                    os._exit(9)
            return function(*words, **options)

        return wrapped

    tools.subprocess.run = dying(tools.subprocess.run)  # type: ignore[attr-defined]
    link.load = dying(link.load)
    netlink._change = dying(netlink._change)
    tcx.attach, tcx.detach = dying(tcx.attach), dying(tcx.detach)
    for name in ("put", "remove"):
        setattr(bpf.Map, name, dying(getattr(bpf.Map, name)))


def crashes(node: Namespace, step: int, *words: str) -> bool:
    """Whether a command dies that has to before its nth step; a growing n is survived at last."""
    done = node.srconf(*words, check=False, prepare=lambda: dying_before(step))
    assert done.returncode in (0, 9), done.stderr
    return done.returncode == 9


@pytest.fixture
def small() -> Iterator[Namespace]:
    """Two interfaces only: few steps to die at."""
    with namespaces("small") as made:
        made["small"].ip("link add veth0 type veth peer name veth1\nlink set veth0 up\nlink set veth1 up")
        made["small"].ip("addr add 192.168.1.1/24 dev veth0")
        yield made["small"]


STATIC = (
    "add",
    "fc00:a::a1",
    "end.as6",
    "mac",
    "02:00:00:00:00:02",
    "veth0",
    "veth1",
    "src",
    "fc00::1",
    "segs",
    "fc00::2",
)


@pytest.mark.parametrize(
    ("mending", "line"),
    [("add", STATIC), ("del", ADD), ("flush", ADD)],
    ids=["add-end.as6", "del-end.ad4", "flush-end.ad4"],
)
def test_add_cut_short_anywhere(
    small: Namespace, hook_at_first: str, mending: str, line: tuple[str, ...]
) -> None:
    """The same command again makes it whole; `del` and `flush` take the rest of it away, to the last qdisc."""
    before = small.state()
    for step in itertools.count():
        if not crashes(small, step, *line):
            break
        if mending == "add":
            assert small.srconf(*line).stdout == OK
            assert "Identical" in small.srconf(*line, check=False).stderr
        words = ("del", "fc00:a::a1") if mending == "del" else ("flush",)
        small.srconf(*words, check=False)
        assert small.state() == before
    assert step >= 7


@pytest.mark.parametrize("word", ["del", "flush"])
def test_removal_cut_short_anywhere(small: Namespace, hook_at_first: str, word: str) -> None:
    before = small.state()
    line = (word, "fc00:a::a1") if word == "del" else (word,)
    for step in itertools.count():
        small.srconf(*ADD)
        survived = not crashes(small, step, *line)
        small.srconf(*line, check=False)
        assert small.state() == before
        if survived:
            break
    assert step >= 4


def test_a_cut_short_add_does_no_harm_to_traffic(idle: Chain, hook: str) -> None:
    """As long as the SID isn't active, the return interface is an interface like any other."""
    node = idle.server1
    for step in itertools.count():
        if not crashes(node, step, *ADD):
            break
        if node.show() == []:
            idle.vnf.run("ping", "-c", "1", "-W", "1", "-I", "veth1", "192.168.2.1")
    node.srconf("flush")
