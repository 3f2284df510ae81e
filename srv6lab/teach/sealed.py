"""The truth of planted faults, so that who has the file hasn't the truth.

An answer is checked against salted hashes that are slow to compute (scrypt, RFC 7914), a place and a cause at a time; there
are a few hundred of such pairs, so this keeps an honest learner honest, and somebody with a program busy for minutes. What
the faults are, and what mends them, is in a box that the seed opens: encrypted with a key of the seed's, and authenticated.
The seed is written down nowhere.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial

from srv6lab.called import CALLED
from srv6lab.errors import LabError, UsageError
from srv6lab.teach.faults import Fault

_scrypt = partial(hashlib.scrypt, n=1 << 16, r=8, p=1, maxmem=1 << 27)  # 64 MiB, some tenths of a second
_TAGS = 16  # of a fault: those that it has not are made up
_ROOM = 8192  # bytes of a box, or several times that many: its length tells nothing
_KEY = 32


@dataclass(frozen=True, slots=True)
class Sealed:
    """Of each fault the tags of the pairs of place and cause that are right, of its place, and of its causes; the box with
    all of them. `symptoms` are for everybody."""

    salt: str
    level: int
    pairs: tuple[tuple[str, ...], ...]
    places: tuple[tuple[str, ...], ...]
    causes: tuple[tuple[str, ...], ...]
    box: str
    symptoms: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        """How many faults there are."""
        return len(self.pairs)


@dataclass(frozen=True, slots=True)
class Told:
    """What an answer is by the seal: the numbers of the faults, from 0, of which place and cause are both right, of which
    the place is, and of which the cause is."""

    both: tuple[int, ...]
    place: tuple[int, ...]
    cause: tuple[int, ...]


def seal(faults: Sequence[Fault], seed: int, level: int, symptoms: Sequence[str] = ()) -> Sealed:
    """Close the truth in. The same faults are sealed otherwise each time."""
    salt = secrets.token_bytes(16)
    pairs = [[_base(salt, "pair", one.node, cause) for cause in one.causes] for one in faults]
    places = [[_base(salt, "place", one.node)] for one in faults]
    causes = [[_base(salt, "cause", cause) for cause in one.causes] for one in faults]
    box = _shut(salt, seed, json.dumps([asdict(one) for one in faults]).encode())
    right, where, what = (tuple(_tags(them)) for them in (pairs, places, causes))
    return Sealed(salt.hex(), level, right, where, what, box, tuple(symptoms))


def tell(sealed: Sealed, node: str, cause: str) -> Told:
    """Hold an answer against the seal; it takes a second or so."""
    salt = bytes.fromhex(sealed.salt)

    def numbers(tags: Sequence[Sequence[str]], *words: str) -> tuple[int, ...]:
        base = _base(salt, *words)
        return tuple(number for number, those in enumerate(tags) if _tag(base, number) in those)

    return Told(
        numbers(sealed.pairs, "pair", node, cause),
        numbers(sealed.places, "place", node),
        numbers(sealed.causes, "cause", cause),
    )


def unseal(sealed: Sealed, seed: int) -> tuple[Fault, ...]:
    """The faults; UsageError if the seed is another, or the box isn't as it was."""
    salt, box = bytes.fromhex(sealed.salt), bytes.fromhex(sealed.box)
    said, mark = box[:-_KEY], box[-_KEY:]
    key, own = _keys(salt, seed)
    if not hmac.compare_digest(mark, hmac.digest(own, said, "sha256")):
        raise UsageError(f"{seed} isn't the seed of this fault", f"--seed takes what {CALLED} break has said")
    text = _crypted(key, said).rstrip(b"\0")
    return tuple(_fault(one) for one in json.loads(text))


def write(sealed: Sealed) -> str:
    return json.dumps(asdict(sealed))


def read(text: str) -> Sealed:
    """LabError for what isn't as it was written."""
    try:
        found = json.loads(text)
        tags = {
            name: tuple(tuple(map(str, one)) for one in found[name]) for name in ("pairs", "places", "causes")
        }
        symptoms = tuple(map(str, found["symptoms"]))
        return Sealed(
            str(found["salt"]), int(found["level"]), box=str(found["box"]), symptoms=symptoms, **tags
        )
    except (ValueError, KeyError, TypeError) as error:
        what = f"what is written of the planted fault isn't as it was: {error!r}"
        raise LabError(what, f"{CALLED} finish takes the fault out") from None


def _fault(said: dict[str, object]) -> Fault:
    steps = {name: tuple(map(tuple, said[name])) for name in ("do", "mend")}  # type: ignore[call-overload]
    return Fault(**{**said, **steps, "causes": tuple(said["causes"])})  # type: ignore[arg-type]


def _base(salt: bytes, *words: str) -> bytes:
    """The slow part, of words of which none has a NUL."""
    return _scrypt("\0".join(words).encode(), salt=salt, dklen=_KEY)


def _tag(base: bytes, number: int) -> str:
    """That of one fault, so that two faults of one place or cause don't look alike."""
    return hmac.digest(base, bytes([number]), "sha256").hex()[:32]


def _tags(bases: Iterable[Sequence[bytes]]) -> Iterator[tuple[str, ...]]:
    for number, mine in enumerate(bases):
        made_up = (secrets.token_hex(16) for _ in range(_TAGS - len(mine)))
        yield tuple(sorted([*(_tag(base, number) for base in mine), *made_up]))


def _keys(salt: bytes, seed: int) -> tuple[bytes, bytes]:
    """What a box is encrypted with, and what authenticates it."""
    both = _scrypt(str(seed).encode(), salt=salt + b"box", dklen=2 * _KEY)
    return both[:_KEY], both[_KEY:]


def _shut(salt: bytes, seed: int, text: bytes) -> str:
    key, own = _keys(salt, seed)
    said = _crypted(key, text + b"\0" * (-len(text) % _ROOM))
    return (said + hmac.digest(own, said, "sha256")).hex()


def _crypted(key: bytes, text: bytes) -> bytes:
    """XOR with HMAC-SHA256 of a counter: the key is of one box only."""
    blocks = range(-(-len(text) // _KEY))
    stream = b"".join(hmac.digest(key, number.to_bytes(8, "big"), "sha256") for number in blocks)
    return bytes(a ^ b for a, b in zip(text, stream, strict=False))
