# SPDX-License-Identifier: Apache-2.0
"""Swarm: a manager of one node, whose tasks run under the daemon's default runtime."""

import pytest

from lib.docker import IMAGE
from lib.swarm import CREATE, SWARM_IMAGE
from lib.system import wait_until

pytestmark = [pytest.mark.full, pytest.mark.limit(180)]


@pytest.fixture(params=["runlxc", "runc"])
def swarm(docker, request):
    docker.restart("--default-runtime", request.param)
    docker.ok("tag", IMAGE, SWARM_IMAGE)
    docker.ok("swarm", "init", "--advertise-addr", "10.99.0.1")
    docker.runtime = request.param
    yield docker
    for service in docker.ok("service", "ls", "--quiet").split():
        docker.ok("service", "rm", service)
    wait_until(lambda: not docker.ok("ps", "--quiet"), "every task has ended", 60)
    docker.ok("swarm", "leave", "--force")
    docker.ok("rmi", SWARM_IMAGE)
    docker.clear()
    for network in docker.ok("network", "ls", "--quiet", "--filter", "name=docker_gwbridge").split():
        docker.ok("network", "rm", network)
    docker.restart()


def _running(swarm, service):
    rows = swarm.ok("service", "ps", "--filter", "desired-state=running", "--format", "{{.CurrentState}}", service)
    return sum(row.startswith("Running") for row in rows.splitlines())


def _runtimes(swarm, service):
    ids = swarm.ok("ps", "--quiet", "--filter", f"label=com.docker.swarm.service.name={service}").split()
    return {swarm.ok("inspect", "--format", "{{.HostConfig.Runtime}}", id_) for id_ in ids}


def test_a_service_is_run_scaled_updated_and_restarted(swarm):
    name = swarm.name()
    swarm.ok(
        *CREATE,
        "--name",
        name,
        "--replicas",
        "2",
        "--env",
        "WORD=one",
        SWARM_IMAGE,
        "sh",
        "-c",
        "echo $WORD; exec sleep 1000",
    )
    wait_until(lambda: _running(swarm, name) == 2, "two tasks run", 60)
    assert _runtimes(swarm, name) == {swarm.runtime}
    swarm.ok("service", "scale", "--detach", f"{name}=4")
    wait_until(lambda: _running(swarm, name) == 4, "four tasks run", 60)
    first = swarm.ok("ps", "--quiet", "--filter", f"label=com.docker.swarm.service.name={name}").split()[0]
    swarm.ok("kill", first)
    wait_until(
        lambda: _running(swarm, name) == 4 and first not in swarm.ok("ps", "--quiet"), "another takes its place", 60
    )
    swarm.ok(
        "service",
        "update",
        "--detach",
        "--quiet",
        "--no-resolve-image",
        "--stop-grace-period",
        "0s",
        "--env-add",
        "WORD=two",
        name,
    )
    wait_until(lambda: "two" in swarm.ok("service", "logs", "--raw", name), "it says the new word", 60)


def test_secrets_configs_and_limits_reach_a_task(swarm):
    name = swarm.name()
    swarm.ok("secret", "create", "word", "-", stdin=b"hidden\n")
    swarm.ok("config", "create", "text", "-", stdin=b"shown\n")
    try:
        script = "cat /run/secrets/word /text; id -u; stat -c %a /run/secrets/word; exec sleep 1000"
        flags = [
            "--secret",
            "word",
            "--config",
            "text",
            "--user",
            "1000",
            "--limit-memory",
            "64m",
            "--limit-pids",
            "20",
        ]
        swarm.ok(*CREATE, "--name", name, *flags, "--stop-grace-period", "0s", SWARM_IMAGE, "sh", "-c", script)
        wait_until(lambda: swarm.ok("service", "logs", "--raw", name) == "hidden\nshown\n1000\n444", "all is there", 60)
        swarm.ok("service", "rm", name)
    finally:
        swarm("service", "rm", name)
        swarm.ok("secret", "rm", "word")
        swarm.ok("config", "rm", "text")


def test_a_task_that_fails_is_tried_again(swarm):
    name = swarm.name()
    swarm.ok(
        *CREATE,
        "--name",
        name,
        "--restart-condition",
        "on-failure",
        "--restart-max-attempts",
        "2",
        "--restart-delay",
        "0s",
        SWARM_IMAGE,
        "sh",
        "-c",
        "exit 5",
    )
    wait_until(
        lambda: swarm.ok("service", "ps", "--format", "{{.Error}}", "--no-trunc", name).count("non-zero exit (5)") == 3,
        "it failed three times",
        60,
    )
