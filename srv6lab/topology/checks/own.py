"""Checks of what a node has of its own: files, and settings of the kernel."""

from __future__ import annotations

import re
from collections.abc import Iterator

from srv6lab.errors import Problem
from srv6lab.topology.checks.facts import Facts, Item, Path
from srv6lab.topology.checks.network import repeated
from srv6lab.topology.checks.registry import Locate, check, did_you_mean, line_of
from srv6lab.topology.own import NodeFile

NO_FILES = ("proc", "sys", "dev")  # folders of a node whose entries aren't files
_OF_A_NIC = re.compile(r"net\.ipv[46]\.(?:conf|neigh)\.([^.]+)\.")
_EVERY_NODE_HAS = ("all", "default", "lo")


def _files(view: Facts) -> Iterator[Item[NodeFile]]:
    for name, node in view.nodes.items():
        for index, file in enumerate(node.files):
            path: Path = ("nodes", name, "files", index)
            yield Item(path, file, path not in view.cut)


@check
def file_has_one_text(view: Facts, locate: Locate) -> Iterator[Problem]:
    for item in _files(view):
        file = item.value
        if file.source is not None and file.content is not None:
            what = f"{file.path} has a `source` and a `content`"
            yield Problem(locate((*item.path, "content"), key=True), what, "take one of them away")
        elif file.source is None and file.content is None and item.whole:
            mend = "add `content: …`, or `source: …` with a file in the topology's folder"
            yield Problem(locate((*item.path, "path")), f"nothing says what is in {file.path}", mend)


@check
def file_is_no_setting(view: Facts, locate: Locate) -> Iterator[Problem]:
    for item in _files(view):
        folder = item.value.path.split("/")[1]
        if folder in NO_FILES:
            mend = (
                "write settings of the kernel under `sysctls`, and what else has to be done under `commands`"
            )
            what = f"{item.value.path} can't be a file: /{folder} is the kernel's"
            yield Problem(locate((*item.path, "path")), what, mend)


@check
def file_twice(view: Facts, locate: Locate) -> Iterator[Problem]:
    pairs = (((item.path[1], item.value.path), (*item.path, "path")) for item in _files(view))
    for (node, name), first, path in repeated(pairs):
        what = f"{node} has the file {name} already, in {line_of(locate, first)}"
        yield Problem(locate(path), what, "keep one of them")


@check
def setting_of_no_nic(view: Facts, locate: Locate) -> Iterator[Problem]:
    for name, node in view.nodes.items():
        known = {nic.endpoint.nic for nic in view.nics.get(name, ())}
        for setting in node.sysctls:
            found = _OF_A_NIC.match(setting)
            if found and found[1] not in (*known, *_EVERY_NODE_HAS) and view.clear(name):
                where = locate(("nodes", name, "sysctls", setting), key=True)
                mend = did_you_mean(found[1], known, f"connect {name} first")
                yield Problem(where, f"{name} has no NIC {found[1]}", mend)
