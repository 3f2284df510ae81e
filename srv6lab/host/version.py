"""Which srv6lab this is."""

from __future__ import annotations

from importlib import metadata


def version() -> str:
    """As its package says; "" where it runs without being installed."""
    try:
        return metadata.version("srv6lab")
    except metadata.PackageNotFoundError:
        return ""
