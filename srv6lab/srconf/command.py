"""The grammar of `srconf`, and SREXT's answers.

Answers go to standard output, errors and warnings to standard error; the exit code is 0 or 1.
"""

import errno
import sys
from collections.abc import Callable, Sequence
from ipaddress import AddressValueError, IPv6Address

from . import link, show, table
from .advice import advice
from .behaviors import BEHAVIORS, by_word, parse_parameters
from .errors import Refused, SrconfError, UsageError
from .lock import alone
from .state import Interface, LocalSid

OK = "SREXT answers: OK."
USAGE = f"""Usage: srconf localsid {{ help | flush }}
       srconf localsid {{ show | clear-counters }} [SID]
       srconf localsid show [SID] --json
       srconf localsid del SID
       srconf localsid add SID BEHAVIOUR
BEHAVIOUR := {{ {" | ".join(behavior.word for behavior in BEHAVIORS)} }} PROXY
PROXY := {{ ip NEXTHOP | mac MAC }} IFACE_OUT IFACE_IN"""
HINT = 'Please try "srconf localsid help".'


def main(arguments: Sequence[str]) -> int:
    """Run one command line; returns the exit code."""
    try:
        print(run(arguments), flush=True)
    except UsageError as error:
        return _fail(f"srconf: {_one_line(error)}")
    except SrconfError as error:
        return _fail(f"SREXT answers: [ERROR]: {_one_line(error)}")
    except OSError as error:
        return _fail(f"SREXT answers: [ERROR]: {_explain(error)}")
    except KeyboardInterrupt:
        return _fail("srconf: interrupted; the same command again, or flush, mends what was left half done")
    return 0


def _fail(message: str) -> int:
    print(message, file=sys.stderr)
    return 1


def _one_line(error: Exception) -> str:
    """Without line breaks and control characters that the command line brought in."""
    return "".join(letter if letter.isprintable() else "?" for letter in str(error))


def _explain(error: OSError) -> str:
    if error.errno in (errno.EPERM, errno.EACCES):
        return "Not permitted: srconf needs root"
    if error.errno == errno.E2BIG:
        return "The table of local SIDs is full"
    return _one_line(error)


def run(arguments: Sequence[str]) -> str:
    """What the command answers."""
    if not arguments:
        raise UsageError(f"Command line is not complete. {HINT}")
    if arguments[0] in ("help", "--help", "-h"):
        return USAGE
    if arguments[0] != "localsid":
        raise UsageError(f'Unrecognized object "{arguments[0]}". {HINT}')
    if len(arguments) < 2:
        raise UsageError(f"Command line is not complete. {HINT}")
    word, rest = arguments[1], arguments[2:]
    if word not in COMMANDS:
        raise UsageError(f'Unrecognized command "{word}". {HINT}')
    return COMMANDS[word](rest)


def _help(words: Sequence[str]) -> str:
    _at_most(words, 0)
    return USAGE


def _add(words: Sequence[str]) -> str:
    if len(words) < 2:
        raise UsageError(f"Command line is not complete: add takes a SID and a behavior. {HINT}")
    sid = _sid(words[0])
    behavior = by_word(words[1])
    parameters = parse_parameters(behavior, words[2:])
    with alone():
        links = link.interfaces()
        oif, iif = _interface(links, parameters.oif), _interface(links, parameters.iif)
        local_sid = LocalSid(sid, behavior, parameters.next_hop, parameters.mac, oif, iif)
        table.add(links, local_sid)
    for line in advice(local_sid, links):
        print(f"srconf: warning: {line}", file=sys.stderr)
    return OK


def _delete(words: Sequence[str]) -> str:
    if not words:
        raise UsageError(f"Command line is not complete: del takes a SID. {HINT}")
    _at_most(words, 1)
    sid = _sid(words[0])
    with alone():
        table.delete(link.interfaces(), sid)
    return OK


def _flush(words: Sequence[str]) -> str:
    _at_most(words, 0)
    with alone():
        table.flush(link.interfaces())
    return OK


def _clear(words: Sequence[str]) -> str:
    _at_most(words, 1)
    with alone():
        present, chosen = _choose(words)
        present.clear(chosen)
    return OK


def _show(words: Sequence[str]) -> str:
    as_json = "--json" in words
    words = [word for word in words if word != "--json"]
    _at_most(words, 1)
    if as_json and not words and not table.standing(link.interfaces()):
        return show.as_json(())
    present, chosen = _choose(words)
    entries = [(local_sid, present.counters(local_sid)) for local_sid in chosen]
    return show.as_json(entries) if as_json else show.as_text(entries)


COMMANDS: dict[str, Callable[[Sequence[str]], str]] = {
    "add": _add,
    "clear-counters": _clear,
    "del": _delete,
    "flush": _flush,
    "help": _help,
    "show": _show,
}


def _choose(words: Sequence[str]) -> tuple[table.Table, tuple[LocalSid, ...]]:
    """The table, and the SID that the command names or all of them."""
    wanted = _sid(words[0]) if words else None
    present = table.find(link.interfaces())
    if present is None:
        raise Refused(table.EMPTY if wanted is None else f"Localsid not found: {wanted}")
    chosen = tuple(item for item in present.local_sids() if wanted in (None, item.sid))
    if not chosen:
        raise Refused(table.EMPTY if wanted is None else f"Localsid not found: {wanted}")
    return present, chosen


def _at_most(words: Sequence[str], number: int) -> None:
    if len(words) > number:
        raise UsageError(f'Too many parameters, from "{words[number]}" on. {HINT}')


def _sid(text: str) -> IPv6Address:
    try:
        sid = IPv6Address(text)
    except AddressValueError:
        raise UsageError(f'"{text}" is not a SID: an IPv6 address is, such as fc00:a::a1') from None
    if sid.scope_id or sid.is_multicast or sid.is_link_local or sid.is_loopback or sid.is_unspecified:
        raise UsageError(f'"{text}" can\'t be a SID: it is no routable unicast address')
    return sid


def _interface(links: Sequence[Interface], name: str) -> Interface:
    for item in links:
        if item.name == name:
            return item
    names = ", ".join(item.name for item in links) or "none"
    raise Refused(f'interface "{name}" doesn\'t exist or is no Ethernet interface of its own; here: {names}')
