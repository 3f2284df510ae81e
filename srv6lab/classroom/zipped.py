"""A folder of texts as one `.zip`: the same bytes for the same texts, whenever and wherever it is made."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

_BEGINNING = (1980, 1, 1, 0, 0, 0)  # of time, to a zip
_UNIX = 3
_READABLE = 0o100644 << 16


def zipped(texts: Mapping[str, str]) -> bytes:
    """In the order of their paths, and not compressed: what compression makes differs from machine to machine."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for path, text in sorted(texts.items()):
            entry = zipfile.ZipInfo(path, _BEGINNING)
            entry.create_system, entry.external_attr = _UNIX, _READABLE
            archive.writestr(entry, text.encode())
    return target.getvalue()
