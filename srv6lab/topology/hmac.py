"""What an author says of the HMAC of SRHs (RFC 8754 section 2.1.2): keys, who signs, who asks for it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from srv6lab.topology.scalars import Model

KeyNumber = Annotated[int, Field(strict=True, ge=1, le=999_999_999)]
KeyName = Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{0,8}$")]
Secret = Annotated[str, StringConstraints(pattern=r"^[!-~]([ -~]{0,61}[!-~])?$")]
# Which packets with an SRH a node lets in: those that have a right HMAC; those, and such without one; all.
HmacCheck = Literal["required", "present", "never"]


class Key(Model):
    """A key that who signs shares with who verifies."""

    algorithm: Literal["sha256", "sha1"] = "sha256"
    secret: Secret
