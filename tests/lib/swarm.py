# SPDX-License-Identifier: Apache-2.0
"""A swarm of several Docker daemons, each on a machine of its own: namespaces of mounts, network and hostname, and
a cable to a switch that they share. The first one is the manager."""

import contextlib
import json
import os

from lib import system
from lib.docker import IMAGE, Docker
from lib.engine import Place
from lib.network import BRIDGE, Network
from lib.system import cgroup_remove, wait_until

SWARM_IMAGE = "127.0.0.1:1/box:1"  # of a registry that can't be there: no pull is tried
CREATE = ["service", "create", "--quiet", "--detach", "--no-resolve-image"]
HEARTBEAT = "3s"  # a node is Down when it was not heard of for three of them
CABLE = "cable"  # a node's interface
TIMEOUT = 60  # seconds for what the swarm does by itself


class Node(Docker):
    """A daemon whose default runtime is the given one."""

    def __init__(self, place, busybox, name, address, runtime):
        self.hostname, self.address, self.runtime = name, address, runtime
        super().__init__(place, busybox, name)
        self.ok("tag", IMAGE, SWARM_IMAGE)

    @property
    def enter(self):
        """The hostname is the node's name in the swarm."""
        return [*super().enter, "unshare", "--uts", "sh", "-c", 'hostname "$0" && exec "$@"', self.hostname]

    def start(self, *flags):
        super().start("--default-runtime", self.runtime, *flags)

    def tasks(self, service):
        """The ids of the containers that run for a service."""
        return set(self.ok("ps", "--quiet", "--no-trunc", "--filter", _of(service)).split())

    def show(self, what, containers):
        """A field of each."""
        format_ = f"{{{{json {what}}}}}"
        return [json.loads(line) for line in self.ok("inspect", "--format", format_, *containers).splitlines()]

    def events(self, service):
        """What has happened to a service's containers: (time in ns, "start" or "die", id)."""
        filters = ["--filter", _of(service), "--filter", "event=start", "--filter", "event=die"]
        lines = self.ok("events", "--since", "0", "--until", "0s", *filters, "--format", "{{json .}}").splitlines()
        return [(event["timeNano"], event["Action"], event["id"]) for event in map(json.loads, lines)]

    def resources(self):
        """All that the daemon and its containers may leave: what is the same before and after a swarm."""
        links = json.loads(self.place.inside("ip", "-json", "link").stdout)
        mounts = system.mounts_of(self.place.holder.pid)
        return {
            "interfaces": {link["ifname"] for link in links},
            "mounts": sorted(mount.target for mount in mounts),
            "containers": self.ok("ps", "--all", "--quiet"),
            "networks": set(self.ok("network", "ls", "--format", "{{.Name}}").split()),
            "processes": sorted(self.place.members().values()),
            "left": self.left(),
        }


def _of(service):
    return f"label=com.docker.swarm.service.name={service}"


class Swarm:
    def __init__(self, directory, token, command, runtime, busybox, size=3):
        os.mkdir(directory)
        self.runtime, self.joined = runtime, False
        self.nodes = []
        self.before = []  # of each node, what was there before the swarm was formed
        with contextlib.ExitStack() as made:
            self.switch = Network(directory, dict(os.environ, RUNLXC_TEST_SESSION=token))
            made.callback(self.switch.close)
            for number in range(1, size + 1):
                place = Place(f"{directory}/{number}", token, command)
                made.callback(_close_place, place)
                name = f"{runtime}{number}"
                address = f"10.83.0.{10 + number}"
                self._lay_cable(place, name, address)
                made.callback(cgroup_remove, f"/{token}-{name}")
                self.nodes.append(Node(place, busybox, name, address, runtime))
                made.callback(self.nodes[-1].close)
            self._made = made.pop_all()
        self.manager, *self.workers = self.nodes

    # -- the network

    def _lay_cable(self, place, name, address):
        pid = str(place.holder.pid)
        self.switch.ip("link", "add", name, "type", "veth", "peer", "name", CABLE, "netns", pid)
        self.switch.ip("link", "set", name, "master", BRIDGE, "up")
        for command in (["addr", "add", f"{address}/24", "dev", CABLE], ["link", "set", CABLE, "up"]):
            done = place.inside("ip", *command)
            assert done.status == 0, done

    def unplug(self, node):
        self.switch.ip("link", "set", node.hostname, "down")

    def plug(self, node):
        self.switch.ip("link", "set", node.hostname, "up")

    # -- the swarm

    def form(self):
        # Tasks that have ended are forgotten, with their containers.
        self.before = [node.resources() for node in self.nodes]
        flags = ["--dispatcher-heartbeat", HEARTBEAT, "--task-history-limit", "0"]
        self.manager.ok("swarm", "init", "--advertise-addr", self.manager.address, *flags)
        token = self.manager.ok("swarm", "join-token", "--quiet", "worker")
        for node in self.workers:
            node.ok("swarm", "join", "--advertise-addr", node.address, "--token", token, f"{self.manager.address}:2377")
        self.joined = True
        self.wait_ready()

    def leave(self):
        """Every node does, the manager last."""
        for node in self.workers:
            node.ok("swarm", "leave")
        for node in self.workers:
            wait_until(lambda n=node: self.states()[n.hostname] == "Down", f"{node.hostname} is Down", TIMEOUT)
            self.manager.ok("node", "rm", node.hostname)
        assert self.states() == {self.manager.hostname: "Ready"}
        self.manager.ok("swarm", "leave", "--force")
        self.joined = False
        for node in self.nodes:
            # The engine keeps this one, with its interface.
            wait_until(lambda n=node: n("network", "rm", "docker_gwbridge").status == 0, "the bridge is removed")

    def states(self):
        """Of each node by its name: Ready, Down."""
        lines = self.manager.ok("node", "ls", "--format", "{{.Hostname}} {{.Status}}").splitlines()
        return dict(line.split() for line in lines)

    def wait_ready(self):
        names = {node.hostname: "Ready" for node in self.nodes}
        wait_until(lambda: self.states() == names, "all nodes are ready", TIMEOUT)

    # -- services

    def service(self, replicas, flags, *args):
        name = self.manager.name()
        self.manager.ok(*CREATE, "--name", name, "--replicas", replicas, *flags, SWARM_IMAGE, *args)
        return name

    def update(self, service, *flags):
        """Begun, and not waited for."""
        self.manager.ok("service", "update", "--detach", "--quiet", "--no-resolve-image", *flags, service)

    def placed(self, service):
        """How many tasks run on which node, as the manager knows it."""
        format_ = "{{.Node}} {{.CurrentState}}"
        found = {}
        rows = self.manager.ok("service", "ps", "--filter", "desired-state=running", "--format", format_, service)
        for row in rows.splitlines():
            node, state = row.split()[:2]
            if state == "Running":
                found[node] = found.get(node, 0) + 1
        return found

    def wait_placed(self, service, *counts):
        """Until so many tasks run on each node."""
        wanted = {node.hostname: count for node, count in zip(self.nodes, counts) if count}
        wait_until(lambda: self.placed(service) == wanted, f"it runs on {wanted}", TIMEOUT)

    def tasks(self, service):
        return [node.tasks(service) for node in self.nodes]

    def events(self, service):
        """What every node has seen, in the order in which it happened."""
        return sorted(event for node in self.nodes for event in node.events(service))

    def clear(self):
        """No service, no task, and no container of one."""
        for service in self.manager.ok("service", "ls", "--quiet").split():
            self.manager.ok("service", "rm", service)
        for node in self.nodes:
            wait_until(lambda n=node: not n.ok("ps", "--all", "--quiet"), "every task has ended", TIMEOUT)
        for network in self.manager.ok("network", "ls", "--quiet", "--filter", f"name={self.manager.token}").split():
            self.manager.ok("network", "rm", network)

    def left(self):
        return [f"{node.hostname}: {what}" for node in self.nodes for what in node.left()]

    def close(self):
        self._made.close()


def _close_place(place):
    left = place.close()
    assert not left, f"processes left behind by the engines: {left}"
