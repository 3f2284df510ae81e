"""How Day0 gets SREXT: when it is offered, and what is changed in its source.

The tree that is patched here is our own, with the shape of SREXT's netlink code: an array of
genl_ops and a genl_family, on one line or several.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from srv6lab.plan.nodes import PlannedNode
from srv6lab.render.day0 import day0_path, render
from tests.conftest import LABS, SITE, tool

OPERATIONS = """
static struct genl_ops lab_ops[] = {
    {
        .cmd = LAB_C_ECHO,
        .flags = 0,
        .policy = lab_policy,
        .doit = lab_echo,
    },
    { .cmd    = LAB_C_LOCALSID, .policy = lab_policy, .doit = lab_localsid },
};
"""
FAMILY = """
static struct genl_family lab_family = {
    .hdrsize = 0,
    .name = LAB_GENL_NAME,
    .ops = lab_ops,
    .n_ops = ARRAY_SIZE(lab_ops),
};
"""
OTHER = 'static int cmd = 0; /* struct genl_like */ const char *s = ".cmd = 1";\n'


def proxy_scripts() -> list[str]:
    found = []
    for name in LABS:
        plan, _ = SITE.load(SITE.refer(name))
        files = render(plan)
        found += [files[day0_path(machine)] for machine in plan.nodes if _kinds(machine) == {"End.AD4"}]
    assert found, "no lab has an SR proxy"
    return found


def _kinds(machine: PlannedNode) -> set[str]:
    return {proxy.behavior.name for proxy in machine.proxies}


def function(script: str, name: str) -> str:
    match = re.search(rf"^{name}\(\) \{{\n.*?^\}}\n", script, re.MULTILINE | re.DOTALL)
    assert match
    return match.group()


def run(script: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([tool("bash"), "-euc", script, "bash", *words], capture_output=True, text=True)


@pytest.mark.parametrize(
    ("release", "validate", "resv_start_op"),
    [
        ("4 19", 0, 0),
        ("5 1", 0, 0),
        ("5 2", 2, 0),
        ("5 10", 2, 0),
        ("5 15", 2, 0),
        ("6 0", 2, 0),
        ("6 1", 2, 1),
    ],
)
def test_patch_by_kernel(tmp_path: Path, release: str, validate: int, resv_start_op: int) -> None:
    (tmp_path / "kernel").mkdir()
    netlink, other = tmp_path / "kernel" / "netlink.c", tmp_path / "kernel" / "other.c"
    netlink.write_text(OPERATIONS + FAMILY)
    other.write_text(OTHER)
    script = function(proxy_scripts()[0], "patch_srext")
    result = run(f'{script}\npatch_srext "$1" {release}', str(tmp_path))
    assert result.returncode == 0, result.stderr
    patched = netlink.read_text()
    assert patched.count(".validate = GENL_DONT_VALIDATE_STRICT, .cmd") == validate
    assert "GENL_DONT_VALIDATE_DUMP" not in patched, "the family's registration rejects it"
    assert patched.count("struct genl_family lab_family = { .resv_start_op = 255,") == resv_start_op
    assert other.read_text() == OTHER
    if not validate:
        assert patched == OPERATIONS + FAMILY


OFFERED = [
    ("5.4.0-42-generic", "pid:[4026531836]", "does not compile"),
    ("5.1.0", "pid:[4026531836]", ""),
    ("5.10.0-32-amd64", "pid:[4026531836]", ""),
    ("5.15.0-91-generic", "pid:[4026531836]", ""),
    ("6.1.0-18-amd64", "pid:[4026531836]", ""),
    ("6.2.0", "pid:[4026531836]", "panics"),
    ("6.12.48+deb13-amd64", "pid:[4026531836]", "panics"),
    ("7.0.1", "pid:[4026531836]", "panics"),
    ("5.10.0-32-amd64", "pid:[4026532399]", "namespace"),
]


@pytest.mark.parametrize(("kernel", "namespace", "refusal"), OFFERED)
def test_srext_is_offered_where_it_was_proven(kernel: str, namespace: str, refusal: str) -> None:
    script = function(proxy_scripts()[0], "srext_serves")
    stubs = f"uname() {{ echo {kernel!r}; }}\nreadlink() {{ echo {namespace!r}; }}\nwhy=\n"
    result = run(f'{stubs}{script}\nif srext_serves; then echo yes; else echo "no: $why"; fi')
    assert result.stdout.startswith("no" if refusal else "yes"), result
    assert refusal in result.stdout


@pytest.mark.parametrize("there", [True, False])
def test_the_archive_is_asked_for_what_srext_is_built_with_where_it_lacks(
    tmp_path: Path, there: bool
) -> None:
    """A file that srext_tools looks for is one of this folder; the archive gives nothing."""
    script = proxy_scripts()[0]
    asked = function(script, "srext_tools")
    for path in ("/usr/include/", "/lib/modules/"):
        assert path in asked
        asked = asked.replace(path, f"{tmp_path}{path}")
    for file in ("usr/include/stdio.h", "lib/modules/6.1.0/build/Makefile"):
        (tmp_path / file).parent.mkdir(parents=True)
        if there:
            (tmp_path / file).touch()
    stubs = "uname() { echo 6.1.0; }\ngit() { :; }\nmake() { :; }\ngcc() { :; }\napt-get() { echo asked; return 1; }\n"
    stubs += "fetch_srext() { echo fetched; return 1; }\n"
    install = function(script, "install_srext").replace("/var/log", str(tmp_path))
    result = run(f'{stubs}{asked}{install}install_srext || echo "$why"')
    assert result.returncode == 0, result.stderr
    log = (tmp_path / "srext.log").read_text()
    assert log == ("fetched\n" if there else "asked\n")
    assert ("cannot be fetched" in result.stdout) is there and ("needs git" in result.stdout) is not there


def other_scripts() -> list[str]:
    """Day0 of nodes with an SR proxy that SREXT was never seen to serve."""
    plans = [SITE.load(SITE.refer(name))[0] for name in LABS]
    return [
        render(plan)[day0_path(machine)]
        for plan in plans
        for machine in plan.nodes
        if _kinds(machine) - {"End.AD4"}
    ]


def test_what_srext_was_not_seen_to_serve_is_srconf_s() -> None:
    assert len(other_scripts()) >= 2
    for script in other_scripts():
        assert "git clone" not in script
        result = run(f'why=\n{function(script, "srext_serves")}\nsrext_serves || echo "no: $why"')
        assert re.fullmatch(
            r"no: of SREXT only End\.AD4 is proven, and this node has End\.A\S+( and End\.A\S+)*\n",
            result.stdout,
        )


def test_day0_of_the_proxy_passes_shellcheck(tmp_path: Path) -> None:
    for number, script in enumerate([*proxy_scripts(), *other_scripts()]):
        path = tmp_path / f"{number}.sh"
        path.write_text(script)
        result = subprocess.run([tool("shellcheck"), path], capture_output=True, text=True)
        assert result.returncode == 0, result.stdout


def test_the_seeds_commands_stand_in_it() -> None:
    for script in proxy_scripts():
        assert "git clone https://github.com/netgroup/SRv6-net-prog" in script
        assert re.search(r"^add=\(srconf localsid add \S+ end\.ad4 ip \S+ \S+ \S+\)$", script, re.MULTILINE)
        assert "srconf localsid show" in script
