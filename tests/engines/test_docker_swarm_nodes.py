# SPDX-License-Identifier: Apache-2.0
"""Swarm on three nodes, each a daemon of its own, whose default runtime is the one under test."""

import re

import pytest

from lib import engine
from lib.swarm import Swarm
from lib.system import wait_until

# Tasks that tell what they were told, and end when they are asked to.
TASK = ["sh", "-c", "trap 'exit 0' TERM; echo $WORD; while :; do sleep 1000 & wait; done"]
SERVE = ["sh", "-c", "trap 'exit 0' TERM; mkdir /www; echo $WORD >/www/index.html; httpd -f -h /www & wait"]

pytestmark = [pytest.mark.full, pytest.mark.limit(180)]


@pytest.fixture(scope="module", params=["runlxc", "runc"])
def daemons(request, session_directory, token):
    engine.need("nsenter", "unshare", "ip", "runc", "dockerd", "docker", "containerd", "iptables", "hostname")
    directory = f"{session_directory}/swarm-{request.param}"
    made = Swarm(directory, token, request.config.command, request.param, f"{session_directory}/busybox")
    yield made
    made.close()


@pytest.fixture
def swarm(daemons):
    if not daemons.joined:
        daemons.form()
    yield daemons
    if daemons.joined:
        for node in daemons.nodes:
            daemons.plug(node)
        daemons.wait_ready()
        daemons.clear()
    wait_until(lambda: not daemons.left(), "nothing left", 10)


def test_a_service_is_spread_over_all_nodes(swarm):
    service = swarm.service(6, ["--env", "WORD=one"], *TASK)
    swarm.wait_placed(service, 2, 2, 2)
    for node in swarm.nodes:
        tasks = node.tasks(service)
        assert len(tasks) == 2
        assert node.show(".HostConfig.Runtime", tasks) == [swarm.runtime] * 2
    wait_until(lambda: swarm.manager.ok("service", "logs", "--raw", service).split() == ["one"] * 6, "each has said so")


def test_tasks_reach_each_other_and_are_reached_from_outside(swarm):
    """By addresses of their own and of nodes. One address for all of a service, and ports that every node answers
    on, take IPVS, which not every kernel has."""
    network = swarm.manager.name()
    swarm.manager.ok("network", "create", "--driver", "overlay", network)
    flags = ["--network", network, "--endpoint-mode", "dnsrr", "--publish", "mode=host,published=8080,target=80"]
    service = swarm.service(3, [*flags, "--env", "WORD={{.Node.Hostname}}"], *SERVE)
    swarm.wait_placed(service, 1, 1, 1)
    tasks = {node: task for node in swarm.nodes for task in node.tasks(service)}
    where = f'(index .NetworkSettings.Networks "{network}").IPAddress'
    addresses = {node.show(where, [task])[0] for node, task in tasks.items()}
    assert len(addresses) == 3
    names = [node.hostname for node in swarm.nodes]
    for node, task in tasks.items():

        def resolved(node=node, task=task):
            said = node("exec", task, "nslookup", service).stdout
            return set(re.findall(r"^Address: ([\d.]+)$", said, flags=re.M))

        wait_until(lambda: resolved() == addresses, "the service's name has the addresses of all tasks", 30)
        fetch = "for i; do wget -q -O - http://$i; done"
        assert sorted(node.ok("exec", task, "sh", "-c", fetch, "sh", *addresses).split()) == names
        from_outside = swarm.switch.command("busybox", "wget", "-q", "-O", "-", f"http://{node.address}:8080")
        assert from_outside == f"{node.hostname}\n"


def test_an_update_goes_on_while_all_that_were_asked_for_run(swarm):
    service = swarm.service(6, ["--env", "WORD=one"], *TASK)
    swarm.wait_placed(service, 2, 2, 2)
    before = set().union(*swarm.tasks(service))
    order = ["--update-parallelism", 2, "--update-order", "start-first", "--update-monitor", "1s"]
    swarm.update(service, *order, "--env-add", "WORD=two")

    # Twelve have started, six of them ended: in the order of what every node has seen, at least six ran all the time.
    wait_until(lambda: len(swarm.events(service)) >= 18, "the old ones have ended", 60)
    running, counts = set(), []
    for _, _, task in swarm.events(service):
        running ^= {task}
        counts.append(len(running))
    assert len(counts) == 18 and counts[:6] == [1, 2, 3, 4, 5, 6]
    assert min(counts[6:]) >= 6 and counts[-1] == 6
    after = swarm.tasks(service)
    assert set().union(*after) == running and not running & before
    for node, tasks in zip(swarm.nodes, after):
        assert all("WORD=two" in words for words in node.show(".Config.Env", tasks))
        for task in tasks:
            wait_until(lambda n=node, t=task: n.ok("logs", t) == "two", "it says the new word")


def test_a_node_that_is_cut_off_loses_its_tasks_to_the_others(swarm):
    service = swarm.service(6, ["--env", "WORD=one"], *TASK)
    swarm.wait_placed(service, 2, 2, 2)
    lost = swarm.nodes[2]
    its = lost.tasks(service)
    swarm.unplug(lost)
    wait_until(lambda: swarm.states()[lost.hostname] == "Down", "the node is Down", 60)
    swarm.wait_placed(service, 3, 3)
    moved = swarm.tasks(service)
    assert [len(tasks) for tasks in moved] == [3, 3, 2]
    assert moved[2] == its  # it doesn't know
    swarm.plug(lost)
    swarm.wait_ready()
    wait_until(lambda: not lost.ok("ps", "--all", "--quiet"), "what it ran is ended", 60)
    assert swarm.tasks(service) == [*moved[:2], set()]
    wait_until(lambda: not lost.left(), "nothing is left on it")


def test_nothing_is_left_when_every_node_has_left(swarm):
    service = swarm.service(6, [], *TASK)
    swarm.wait_placed(service, 2, 2, 2)
    for node, before in zip(swarm.nodes, swarm.before):
        there = node.resources()
        assert all(there[kind] != before[kind] for kind in there)
    swarm.clear()
    swarm.leave()
    for node, before in zip(swarm.nodes, swarm.before):
        try:
            wait_until(lambda n=node, b=before: n.resources() == b, "as before")
        except AssertionError:
            assert node.resources() == before
