"""The grammar of `srconf`, and SREXT's answers.

Answers go to standard output, errors and warnings to standard error; the exit code is 0 or 1.
"""

from __future__ import annotations

import errno
import sys
from collections.abc import Callable, Sequence
from ipaddress import IPv6Address

from . import link, netlink, parameters, route, show, table
from .advice import advice
from .behaviors import BEHAVIORS, Behavior, Kind, by_word
from .errors import Refused, SrconfError, UsageError
from .lock import alone
from .state import Interface, LocalSid

OK = "SREXT answers: OK."
PATIENCE = 2.0  # seconds after which `watch` looks without news: of tcx programs there is none
USAGE = f"""Usage: srconf localsid {{ help | flush }}
       srconf localsid {{ show | clear-counters }} [SID]
       srconf localsid show [SID] --json
       srconf localsid del SID
       srconf localsid watch
       srconf localsid add SID BEHAVIOUR
BEHAVIOUR := {{ {f" |{chr(10)}               ".join(map(parameters.form, BEHAVIORS))} }}"""
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
    sid = parameters.sid(words[0])
    behavior = by_word(words[1])
    said = parameters.parse(behavior, words[2:])
    with alone():
        links = link.interfaces()
        oif = _interface(links, said.oif, behavior) if said.oif else _carrier(links, sid)
        iif = _interface(links, said.iif, behavior) if said.iif else None
        local_sid = LocalSid(sid, behavior, said.next_hop, said.mac, oif, iif, said.chain)
        table.add(links, local_sid)
    for line in advice(local_sid, links):
        print(f"srconf: warning: {line}", file=sys.stderr)
    return OK


def _delete(words: Sequence[str]) -> str:
    if not words:
        raise UsageError(f"Command line is not complete: del takes a SID. {HINT}")
    _at_most(words, 1)
    sid = parameters.sid(words[0])
    with alone():
        table.delete(sid)
    return OK


def _flush(words: Sequence[str]) -> str:
    _at_most(words, 0)
    with alone():
        table.flush()
    return OK


def _clear(words: Sequence[str]) -> str:
    _at_most(words, 1)
    with alone():
        present, chosen = _choose(words)
        present.clear(chosen)
    return OK


def _watch(words: Sequence[str]) -> str:
    """Serve the interfaces that appear, as long as there is a SID to serve."""
    _at_most(words, 0)
    with netlink.news() as kernel:
        with alone():
            if not table.keep_up():
                raise Refused(table.EMPTY)
        try:
            while True:
                netlink.wait(kernel, int(route.PROTOCOL), PATIENCE)
                with alone():
                    if not table.keep_up():
                        return OK
        except KeyboardInterrupt:
            return OK


def _show(words: Sequence[str]) -> str:
    as_json = "--json" in words
    words = [word for word in words if word != "--json"]
    _at_most(words, 1)
    if as_json and not words and not table.standing():
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
    "watch": _watch,
}


def _choose(words: Sequence[str]) -> tuple[table.Table, tuple[LocalSid, ...]]:
    """The table, and the SID that the command names or all of them."""
    wanted = parameters.sid(words[0]) if words else None
    present = table.find()
    if present is None:
        raise Refused(table.EMPTY if wanted is None else f"Localsid not found: {wanted}")
    chosen = tuple(item for item in present.local_sids() if wanted in (None, item.sid))
    if not chosen:
        raise Refused(table.EMPTY if wanted is None else f"Localsid not found: {wanted}")
    return present, chosen


def _at_most(words: Sequence[str], number: int) -> None:
    if len(words) > number:
        raise UsageError(f'Too many parameters, from "{words[number]}" on. {HINT}')


def _carrier(links: Sequence[Interface], sid: IPv6Address) -> Interface:
    """The interface that holds the route of a behavior that names none: the one it has, or any."""
    there = [item.oif for item in table.standing() if item.sid == sid and item.oif.current_name]
    for item in (*there, *links):
        return item
    raise Refused("no Ethernet interface is here to hold the SID's route")


def _interface(links: Sequence[Interface], name: str, behavior: Behavior) -> Interface:
    for item in links:
        if item.name == name:
            return item
    if behavior.kind is Kind.KERNEL and (found := link.named(name)):
        return found
    names = ", ".join(item.name for item in links) or "none"
    raise Refused(f'interface "{name}" doesn\'t exist or is no Ethernet interface of its own; here: {names}')
