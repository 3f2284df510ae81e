"""Programs of ours that nodes run, as files to be put into them."""

from __future__ import annotations

from srv6lab import agent
from srv6lab.host.files import PACKAGE
from srv6lab.render.files import Files

_SRCONF = PACKAGE / "srconf"


def srconf_files() -> Files:
    """The SR proxy for kernels without SREXT, as a node needs it: `srconf/…`."""
    files: dict[str, str | bytes] = {}
    for path in sorted(_SRCONF.iterdir()):
        if path.suffix == ".o":
            files[f"srconf/{path.name}"] = path.read_bytes()
        elif path.suffix == ".py" or path.name == "srconf":
            files[f"srconf/{path.name}"] = path.read_text(encoding="utf-8")
    return files


def agent_files() -> Files:
    """The agent of SR policies as a node needs it: `agent/srv6lab/…`."""
    paths = sorted(path for pattern in agent.FILES for path in PACKAGE.glob(pattern))
    return {
        f"agent/srv6lab/{path.relative_to(PACKAGE).as_posix()}": path.read_text("utf-8") for path in paths
    }
