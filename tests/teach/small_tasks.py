"""A small lab with tasks, of the tests' own."""

from __future__ import annotations

from tests.small import SMALL

TASKS = (
    SMALL
    + """\
  - name: lost
    like: across
    description: The way to east ends too soon
    task: >
      The ping isn't answered. Mend what is wrong.
    minutes: 5
    start:
      - sid: {delete: {node: exit, sid: "fc00:b::d4"}}
    hints: [Look at exit., What does exit know of the last segment?]
    solution:
      - why: exit has to hand the rest to east
        node: exit
        run: ['ip -6 route add fc00:b::d4 encap seg6local action End.DX4 nh4 10.0.2.1 dev eth1']
  - name: one-segment
    description: Straight to the exit
    task: Let the packets go with one segment.
    by_hand: true
    apply:
      - steering: {headend: gate, match: {prefix: 10.0.2.0/24}, to: {segments: ["fc00:b::d4"]}}
    probes: [{id: echo, from: west, to: east, icmp: 2}]
    expect:
      elsewhere: any
      packets:
        - {at: "gate:eth2", direction: out, probe: echo, destination: "fc00:b::d4", segment_list: ["fc00:b::d4"]}
        - {at: "east:eth1", direction: in, probe: echo, count: 2}
"""
)
# `across` expects what isn't so, to be of use to tests of verdicts: here all of it comes.
TASKS = (
    TASKS.replace("elsewhere: absent", "elsewhere: any")
    .replace("protocol: icmp, count: 2}", "protocol: icmp, count: 3}")
    .replace(
        '        - {at: "west:eth1", direction: in, probe: echo, absent: true}\n',
        '        - {at: "west:eth1", direction: in, probe: echo, count: 3}\n',
    )
)
