"""A process that uses networks, for tests to run many of and to kill.

churn ROOT        connect and disconnect containers for ever
hold ROOT COUNT   connect COUNT containers that listen on port 80, print a line `IP HOST_PORT` for each, and stay until
                  standard input ends
"""

from __future__ import annotations

import itertools
import os
import sys

from jubako.network import Endpoint, Networks, publish
from jubako.store import Store

sys.path.insert(0, os.path.dirname(__file__))
from world import Namespace


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def connect(networks: Networks, number: int, *ports: str) -> tuple[Namespace, Endpoint, list[int]]:
    namespace, name = Namespace(), f"{os.getpid()}-{number}"
    bindings = [binding for text in ports for binding in publish.parse(text)]
    endpoint = networks.reserve(name, name, network="bridge", ports=bindings)
    return namespace, endpoint, networks.attach(endpoint, namespace.fd)


def churn(networks: Networks) -> None:
    for number in itertools.count():
        namespace, endpoint, held = connect(networks, number, "80", "127.0.0.1::81", "53/udp")
        networks.detach(endpoint.container_id)
        for fd in held:
            os.close(fd)
        namespace.close()


def hold(networks: Networks, count: int) -> None:
    connected = [connect(networks, number, "80") for number in range(count)]
    servers = [namespace.listen(80) for namespace, _endpoint, _held in connected]
    for _namespace, endpoint, _held in connected:
        say(f"{endpoint.ip} {endpoint.ports[0].host_port}")
    say("ready")
    sys.stdin.read()
    for _namespace, endpoint, _held in connected:
        networks.detach(endpoint.container_id)
    for server in servers:
        server.close()


def main() -> None:
    action, root, *rest = sys.argv[1:]
    say("imported")
    with Store.open(root) as store:
        networks = Networks(store, root)
        if action == "churn":
            churn(networks)
        else:
            hold(networks, int(rest[0]))


main()
