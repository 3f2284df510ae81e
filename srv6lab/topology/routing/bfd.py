"""What an author writes of BFD on a link (RFC 5880)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from srv6lab.topology.scalars import Model


class Bfd(Model):
    """BFD with the neighbors that routing protocols have on a link: a packet each `interval` milliseconds, and the
    neighbor is gone when `multiplier` of them are missing."""

    interval: Annotated[int, Field(strict=True, ge=50, le=60000)] = 300
    multiplier: Annotated[int, Field(strict=True, ge=2, le=255)] = 5
