"""What a wheel has beside the package: the labs, the templates and the tasks, which stand at the top of a checkout.

They go into `srv6lab/share`, where `srv6lab.host.files.SHARE` finds them. A wheel is the same bytes wherever and
whenever it is built by the same setuptools: one date, two modes, and nothing of an earlier build.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from setuptools import setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_py import build_py

HERE = Path(__file__).resolve().parent
SHARED = ("labs", "templates", "scripts/setup", "scripts/apt-suite", "tasks.py", "Vagrantfile.j2")

os.environ.setdefault("SOURCE_DATE_EPOCH", "315532800")  # 1980, where a zip's calendar begins
os.umask(0o022)


def shared() -> Iterator[Path]:
    """The files of SHARED, by their paths in a checkout."""
    for name in SHARED:
        path = HERE / name
        for one in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if one.is_file() and "__pycache__" not in one.parts:
                yield one.relative_to(HERE)


def even_modes(folder: Path) -> None:
    """Modes that don't tell the umask of whoever checked it out."""
    for path in folder.rglob("*"):
        runs = path.is_dir() or path.stat().st_mode & 0o100
        path.chmod(0o755 if runs else 0o644)


class Build(build_py):
    """The package with its share; an editable install has the checkout's own."""

    def run(self) -> None:
        if not self.editable_mode:
            shutil.rmtree(Path(self.build_lib) / "srv6lab", ignore_errors=True)
        super().run()
        if not self.editable_mode:
            built = Path(self.build_lib) / "srv6lab"
            for path in shared():
                target = built / "share" / path
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(HERE / path, target)
            even_modes(built)


class Wheel(bdist_wheel):
    def egg2dist(self, egginfo_path: str, distinfo_path: str) -> None:
        super().egg2dist(egginfo_path, distinfo_path)
        even_modes(Path(distinfo_path))


setup(cmdclass={"build_py": Build, "bdist_wheel": Wheel})
