"""The binding SID of a policy (RFC 9256 section 6)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from ipaddress import IPv6Address, IPv6Network

from .paths import CandidatePath


class BoundBy(Enum):
    """The rule by which a policy has its binding SID, or none."""

    NONE = "none is specified, and none can be given"
    SPECIFIED = "the active candidate path specifies it"
    KEPT = "the policy had it before"
    DYNAMIC = "the first that was free"

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True)
class Binding:
    """A binding SID or none, the rule, and what has to be alerted (sections 6.2 and 6.2.3)."""

    sid: IPv6Address | None
    chosen_by: BoundBy
    alerts: tuple[str, ...] = ()


@dataclass(frozen=True)
class SidSpace:
    """Which SIDs a headend can bind: `taken` says of each that is in use what uses it. If there is a `local_block`
    (SRLB), a specified SID has to be in it. `pool` has those to bind dynamically, outside that block."""

    taken: Mapping[IPv6Address, str]
    local_block: IPv6Network | None = None
    pool: tuple[IPv6Address, ...] = ()

    def refusal(self, sid: IPv6Address) -> str:
        """Why a specified SID isn't available; empty if it is."""
        if sid in self.taken:
            return f"binding SID {sid} is in use: {self.taken[sid]}"
        if self.local_block is not None and sid not in self.local_block:
            return f"binding SID {sid} is outside of the local block {self.local_block}"
        return ""

    def free(self) -> IPv6Address | None:
        outside = (sid for sid in self.pool if self.local_block is None or sid not in self.local_block)
        return next((sid for sid in outside if sid not in self.taken), None)


def bind(active: CandidatePath, space: SidSpace, before: IPv6Address | None = None) -> Binding:
    """The binding SID of a policy whose active path is `active` and which had `before` (section 6.2)."""
    refusal = space.refusal(active.binding_sid) if active.binding_sid else ""
    if active.binding_sid and not refusal:
        return Binding(active.binding_sid, BoundBy.SPECIFIED)
    alerts = (f"candidate path {active}: {refusal}",) if refusal else ()
    if before is not None and before not in space.taken:
        return Binding(before, BoundBy.KEPT, alerts)
    free = space.free()
    return Binding(free, BoundBy.DYNAMIC if free else BoundBy.NONE, alerts)


def specified_only(candidate: CandidatePath, space: SidSpace) -> str:
    """Why a path is invalid under Specified-BSID-only (section 6.2.3); empty if it isn't."""
    if candidate.binding_sid is None:
        return "it specifies no binding SID, and its policy takes no other"
    return space.refusal(candidate.binding_sid)
