"""Hand-ins made of real ones: honest ones that look odd, and forged ones in ten ways, as learners would make them. Each
takes what a learner has (his own run, right or wrong, and another's) and gives the files of a zip."""

from __future__ import annotations

import json
import secrets
import struct
import zipfile
from collections.abc import Callable, Mapping
from hashlib import sha256
from io import BytesIO
from typing import Any

from srv6lab.evidence import tokens
from tests.classroom.making import EXERCISES, GROUP, Course, Files, Learner

_HEADER, _RECORD = 24, struct.Struct("<IIII")
MICROSECONDS = 1_000_000
Packet = tuple[int, bytes]  # microseconds since 1970, a frame
Change = Callable[[list[Packet]], list[Packet]]
Forged = Callable[[Course, Learner, Learner], Files]


def packed(files: Mapping[str, bytes]) -> bytes:
    target = BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as into:
        for name, data in files.items():
            into.writestr(name, data)
    return target.getvalue()


def sealed(files: Files, **said: Any) -> Files:
    """With a manifest that is right about all files, and says what else is told here."""
    others = {name: data for name, data in files.items() if name != "manifest.json"}
    manifest = {**json.loads(files["manifest.json"]), **said}
    manifest["files"] = {name: sha256(data).hexdigest() for name, data in others.items()}
    return {"manifest.json": json.dumps(manifest).encode(), **others}


def edited(files: Files, name: str, change: Callable[[dict[str, Any]], None]) -> Files:
    """With a document of it changed."""
    document = json.loads(files[name])
    change(document)
    return {**files, name: json.dumps(document).encode()}


def recaptured(files: Files, change: Change, only: Callable[[str], bool] = lambda _: True) -> Files:
    """With the packets of captures changed."""
    return {
        name: _pcap(data, change(_packets(data))) if name.endswith(".pcap") and only(name) else data
        for name, data in files.items()
    }


def _packets(data: bytes) -> list[Packet]:
    found, at = [], _HEADER
    while at < len(data):
        seconds, fraction, length, _ = _RECORD.unpack_from(data, at)
        at += _RECORD.size
        found.append((seconds * MICROSECONDS + fraction, data[at : at + length]))
        at += length
    return found


def _pcap(like: bytes, packets: list[Packet]) -> bytes:
    heads = (_RECORD.pack(*divmod(time, MICROSECONDS), len(frame), len(frame)) for time, frame in packets)
    frames = (frame for _, frame in packets)
    return like[:_HEADER] + b"".join(head + frame for head, frame in zip(heads, frames, strict=True))


def each_frame(change: Callable[[bytes], bytes]) -> Change:
    return lambda packets: [(time, change(frame)) for time, frame in packets]


def later(seconds: float, *, than: int = 0) -> Change:
    """Times of packets behind one (in microseconds since 1970) moved."""
    move = round(seconds * MICROSECONDS)
    return lambda packets: [(time + move if time > than else time, frame) for time, frame in packets]


def token_of(files: Files, exercise: str) -> str:
    found: str = json.loads(files[f"runs/{exercise}/observations.json"])["probes"][0]["token"]
    return found


# --- honest


def as_it_is(files: Files) -> Files:
    return files


def in_a_folder(files: Files) -> Files:
    """As a Mac packs a folder again."""
    return {f"my hand-in/{name}": data for name, data in files.items()} | {
        "__MACOSX/._manifest.json": b"\0\5\x16\7",
        ".DS_Store": b"\0",
    }


def one_clock_step(files: Files) -> Files:
    """A clock that is set back by three seconds between two pings: in all files at once."""
    first = "runs/there/captures/"
    times = sorted(
        time for name, data in files.items() if name.startswith(first) for time, _ in _packets(data)
    )
    middle = times[len(times) // 2]
    moved = recaptured(files, later(-3, than=middle), lambda name: name.startswith(first))
    return sealed(moved)


def checked_often(files: Files) -> Files:
    entry = {"began": "", "passed": "", "checks": 50, "hints": 0, "causes": 0, "solved": False, "parts": [], "best": "0", "right": {}, "wrong": {}, "helped": {}}  # fmt: skip
    return sealed({**files, "progress.json": json.dumps({EXERCISES[0]: entry}).encode()})


HONEST: Mapping[str, Callable[[Files], Files]] = {
    "as-it-is": as_it_is,
    "in-a-folder": in_a_folder,
    "clock-step": one_clock_step,
    "checked-often": checked_often,
}


def half(files: Files) -> Files:
    """One exercise of two."""
    gone = f"runs/{EXERCISES[1]}/"
    return sealed({name: data for name, data in files.items() if not name.startswith(gone)})


def tracer_dropped(files: Files) -> Files:
    """A tracer that was too slow, and says so."""

    def drop(document: dict[str, Any]) -> None:
        document["tracers"][0]["dropped"] = 3

    return sealed(edited(files, f"runs/{EXERCISES[0]}/observations.json", drop))


# --- forged


def renamed(course: Course, mine: Learner, other: Learner) -> Files:
    """Another's hand-in with one's own name on it."""
    return sealed(course.right[other.name], learner=mine.name)


def with_another_run(course: Course, mine: Learner, other: Learner) -> Files:
    """Own, but for the run of an exercise that went wrong."""
    taken = {name: data for name, data in course.right[other.name].items() if name.startswith("runs/there/")}
    own = {name: data for name, data in course.wrong[mine.name].items() if not name.startswith("runs/there/")}
    return sealed({**own, **taken})


def translated(course: Course, mine: Learner, other: Learner) -> Files:
    """Another's run in which names, addresses and the token are made one's own; checksums and MACs are forgotten."""
    files = with_another_run(course, mine, other)
    was, now = token_of(files, "there"), tokens.token(mine.key, "echo")
    names = {theirs.encode(): ours.encode() for theirs, ours in zip(other.nodes.values(), mine.nodes.values(), strict=True)}  # fmt: skip
    pairs = [
        (bytes.fromhex(was), bytes.fromhex(now)),
        (bytes([10, other.number]), bytes([10, mine.number])),
        (f"{0xFC00 + _bcd(other.number):04x}", f"{0xFC00 + _bcd(mine.number):04x}"),
        (f"2001{_bcd(other.number):04x}", f"2001{_bcd(mine.number):04x}"),
    ]

    def ours(frame: bytes) -> bytes:
        for old, new in pairs:
            frame = frame.replace(_bytes(old), _bytes(new))
        return frame

    told = {}
    for name, data in recaptured(files, each_frame(ours), _of_there).items():
        for theirs, own in names.items():
            if name.startswith("runs/there/"):
                name = name.replace(theirs.decode(), own.decode())
                data = data if name.endswith(".pcap") else data.replace(theirs, own)
        told[name] = data.replace(was.encode(), now.encode()) if name.endswith(".json") else data
    return sealed(told)


def _bcd(number: int) -> int:
    return int(str(number), 16)


def _bytes(value: bytes | str) -> bytes:
    return bytes.fromhex(value) if isinstance(value, str) else value


def _of_there(name: str) -> bool:
    return name.startswith("runs/there/")


def edited_at_one_end(course: Course, mine: Learner, _: Learner) -> Files:
    """A right run, of which one capture is made to look otherwise."""
    files = course.right[mine.name]
    name = f"runs/there/captures/{mine.nodes['gate']}-eth2.pcap"
    flow_label = each_frame(lambda frame: frame[:17] + bytes([frame[17] ^ 1]) + frame[18:])
    return sealed(recaptured(files, flow_label, lambda one: one == name))


def edited_afterwards(course: Course, mine: Learner, _: Learner) -> Files:
    """What the run says that it saw changed in an editor, and nothing else."""
    name = "runs/there/observations.json"
    return {
        **course.wrong[mine.name],
        name: course.wrong[mine.name][name].replace(b'"received": 0', b'"received": 3'),
    }


def with_a_clock_turned_back(course: Course, mine: Learner, _: Learner) -> Files:
    """The packets of one capture come before those of the hop before."""
    name = f"runs/there/captures/{mine.nodes['exit']}-eth2.pcap"
    return sealed(recaptured(course.right[mine.name], later(-2), lambda one: one == name))


def with_times_in_disorder(course: Course, mine: Learner, _: Learner) -> Files:
    """Every second packet a minute earlier."""

    def disorder(packets: list[Packet]) -> list[Packet]:
        return [(time - (at % 2) * 60 * MICROSECONDS, frame) for at, (time, frame) in enumerate(packets)]

    return sealed(recaptured(course.right[mine.name], disorder, _of_there))


def with_answers_invented(course: Course, mine: Learner, _: Learner) -> Files:
    """A run without answers that says it got them."""

    def answer(document: dict[str, Any]) -> None:
        document["probes"][0]["received"] = 3

    return sealed(edited(course.wrong[mine.name], "runs/there/observations.json", answer))


def with_packets_put_in(course: Course, mine: Learner, _: Learner) -> Files:
    """A wrong run, with the packets put into the last capture that should have come there."""
    files = course.wrong[mine.name]
    source = _packets(files[f"runs/there/captures/{mine.nodes['west']}-eth1.pcap"])
    name = f"runs/there/captures/{mine.nodes['east']}-eth1.pcap"
    put = [(time, frame) for time, frame in source if b"\x08\x00" in frame[34:36]]
    files = recaptured(files, lambda _: put, lambda one: one == name)

    def count(document: dict[str, Any]) -> None:
        for tracer in document["tracers"]:
            if tracer["trace"] == f"{mine.nodes['east']}-eth1":
                tracer["captured"] = len(put)

    return sealed(edited(files, "runs/there/observations.json", count))


def without_tokens(course: Course, mine: Learner, other: Learner) -> Files:
    """A right run that says nothing of its probes, so that nobody may look for tokens."""

    def forget(document: dict[str, Any]) -> None:
        document["probes"] = []

    return sealed(edited(course.right[mine.name], "runs/there/observations.json", forget))


def with_a_token_of_nobody(course: Course, mine: Learner, _: Learner) -> Files:
    """Packets with a token that somebody made up."""
    files = course.right[mine.name]
    was, now = token_of(files, "there"), secrets.token_hex(16)
    swap = each_frame(lambda frame: frame.replace(bytes.fromhex(was), bytes.fromhex(now)))
    swapped = recaptured(files, swap, _of_there)
    name = "runs/there/observations.json"
    return sealed({**swapped, name: files[name].replace(was.encode(), now.encode())})


WAYS: Mapping[str, Forged] = {
    "renamed": renamed,
    "another-run": with_another_run,
    "translated": translated,
    "edited-at-one-end": edited_at_one_end,
    "edited-afterwards": edited_afterwards,
    "clock-turned-back": with_a_clock_turned_back,
    "times-in-disorder": with_times_in_disorder,
    "answers-invented": with_answers_invented,
    "packets-put-in": with_packets_put_in,
    "without-tokens": without_tokens,
    "token-of-nobody": with_a_token_of_nobody,
}


# --- damaged


def _bomb(_: Files) -> bytes:
    return packed({"manifest.json": b"{}", "state/a.txt": bytes(64 << 20)})


def _deep(files: Files) -> bytes:
    return packed({**files, "progress.json": b"[" * 100_000})


DAMAGED: Mapping[str, Callable[[Files], bytes]] = {
    "cut": lambda files: packed(files)[:-200],
    "empty": lambda _: b"",
    "no-zip": lambda _: b"%PDF-1.4" + bytes(200),
    "bomb": _bomb,
    "climbing": lambda files: packed({**files, "../../outside.json": b"{}"}),
    "deep": _deep,
    "no-manifest": lambda files: packed(
        {name: data for name, data in files.items() if name != "manifest.json"}
    ),
    "no-text": lambda files: packed({**files, "manifest.json": b"\xff\xfe"}),
    "other-shape": lambda files: packed({**files, "manifest.json": b'{"schema": 1, "lab": 7}'}),
    "of-another-class": lambda files: packed(sealed(files, **{"class": f"{GROUP}-other"})),
}


# --- a hundred


def hundred(course: Course) -> dict[str, bytes]:
    """40 honest hand-ins, 20 that are partly right, 30 forged ones in all ways, 10 damaged ones; the name of each begins with
    which it is, and they are shared among the learners."""
    found: dict[str, bytes] = {}
    honest, forged, damaged = list(HONEST.items()), list(WAYS.items()), list(DAMAGED.items())
    partly = [("wrong", as_it_is), ("half", half), ("dropped", tracer_dropped)]
    for number in range(100):
        mine = course.learners[number % len(course.learners)]
        other = course.learners[(number + 1) % len(course.learners)]
        right = course.right[mine.name]
        if number < 40:
            way, make = honest[number % len(honest)]
            kind, data = "honest", packed(make(right))
        elif number < 60:
            way, make = partly[number % len(partly)]
            kind, data = "partly", packed(make(course.wrong[mine.name] if way == "wrong" else right))
        elif number < 90:
            way, forge = forged[number % len(forged)]
            kind, data = "forged", packed(forge(course, mine, other))
        else:
            way, damage = damaged[number % len(damaged)]
            kind, data = "damaged", damage(right)
        found[f"{kind}-{number:02}-{way}"] = data
    return found
