"""Builds a container image with all that labs need, of this machine's Debian release: `make image`.

The file is an OCI image layout in a tar, and what `docker load` reads of old, too: `podman load` or `docker load` takes
it. One layer holds Debian's packages and the Debian package of srv6lab (scripts/make_packages.py). Nothing of this
machine gets in but its release: the mirror's addresses and its proxies stay out.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from scripts.make_packages import REPO, SOME_LABS, date, srv6lab_deb, system_packages, version

# What a node is made of, but for Debian's packages: procps has sysctl, which people type in nodes.
MORE = ("ca-certificates", "iperf3", "procps", "python3")
TYPES = "application/vnd.oci.image"


def codename() -> str:
    found = re.search(r"^VERSION_CODENAME=(\w+)", Path("/etc/os-release").read_text(), re.MULTILINE)
    assert found, "/etc/os-release names no Debian release"
    return found[1]


def sources(release: str) -> str:
    """This machine's apt sources, with backports where the release has no suricata of its own."""
    told = subprocess.check_output(["scripts/apt-suite", "--family", release, release], cwd=REPO, text=True)
    more = ["scripts/apt-suite", release, f"{release}-backports"]
    return told + "\n" + subprocess.check_output(more, cwd=REPO, text=True)


def network() -> Iterator[str]:
    """How apt reaches its mirror here."""
    for line in subprocess.check_output(["apt-config", "dump"], text=True).splitlines():
        if re.match(r'Acquire::(https?|Check|Retries|ForceIPv)\S* "', line):
            yield f"--aptopt={line}"


def root_file_system(package: Path, target: Path) -> None:
    """A tar of the root file system, with srv6lab installed."""
    with tempfile.TemporaryDirectory() as folder:
        listed = Path(folder) / "image.sources"
        listed.write_text(sources(codename()))
        packages = ",".join([*system_packages(), *sorted(SOME_LABS - set(system_packages())), *MORE])
        hooks = (
            f"copy-in {package} /tmp",
            f'chroot "$1" dpkg --install /tmp/{package.name}',
            'rm -rf "$1"/tmp/* "$1"/var/cache/apt/*.bin "$1"/var/lib/apt/lists/* "$1"/etc/apt/sources.list.d/*',
            'rm -f "$1"/etc/apt/sources.list "$1"/etc/apt/apt.conf.d/99mmdebstrap',
            'rm -f "$1"/etc/resolv.conf "$1"/etc/hostname "$1"/var/log/dpkg.log "$1"/var/log/apt/*.log',
        )
        command = ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={packages}", *network()]
        command += [f"--customize-hook={hook}" for hook in hooks]
        env = os.environ | {"SOURCE_DATE_EPOCH": str(date())}
        subprocess.run([*command, codename(), target, listed], check=True, env=env, stdout=sys.stderr)


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def image(layer: bytes, name: str) -> dict[str, bytes]:
    """The files of an image of one layer: an OCI layout, and the list that `docker load` reads."""
    small = gzip.compress(layer, 6, mtime=0)
    architecture = subprocess.check_output(["dpkg", "--print-architecture"], text=True).strip()
    config = as_json(
        {
            "created": datetime.fromtimestamp(date(), UTC).isoformat(timespec="seconds"),
            "architecture": architecture,
            "os": "linux",
            "config": {
                "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
                "Cmd": ["bash"],
                "WorkingDir": "/root",
            },
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest(layer)}"]},
        }
    )
    manifest = as_json(
        {
            "schemaVersion": 2,
            "mediaType": f"{TYPES}.manifest.v1+json",
            "config": blob(config, "config.v1+json"),
            "layers": [blob(small, "layer.v1.tar+gzip")],
        }
    )
    index = {
        "schemaVersion": 2,
        "manifests": [
            blob(manifest, "manifest.v1+json") | {"annotations": {"org.opencontainers.image.ref.name": name}}
        ],
    }
    docker = [{"Config": place(config), "RepoTags": [name], "Layers": [place(small)]}]
    return {
        "oci-layout": as_json({"imageLayoutVersion": "1.0.0"}),
        "index.json": as_json(index),
        "manifest.json": as_json(docker),
        **{place(content): content for content in (config, manifest, small)},
    }


def as_json(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True).encode()


def place(content: bytes) -> str:
    return f"blobs/sha256/{digest(content)}"


def blob(content: bytes, kind: str) -> dict[str, Any]:
    return {"mediaType": f"{TYPES}.{kind}", "digest": f"sha256:{digest(content)}", "size": len(content)}


def packed(files: dict[str, bytes], target: Path) -> None:
    with tarfile.open(target, "w") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mtime, entry.mode = len(content), date(), 0o644
            tar.addfile(entry, io.BytesIO(content))


def main() -> int:
    parser = argparse.ArgumentParser(description="Build a container image with srv6lab and what labs need.")
    parser.add_argument(
        "--deb", type=Path, metavar="FILE", help="the package of srv6lab, if it is built already"
    )
    parser.add_argument("--out", type=Path, default=REPO / "dist", metavar="DIR", help="where to (dist/)")
    given = parser.parse_args()
    if not shutil.which("mmdebstrap"):
        print("image: mmdebstrap is missing; apt-get install mmdebstrap", file=sys.stderr)
        return 3
    given.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        package = given.deb or srv6lab_deb(Path(folder))
        root_file_system(package.resolve(), Path(folder) / "root.tar")
        target = given.out / f"srv6lab-{version()}-image.tar"
        packed(image((Path(folder) / "root.tar").read_bytes(), f"localhost/srv6lab:{version()}"), target)
    print(target)
    return 0


if __name__ == "__main__":
    sys.exit(main())
