"""Builds an image for podman and docker: Debian's bootstrap, srv6lab's own Debian package, and what all labs need.

    python scripts/make_image.py [--out DIR] [--package DEB]

The release is this machine's own, as the package is for its Python. The archive is an OCI layout with the list beside it
that older engines look for, so `podman load` and `docker load` take it. The same packages give the same bytes: one date,
SOURCE_DATE_EPOCH or the last commit's, and nothing of this machine but its apt sources.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import io
import json
import os
import platform
import shlex
import shutil
import sys
import tarfile
import tempfile
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from scripts import make_packages
from srv6lab.errors import LabError
from srv6lab.host.system import os_release
from srv6lab.images import debian

NAME = "srv6lab"
# What engines and Debian call a machine, by what the kernel calls it.
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
# Beside what the package depends on: a shell's Tab, pages longer than a screen, and who is who.
PACKAGES = ("bash-completion", "ca-certificates", "less", "procps")
# Licences stay; what a machine that nobody lives in leaves out, goes.
LEFT_OUT = (
    "/usr/share/doc/*/[!c]*",
    "/usr/share/doc/*/ch*",
    "/usr/share/locale/*",
    "/usr/share/info/*",
    "/usr/share/man/*",
)
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# Written by this build, or made anew when they are missing; a cache of apt is of no use to anybody else.
NOT_KEPT = (
    "etc/resolv.conf",
    "etc/hostname",
    "etc/apt/apt.conf.d/99mmdebstrap",
    "var/cache/apt/*.bin",
    "var/cache/debconf/*-old",
    "var/log/*.log",
    "root/.cache",
    "srv6lab.deb",
)
_INDEX = "application/vnd.oci.image.index.v1+json"
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_CONFIG = "application/vnd.oci.image.config.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


def root_file_system(target: Path, package: Path) -> None:
    """The tar of a Debian with the package installed in it; MachineError where Debian can't be had."""
    site = "/usr/lib/srv6lab/lib/python*/site-packages"
    chroot = 'chroot "$1" env DEBIAN_FRONTEND=noninteractive'
    left = " ".join(f'"$1"/{name}' for name in NOT_KEPT)
    some = " ".join(sorted(make_packages.SOME_LABS))
    hooks = (
        f'cp {shlex.quote(str(package))} "$1/srv6lab.deb"',
        f"{chroot} apt-get -q -y --no-install-recommends install /srv6lab.deb",
        f"{chroot} sh -c 'sh {site}/srv6lab/share/scripts/setup packages {some}'",
        f"rm -rf {left}",
        """echo '. /usr/share/bash-completion/bash_completion' >>"$1/root/.bashrc\"""",
    )
    options = ["--variant=minbase", "--skip=output/dev", *(f"--customize-hook={hook}" for hook in hooks)]
    os.environ["SOURCE_DATE_EPOCH"] = str(make_packages.date())
    debian.mmdebstrap(os_release()["VERSION_CODENAME"], target, PACKAGES, LEFT_OUT, options)


def described(version: str, when: int, layer: str) -> dict[str, Any]:
    """What an engine is told of the image (OCI image-spec, config): `layer` is the digest of the unpacked tar."""
    created = datetime.fromtimestamp(when, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    labels = {
        "org.opencontainers.image.title": NAME,
        "org.opencontainers.image.version": version,
        "org.opencontainers.image.licenses": "Apache-2.0",
        "org.opencontainers.image.description": "learn, teach and prove SRv6 on real packets",
    }
    return {
        "created": created,
        "architecture": ARCHITECTURES.get(platform.machine(), platform.machine()),
        "os": "linux",
        "config": {
            "Env": [f"PATH={PATH}", "LANG=C.UTF-8"],
            "Cmd": ["bash"],
            "WorkingDir": "/root",
            "Labels": labels,
        },
        "rootfs": {"type": "layers", "diff_ids": [layer]},
        "history": [{"created": created, "created_by": "scripts/make_image.py"}],
    }


def archive(tar: Path, target: Path, version: str, when: int) -> str:
    """An OCI layout of one layer, as a tar that doesn't tell when or where it was made; the manifest's digest."""
    files: dict[str, bytes | Path] = {}

    def blob(data: bytes, kind: str) -> dict[str, Any]:
        digest = hashlib.sha256(data).hexdigest()
        files[f"blobs/sha256/{digest}"] = data
        return {"mediaType": kind, "digest": f"sha256:{digest}", "size": len(data)}

    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        packed = Path(folder) / "layer"
        layer = {"mediaType": _LAYER, **_packed(tar, packed)}
        files[f"blobs/sha256/{layer['digest'].partition(':')[2]}"] = packed
        config = blob(_json(described(version, when, f"sha256:{_digest(tar)}")), _CONFIG)
        manifest = blob(
            _json({"schemaVersion": 2, "mediaType": _MANIFEST, "config": config, "layers": [layer]}),
            _MANIFEST,
        )
        tag = f"localhost/{NAME}:{version}"
        named = {"org.opencontainers.image.ref.name": version, "io.containerd.image.name": tag}
        files["index.json"] = _json(
            {"schemaVersion": 2, "mediaType": _INDEX, "manifests": [{**manifest, "annotations": named}]}
        )
        files["oci-layout"] = _json({"imageLayoutVersion": "1.0.0"})
        paths = [f"blobs/sha256/{one['digest'].partition(':')[2]}" for one in (config, layer)]
        files["manifest.json"] = _json([{"Config": paths[0], "RepoTags": [tag], "Layers": paths[1:]}])
        unfinished = Path(folder) / "archive"
        _write(unfinished, files, when)
        unfinished.rename(target)
    return str(manifest["digest"])


def _packed(tar: Path, target: Path) -> dict[str, Any]:
    with (
        tar.open("rb") as source,
        target.open("wb") as out,
        gzip.GzipFile("", "wb", 6, out, mtime=0) as into,
    ):
        shutil.copyfileobj(source, into, 1 << 20)
    return {"digest": f"sha256:{_digest(target)}", "size": target.stat().st_size}


def _digest(path: Path) -> str:
    with path.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()


def _json(data: object) -> bytes:
    return json.dumps(data, sort_keys=True, separators=(",", ":")).encode()


def _write(target: Path, files: Mapping[str, bytes | Path], when: int) -> None:
    with tarfile.open(target, "w", format=tarfile.USTAR_FORMAT) as out:
        for name in sorted(files):
            data = files[name]
            entry = tarfile.TarInfo(name)
            entry.mtime, entry.mode = when, 0o644
            entry.size = data.stat().st_size if isinstance(data, Path) else len(data)
            with data.open("rb") if isinstance(data, Path) else io.BytesIO(data) as source:
                out.addfile(entry, source)


def build(out: Path, package: Path | None) -> Path:
    """The image of these sources, or with a package that is there already."""
    with tempfile.TemporaryDirectory() as folder:
        tar = Path(folder) / "root.tar"
        root_file_system(tar, (package or make_packages.srv6lab_deb(Path(folder))).resolve())
        target = out / f"{NAME}-{make_packages.version()}-image.tar"
        digest = archive(tar, target, make_packages.version(), make_packages.date())
    print(f"image: {digest}", file=sys.stderr)
    return target


def main() -> int:
    parser = argparse.ArgumentParser(description="Build an image for podman and docker.")
    parser.add_argument("--out", type=Path, default=make_packages.REPO / "dist", metavar="DIR")
    parser.add_argument("--package", type=Path, metavar="DEB", help="srv6lab's package (else it is built)")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    start = time.monotonic()
    try:
        print(build(given.out.resolve(), given.package))
    except LabError as error:
        print(f"image: {error}", file=sys.stderr)
        return 3
    print(f"image: after {time.monotonic() - start:.0f} s", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
