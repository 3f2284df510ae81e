"""Why a segment list or a candidate path is invalid: the rule, and what it found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Rule(Enum):
    """What makes invalid, and the section of RFC 9256 that says so; LIVENESS is ours."""

    EMPTY = "a list is empty", "5.1"
    WEIGHT = "the weight is 0", "5.1"
    MIXED = "SR-MPLS and SRv6 in one list", "5.1"
    PATH = "no path to the first SID", "5.1"
    RESOLUTION = "a segment doesn't resolve to a SID", "5.1"
    VERIFICATION = "a SID isn't verified", "5.1"
    ENDPOINT = "the list doesn't end at the endpoint", "5.1"
    NO_LIST = "no segment list is valid", "5.1"
    DATA_PLANES = "the lists are of several data planes", "5.1"
    NO_SOLUTION = "nothing meets objective and constraints", "5.2"
    NO_CONSTITUENT = "no constituent policy is valid", "5.3"
    CONSTITUENT = "a constituent can't be one", "2.2"
    BINDING_SID = "the specified binding SID isn't to be had", "6.2.3"
    LIVENESS = "the probe down the list doesn't come back", ""

    def __init__(self, what: str, section: str) -> None:
        self.what, self.section = what, section


@dataclass(frozen=True)
class Fault:
    """A rule and what it says here, in one sentence."""

    rule: Rule
    why: str

    def __str__(self) -> str:
        return self.why
