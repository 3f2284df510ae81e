"""A ping through the proxy on whatever kernel runs this: `python3 -m tests.srconf.elsewhere`.

It needs the standard library only, so it runs in machines that have nothing else, and prints what came out
as JSON: the kernel, the architecture, the replies that arrived, the counters.
"""

import json
import platform
import re

from .chain import ADD, NODES, Chain, namespaces


def main() -> None:
    with namespaces(*NODES) as nodes:
        chain = Chain(nodes)
        chain.server1.srconf(*ADD)
        ping = chain.hosta.run("ping", "-c", "3", "-i", "0.3", "-W", "5", "10.0.1.1", check=False)
        received = re.search(r"(\d+) received", ping.stdout)
        found = {
            "kernel": platform.release(),
            "architecture": platform.machine(),
            "received": int(received[1]) if received else 0,
            "counters": chain.server1.counters(),
            "ping": ping.stdout + ping.stderr,
        }
        chain.server1.srconf("del", "fc00:a::a1")
        found["left"] = chain.server1.show()
        print(json.dumps(found))


if __name__ == "__main__":
    main()
