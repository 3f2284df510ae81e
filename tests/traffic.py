"""Heavy traffic between two nodes of a lab: what a ping of 64 bytes doesn't show."""

from __future__ import annotations

import subprocess

from tests.conftest import Up

_RECEIVE = """
import hashlib, socket, sys
server = socket.create_server((sys.argv[1], 5201), family=socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET)
print("ready", flush=True)
server.settimeout(30)
connection, _ = server.accept()
connection.settimeout(30)
digest, size = hashlib.sha256(), 0
while data := connection.recv(1 << 20):
    digest.update(data)
    size += len(data)
print(size, digest.hexdigest())
"""

_SEND = """
import hashlib, os, socket, sys
size = int(sys.argv[2])
data = (os.urandom(1 << 20) * (size // (1 << 20) + 1))[:size]
with socket.create_connection((sys.argv[1], 5201), 10) as connection:
    connection.settimeout(20)
    connection.sendall(data)
print(len(data), hashlib.sha256(data).hexdigest())
"""

_SWEEP = """
import socket, struct, sys
def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data[: len(data) // 2 * 2])) + (data[-1] << 8 if len(data) % 2 else 0)
    total = (total & 0xFFFF) + (total >> 16)
    return ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF
six = ":" in sys.argv[1]
request, reply = (128, 129) if six else (8, 0)
if six:
    raw = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
    raw.setsockopt(socket.IPPROTO_IPV6, 23, 2)  # IPV6_MTU_DISCOVER, IPV6_PMTUDISC_DO
else:
    raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
    raw.setsockopt(socket.IPPROTO_IP, 10, 2)  # IP_MTU_DISCOVER, IP_PMTUDISC_DO: the DF bit, and no cached path MTU
raw.settimeout(3)
raw.connect((sys.argv[1], 0))
bad = []
for size in range(int(sys.argv[2]) + 1):
    body = bytes((size + n) % 251 for n in range(size))
    head = struct.pack("!BBHHH", request, 0, 0, 0x5157, size)
    packet = head[:2] + struct.pack("!H", checksum(head + body)) + head[4:] + body
    try:
        raw.send(packet)
        while True:
            answer = raw.recv(65535)
            answer = answer if six else answer[(answer[0] & 15) * 4 :]
            if answer[0] == reply and answer[4:8] == head[4:8]:
                break
        if answer[8:] != body:
            bad.append((size, "other bytes"))
    except OSError as error:
        bad.append((size, str(error)))
        if len(bad) > 5:
            break
print(bad)
"""


def transfer(lab: Up, source: str, to: str, address: str, size: int) -> None:
    """Send `size` bytes by TCP; what arrives has the same length and checksum."""
    command = lab.running.command(to, ["python3", "-c", _RECEIVE, address])
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as receiver:
        assert receiver.stdout
        assert receiver.stdout.readline() == "ready\n"
        arguments = ["python3", "-c", _SEND, address, str(size)]
        sent = lab.running.exec(source, arguments, 60)
        received, complaint = receiver.communicate(timeout=60)
    assert sent.exit_code == 0, sent.stderr
    assert received == sent.stdout, complaint
    assert received.startswith(f"{size} ")


def sweep(lab: Up, source: str, address: str, mtu: int) -> None:
    """Echo requests of every size up to the MTU come back with the same bytes, and are never fragmented."""
    headers = 48 if ":" in address else 28  # IP and ICMP
    arguments = ["python3", "-c", _SWEEP, address, str(mtu - headers)]
    result = lab.running.exec(source, arguments, 120)
    assert result.stdout == "[]\n", result
