"""What reading a capture costs, as ratios to `tshark -T fields` on the same packets.

    python benchmarks/capture.py [packets]

Ratios, because the machine's noise is larger than most differences; medians of five rounds.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "captures"))
import frames

from srv6lab.capture import reading

FIELDS = ("frame.number", "ip.src", "ip.dst", "ipv6.src", "ipv6.dst", "ipv6.routing.srh.addr", "data.data")


def seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def fields(path: Path) -> None:
    wanted = [part for field in FIELDS for part in ("-e", field)]
    subprocess.run(["tshark", "-n", "-r", path, "-T", "fields", *wanted], capture_output=True, check=True)


def compare(name: str, ours: Callable[[], object], plain: Callable[[], object]) -> None:
    rounds = [(seconds(ours), seconds(plain)) for _ in range(5)]
    mine, theirs = (statistics.median(column) for column in zip(*rounds, strict=True))
    ratio = statistics.median(one / other for one, other in rounds)
    print(f"{name}: ours {mine:.2f} s, tshark -T fields {theirs:.2f} s, ratio {ratio:.2f}")


def main(packets: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        many = Path(folder, "many.pcap")
        many.write_bytes(frames.pcap([frames.ping(number % 65536) for number in range(packets)]))
        compare(f"{packets} packets", lambda: reading.read(many), lambda: fields(many))
        lab = {number: Path(folder, f"{number}.pcap") for number in range(17)}
        for path in lab.values():
            path.write_bytes(frames.pcap(frames.seed()))

        def one_by_one() -> None:
            for path in lab.values():
                fields(path)

        compare("17 pcaps of 8 frames", lambda: reading.read_all(lab), one_by_one)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000)
