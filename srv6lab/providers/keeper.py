"""The process that a namespace lab lives and dies with.

It is PID 1 of a PID namespace of its own, and every process of the lab (nodes, daemons,
tracers) lives below it; the nodes' mounts exist only in its mount namespace. So the kernel
itself takes everything away when the keeper ends: nothing is found by name, nothing is left
behind by a crash. Until it hears `stay` on its standard input, it ends with whoever started
it, because their end of the pipe closes when they die, however they die.

It runs as a script of its own (`python3 -I -S keeper.py`), so it imports the standard library
and what stands in `node/` only. It is told on standard input and answers on standard output, in lines that node/lean.py makes, a document each:

    → {"scratch": "/dir", "group": "srv6lab-…", "more": ["/opt/snort"], "size": "1g",
       "nodes": {"r1": {"root": "/", "bpf": false}, …}}    each node with the root that it is laid over
    ← {"node": "r1", "pid": 4711, "start": 123456}     PIDs as the first namespace counts them
    ← {"error": "…"}                                   and the end of everything
    → stay

As `keeper.py more`, in the namespaces of one that keeps a lab already, it starts more nodes there and ends.
"""

from __future__ import annotations

import errno
import os
import sys

if __name__ == "__main__":
    sys.path.append(os.path.abspath(f"{os.path.dirname(__file__)}/../.."))

from srv6lab.providers.node import cgroups, env, furnish, guard, root, shown
from srv6lab.providers.node.kernel import (
    CLONE_NEWCGROUP,
    CLONE_NEWIPC,
    CLONE_NEWNET,
    CLONE_NEWNS,
    CLONE_NEWPID,
    CLONE_NEWUTS,
    MS_BIND,
    MS_NOSUID,
    MS_PRIVATE,
    MS_REC,
    call,
    is_alone,
    mount,
)
from srv6lab.providers.node.lean import answer, document, signal

TYPE_CHECKING = False  # as in enter.py
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Order = dict[str, Any]

_OWN = CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWNET | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWCGROUP
_HIDING = "hiding"


def _identity() -> tuple[int, int]:
    """(PID, start time in clock ticks) of this process as the mounted /proc counts them."""
    with open("/proc/self/stat", encoding="ascii") as file:
        text = file.read()
    return int(text.split(" ", 1)[0]), int(text.rpartition(")")[2].split()[19])


def _quiet_network() -> None:
    """No packet leaves a NIC before its tracer is live: IPv6 starts switched off, and addresses
    then come up without the two seconds of duplicate address detection that nobody here needs. Nor do they come from
    whoever advertises a prefix before Day0 has made the node a router."""
    quiet = {"disable_ipv6": "1", **dict.fromkeys(("accept_ra", "accept_dad", "dad_transmits"), "0")}
    for name, value in quiet.items():
        with open(f"/proc/sys/net/ipv6/conf/default/{name}", "w", encoding="ascii") as file:
            file.write(value)


def _reap_for_ever() -> None:
    """What PID 1 owes its namespace. The end comes by SIGKILL from outside."""
    while True:
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            pass
        signal.sigwait({signal.SIGCHLD})


def _become_node(name: str, order: Order, ready: int, tell: Callable[..., None]) -> None:
    """PID 1 of a node: a machine of its own, but for the kernel. What its programs may do is its bounding set; itself it
    keeps all, so that none of them may look into it."""
    pid, start = _identity()
    node, scratch = order["nodes"][name], order["scratch"]
    os.read(ready, 1)
    place = root.build(f"{scratch}/node", node["root"], f"{scratch}/{_HIDING}", order["more"], order["size"])
    furnish.furnish(place, node["bpf"])
    furnish.enter(place)
    call("sethostname", name.encode(), len(name))
    _quiet_network()
    if not is_alone():
        furnish.lock()
        guard.bound(guard.mask(node["bpf"]))
    tell(node=name, pid=pid, start=start)
    _reap_for_ever()


def _fork(work: Callable[[], None], tell: Callable[..., None]) -> int:
    pid = os.fork()
    if pid == 0:
        try:
            work()
        except BaseException as error:
            tell(error=str(error))
        os._exit(1)
    return pid


def _start_node(name: str, order: Order, ready: int, tell: Callable[..., None]) -> None:
    call("unshare", _OWN)
    mount("none", "/", None, MS_REC | MS_PRIVATE)
    if not is_alone():
        env.hold(order["nodes"][name]["root"])
    _fork(lambda: _become_node(name, order, ready, tell), tell)


def _tell(**said: str | int) -> None:
    os.write(1, answer(said))  # one write: lines of several nodes don't mix


def _start_nodes(order: Order, ready: int) -> None:
    def start(name: str) -> int:
        return _fork(lambda: _start_node(name, order, ready, _tell), _tell)

    for name in order["nodes"]:
        os.waitpid(start(name), 0)  # a helper makes the namespaces, forks the node into them and ends


def _start_more(order: Order) -> None:
    """In the keeper's mounts, where what hides secrets is made already."""
    if not is_alone():
        cgroups.make(order["group"])
    ready, doing = os.pipe()
    os.close(doing)
    _start_nodes(order, ready)


def _keep() -> None:
    """PID 1 of the lab: starts the nodes, then waits for `stay` or for the pipe to close."""
    order = document(sys.stdin.buffer.readline())
    hidden = _hide(order["scratch"])
    # While that is done: the kernel takes milliseconds to move a process, in which it only waits.
    if order["group"] and not is_alone():
        cgroups.make(order["group"])
    pid, start = _identity()
    _tell(keeper=pid, start=start)
    _start_nodes(order, hidden)
    if sys.stdin.buffer.readline().strip() != b"stay":
        return
    null = os.open("/dev/null", os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    _reap_for_ever()


def _hide(scratch: str) -> int:
    """Make what hides this machine's secrets, while the nodes begin. What is returned can be read to its end when that is
    done."""
    mount("tmpfs", scratch, "tmpfs", MS_NOSUID, "mode=700,size=16m")
    os.mkdir(f"{scratch}/node")
    done, doing = os.pipe()

    def hide() -> None:
        if not is_alone():
            shown.hide(f"/{shown.SETTINGS}", f"{scratch}/{_HIDING}")
        os._exit(0)

    _fork(hide, _tell)
    os.close(doing)
    return done


def _own_mounts() -> None:
    """From here on no mount of ours shows anywhere else."""
    call("unshare", CLONE_NEWNS)
    try:
        mount("none", "/", None, MS_REC | MS_PRIVATE)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        _make_the_root_a_mount()


def _make_the_root_a_mount() -> None:
    """In a chroot, / may be no mount point, and then nothing can be said about mounts below it. Our own
    mount namespace's root is one: seen from there, the chroot is bound to itself and entered again."""
    root = os.open("/", os.O_RDONLY | os.O_DIRECTORY)
    call("setns", os.open("/proc/self/ns/mnt", os.O_RDONLY), CLONE_NEWNS)
    mount("none", "/", None, MS_REC | MS_PRIVATE)
    os.fchdir(root)
    path = os.getcwd()
    mount(path, path, None, MS_BIND | MS_REC)
    os.chdir(path)
    os.chroot(".")


def main() -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})  # for sigwait, in every process below
    if sys.argv[1:] == ["more"]:
        order = document(sys.stdin.buffer.readline())
        _start_more(order)  # whoever ends leaves them to the keeper, their PID 1
        return
    _own_mounts()
    call("unshare", CLONE_NEWPID)
    _fork(_keep, _tell)


if __name__ == "__main__":
    main()
