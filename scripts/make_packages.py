"""Builds what is installed of srv6lab: wheels and Debian packages, the same bytes from the same sources.

    python scripts/make_packages.py [--out DIR] [srconf-wheel] [srconf-deb] [srv6lab-deb]

srconf needs nothing but Python and iproute2, so its packages serve every release. The one of srv6lab has its Python
packages in it, which are those of locks/: Debian 12's pydantic, invoke and igraph are older than pyproject.toml
allows. Some of them are compiled for one Python, so it is for the Debian whose Python runs this script.
"""

from __future__ import annotations

import argparse
import gzip
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from email.utils import formatdate
from pathlib import Path

REPO = Path(__file__).resolve().parents[1]
# Debian's convention: who builds says who he is.
MAINTAINER = (
    f"{os.environ.get('DEBFULLNAME', 'srv6lab authors')} <{os.environ.get('DEBEMAIL', 'root@localhost')}>"
)
SHEBANG = "#!/usr/bin/python3 -IS\n"  # one word behind the program is all that a kernel hands on
ESSENTIAL = {"bash", "util-linux"}  # every Debian has them
SOME_LABS = {"suricata", "mmdebstrap"}  # labs with an IDS, and those with FRR
LIBC = "libc6 (>= 2.28)"  # what packages with compiled parts are built for: their wheels say manylinux_2_28 or older
# Where each shell looks for what completes a command, by its name.
COMPLETIONS = {
    "bash": "usr/share/bash-completion/completions/srv6lab",
    "zsh": "usr/share/zsh/vendor-completions/_srv6lab",
    "fish": "usr/share/fish/vendor_completions.d/srv6lab.fish",
}
COPYRIGHT = """\
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: {name}

Files: *
Copyright: 2026 the authors of srv6lab
License: Apache-2.0
 On Debian systems the licence is in /usr/share/common-licenses/Apache-2.0.

Files: {bpf}
Copyright: 2026 the authors of srv6lab
License: GPL-2.0-only
 On Debian systems the licence is in /usr/share/common-licenses/GPL-2.
"""


# What lintian says of these packages and isn't mended, each with its reason.
OBJECT = ("An eBPF object is no machine's: the kernel compiles it.",)
SRCONF_OVERRIDES = (
    (*OBJECT, "arch-independent-package-contains-binary-or-object [usr/lib/srconf/srproxy.bpf.o]"),
)
SITE = "usr/lib/srv6lab/lib/python3.*/site-packages"
SRV6LAB_OVERRIDES = (
    (*OBJECT, f"binary-from-other-architecture [{SITE}/srv6lab/srconf/srproxy.bpf.o]"),
    (
        "Python packages are those of locks/lab.txt, as their authors built them: with their own libraries in them.",
        f"embedded-library * [{SITE}/*]",
        f"unstripped-binary-or-object [{SITE}/*]",
        f"unusual-interpreter * [{SITE}/*]",
    ),
    (
        "It has an environment of its own, whose Python is Debian's.",
        "wrong-path-for-interpreter /usr/lib/srv6lab/bin/python3 != /usr/bin/python3 [usr/lib/srv6lab/bin/srv6lab]",
    ),
    (
        "A template of a script isn't one yet.",
        f"shell-script-fails-syntax-check [{SITE}/srv6lab/share/templates/*.j2]",
    ),
)


def version() -> str:
    found = re.search(r'__version__ = "(.+?)"', (REPO / "srv6lab/__init__.py").read_text("utf-8"))
    assert found, "srv6lab/__init__.py says no version"
    return found[1]


def date() -> int:
    """The moment that files are given: SOURCE_DATE_EPOCH, or the last commit's, or 1980."""
    if told := os.environ.get("SOURCE_DATE_EPOCH"):
        return int(told)
    done = subprocess.run(["git", "log", "-1", "--format=%ct"], cwd=REPO, capture_output=True, text=True)
    return int(done.stdout.strip() or 315532800)


def run(*words: str | Path, **environment: str) -> None:
    """A command to its end; what it says goes to standard error."""
    env = os.environ | {"SOURCE_DATE_EPOCH": str(date())} | environment
    subprocess.run(words, check=True, env=env, stdout=sys.stderr)


def copied(source: Path, target: Path) -> Path:
    """The tracked kind of files of a folder: no bytecode."""
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
    return target


def srconf_wheel(out: Path) -> Path:
    """`srconf` for pip and pipx."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copy(REPO / "packaging/srconf/pyproject.toml", folder)
        (folder / "VERSION").write_text(version())
        settle(copied(REPO / "srv6lab/srconf", folder / "srconf"))
        run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", out, folder)
    return out / f"srconf-{version()}-py3-none-any.whl"


def settle(tree: Path) -> None:
    """Modes and dates that don't tell who checked the files out, and when."""
    for path in sorted(tree.rglob("*"), reverse=True):
        if not path.is_symlink():
            runs = path.is_dir() or path.read_bytes()[:2] == b"#!"
            path.chmod(0o755 if runs else 0o644)
            os.utime(path, (date(), date()))
    tree.chmod(0o755)


def packed(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(text.encode(), 9, mtime=0))


def deb(
    out: Path,
    tree: Path,
    control: Mapping[str, str],
    bpf: str,
    scripts: Mapping[str, str],
    overrides: Sequence[Sequence[str]],
) -> Path:
    """A Debian package of a tree of files: documents, control files and `scripts` of the maintainer added. `overrides` are
    for lintian: a reason, and what it is the reason of."""
    name = control["Package"]
    documents = tree / "usr/share/doc" / name
    documents.mkdir(parents=True)
    (documents / "copyright").write_text(COPYRIGHT.format(name=name, bpf=bpf))
    entry = (
        f"{name} ({control['Version']}) unstable; urgency=medium\n\n  * See CHANGELOG.md in the sources.\n\n"
    )
    file = tree / "usr/share/lintian/overrides" / name
    file.parent.mkdir(parents=True)
    lines = (
        line for reason, *tags in overrides for line in (f"# {reason}", *(f"{name}: {tag}" for tag in tags))
    )
    file.write_text("".join(f"{line}\n" for line in lines))
    packed(documents / "changelog.gz", f"{entry} -- {MAINTAINER}  {formatdate(date())}\n")
    settle(tree)
    size = sum(path.stat().st_size for path in tree.rglob("*") if path.is_file() and not path.is_symlink())
    (tree / "DEBIAN").mkdir()
    fields = {**control, "Maintainer": MAINTAINER, "Installed-Size": str(size // 1024 + 1)}
    (tree / "DEBIAN/control").write_text("".join(f"{key}: {value}\n" for key, value in fields.items()))
    for script, text in scripts.items():
        (tree / "DEBIAN" / script).write_text(f"#!/bin/sh\nset -e\n{text}\n")
    settle(tree / "DEBIAN")
    target = out / f"{name}_{control['Version']}_{control['Architecture']}.deb"
    run("dpkg-deb", "--root-owner-group", "-Zxz", "--build", tree, target)
    return target


def srconf_deb(out: Path) -> Path:
    """`srconf` in Debian's places, with its man page."""
    with tempfile.TemporaryDirectory() as name:
        tree = Path(name) / "tree"
        room = copied(REPO / "srv6lab/srconf", tree / "usr/lib/srconf")
        script = room / "srconf"
        script.write_text(SHEBANG + script.read_text("utf-8").partition("\n")[2], "utf-8")
        packed(tree / "usr/share/man/man8/srconf.8.gz", (room / "srconf.8").read_text("utf-8"))
        for sources in (
            "srconf.8",
            "README.md",
            "Makefile",
            "srproxy.bpf.c",
            *[path.name for path in room.glob("*.h")],
        ):
            (room / sources).unlink()
        (tree / "usr/sbin").mkdir()
        (tree / "usr/sbin/srconf").symlink_to("../lib/srconf/srconf")
        needed = re.search(
            r'requires-python = ">=(.+?)"', (REPO / "packaging/srconf/pyproject.toml").read_text()
        )
        assert needed
        control = {
            "Package": "srconf",
            "Version": version(),
            "Architecture": "all",
            "Section": "net",
            "Priority": "optional",
            "Depends": f"python3 (>= {needed[1]}), iproute2",
            "Description": "SR proxies for SRv6 as an eBPF program\n"
            " Puts services that know nothing of SRv6 into SRv6 chains: the command of the\n"
            " SREXT kernel module, on unchanged Linux from 5.10, without a module.",
        }
        compiled = bytecode("srconf", "/usr/lib/srconf")
        return deb(out, tree, control, "usr/lib/srconf/srproxy.bpf.o", compiled, SRCONF_OVERRIDES)


def bytecode(package: str, folder: str) -> dict[str, str]:
    """Compiled when installed, so that root's first run writes nothing that a removal leaves."""
    return {
        "postinst": f'[ "$1" != configure ] || py3compile -p {package} {folder}',
        "prerm": f"py3clean -p {package}",
    }


def completion(tree: Path, scripts: Path) -> None:
    """Tab, without a line in anybody's settings."""
    for shell, name in COMPLETIONS.items():
        (tree / name).parent.mkdir(parents=True)
        text = (scripts / shell).read_text("utf-8")
        asks = "/usr/lib/srv6lab/bin/python3 -I -m srv6lab --complete --"
        (tree / name).write_text(text.replace("@ASK@", asks), "utf-8")


def system_packages() -> list[str]:
    """Debian's packages that a lab needs, from the one list of them, in scripts/setup."""
    rows = re.findall(
        r"^lab +\| *(\S+) *\| *(\S+) *\|", (REPO / "scripts/setup").read_text("utf-8"), re.MULTILINE
    )
    return sorted({package for how, package in rows if not how.startswith("py:")} - ESSENTIAL)


def install(target: Path, build: Path) -> None:
    """srv6lab and what it needs into a folder. What builds it goes to another one, and nothing comes but by its hash."""
    pip = (sys.executable, "-m", "pip", "install", "--quiet", "--no-compile", "--no-warn-script-location")
    for lock, folder in (("build", build), ("lab", target)):
        run(*pip, "--require-hashes", "-r", REPO / f"locks/{lock}.txt", "--target", folder)
    run(*pip, "--no-deps", "--no-build-isolation", "--target", target, REPO, PYTHONPATH=str(build))


def srv6lab_deb(out: Path) -> Path:
    """`srv6lab` with its Python packages, as an environment of the release's own Python."""
    major, minor = sys.version_info[:2]
    python = f"python{major}.{minor}"
    with tempfile.TemporaryDirectory() as name:
        tree = Path(name) / "tree"
        home = tree / "usr/lib/srv6lab"
        site = home / f"lib/{python}/site-packages"
        install(site, Path(name) / "build")
        shutil.rmtree(site / "bin", ignore_errors=True)
        for left in (*site.glob("*/direct_url.json"), *site.glob("*/RECORD"), *site.glob("*/INSTALLER")):
            left.unlink()  # where it was built, and lists of files for an uninstall by pip
        (home / "pyvenv.cfg").write_text(
            f"home = /usr/bin\ninclude-system-site-packages = false\nversion = {major}.{minor}\n"
        )
        (home / "bin").mkdir()
        (home / "bin/python3").symlink_to(f"../../../bin/{python}")
        (home / "bin/srv6lab").write_text(
            "#!/usr/lib/srv6lab/bin/python3 -I\nfrom srv6lab.__main__ import main\n\nmain()\n"
        )
        (tree / "usr/bin").mkdir()
        (tree / "usr/bin/srv6lab").symlink_to("../lib/srv6lab/bin/srv6lab")
        told = os.environ | {"PYTHONPATH": str(site)}
        manual = subprocess.check_output(
            [sys.executable, "-B", REPO / "scripts/manual.py"], text=True, env=told
        )
        packed(tree / "usr/share/man/man1/srv6lab.1.gz", manual)
        completion(tree, site / "srv6lab/cli/completion")
        needed = [package for package in system_packages() if package not in SOME_LABS]
        control = {
            "Package": "srv6lab",
            "Version": f"{version()}+py{major}.{minor}",
            "Architecture": subprocess.check_output(["dpkg", "--print-architecture"], text=True).strip(),
            "Section": "net",
            "Priority": "optional",
            "Depends": ", ".join(
                [LIBC, f"python3 (>= {major}.{minor})", f"python3 (<< {major}.{minor + 1})", *needed]
            ),
            "Recommends": ", ".join(sorted(SOME_LABS)),
            "Description": "learn, teach and prove SRv6 on real packets\n"
            " Labs of network namespaces from one YAML file, with the kernel's own SRv6,\n"
            " and a judge that compares every hop with what was expected and with a model.",
        }
        bpf = f"usr/lib/srv6lab/lib/{python}/site-packages/srv6lab/srconf/srproxy.bpf.*"
        compiled = bytecode("srv6lab", f"/usr/lib/srv6lab/lib/{python}/site-packages")
        return deb(out, tree, control, bpf, compiled, SRV6LAB_OVERRIDES)


MAKERS: Mapping[str, Callable[[Path], Path]] = {
    "srconf-wheel": srconf_wheel,
    "srconf-deb": srconf_deb,
    "srv6lab-deb": srv6lab_deb,
}


def main() -> int:
    parser = argparse.ArgumentParser(description="Build wheels and Debian packages.")
    parser.add_argument(
        "what", nargs="*", metavar="WHAT", help=f"{', '.join(MAKERS)}; all of them without it"
    )
    parser.add_argument("--out", type=Path, default=REPO / "dist", metavar="DIR", help="where to (dist/)")
    given = parser.parse_args()
    if unknown := [one for one in given.what if one not in MAKERS]:
        print(f"packages: no {unknown[0]}; there are {', '.join(MAKERS)}", file=sys.stderr)
        return 1
    given.out.mkdir(parents=True, exist_ok=True)
    for what in given.what or MAKERS:
        start = time.monotonic()
        print(MAKERS[what](given.out.resolve()))
        print(f"packages: {what} after {time.monotonic() - start:.1f} s", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
