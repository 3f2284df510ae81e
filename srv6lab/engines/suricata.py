"""Suricata: alerts in `eve.json`, one JSON object a line."""

from __future__ import annotations

import json
from collections.abc import Iterator

from srv6lab.engines.engine import Dialect, Engine, LoggedAlert, shortest

_IP = "ip ip4 ip6 ipv4 ipv6 icmp icmpv4 icmpv6 tcp tcp-pkt tcp-stream udp sctp pkthdr arp ether igmp"
_APPLICATIONS = (
    "bittorrent-dht dcerpc dhcp dnp3 dns doh2 enip ftp ftp-data http http1 http2 ike imap krb5 ldap llmnr mdns modbus mqtt"
    " nfs ntp pgsql pop3 quic rdp rfb sip smb smtp snmp ssh ssl telnet tftp tls websocket"
)
_RULES = Dialect(
    "Suricata",
    "suricata",
    actions=frozenset(("alert", "pass", "drop", "reject")),
    protocols=frozenset(f"{_IP} {_APPLICATIONS}".split()),
    instead={
        "appids": "app-layer-protocol",
        "bufferlen": "bsize",
        "file_type": "filemagic",
        "http_raw_body": "http.request_body",
        "regex": "pcre",
        "rem": "metadata",
    },
    commas=False,
    ends=False,
)


def read(log: str) -> Iterator[LoggedAlert]:
    """A last line that is still being written is left for the next look."""
    for line in log.splitlines(keepends=True):
        if not line.endswith("\n"):
            return
        event = json.loads(line)
        if event.get("event_type") == "alert":
            tunnel = event.get("tunnel", {})
            yield LoggedAlert(
                int(event["alert"]["signature_id"]),
                shortest(event.get("src_ip", "")),
                shortest(event.get("dest_ip", "")),
                shortest(tunnel.get("src_ip", "")),
                shortest(tunnel.get("dest_ip", "")),
            )


ENGINE = Engine(
    "suricata",
    "suricata",
    in_debian=True,
    log="eve.json",
    started="ngine started",  # Suricata 6 writes it small
    daemon=True,
    read=read,
    tells_tunnel=True,
    dialects=(_RULES,),
)
