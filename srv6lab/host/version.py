"""Which srv6lab this is."""

from __future__ import annotations


def version() -> str:
    """As its package says; "" where it runs without being installed."""
    from importlib import metadata  # with email behind it

    try:
        return metadata.version("srv6lab")
    except metadata.PackageNotFoundError:
        return ""
