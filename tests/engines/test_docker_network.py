# SPDX-License-Identifier: Apache-2.0
"""docker run: networks, and namespaces that are shared."""

import os

import pytest

from lib import system


def test_no_network(docker):
    docker.same(["--network", "none"], "ls", "/sys/class/net", output="lo\n")


@pytest.mark.full
def test_the_hosts_network(docker):
    seen = docker.same(
        ["--network", "host"], "sh", "-c", "ls /sys/class/net; ip -4 addr show up0 | grep -o 10.99.0.1; hostname"
    )
    assert "10.99.0.1" in seen.stdout and "docker0" in seen.stdout


def test_a_published_port_on_the_bridge(docker):
    def scenario(runtime):
        port = "8081" if runtime == "runc" else "8082"
        box = docker.up(
            runtime,
            ["-p", f"{port}:80"],
            "sh",
            "-c",
            "mkdir /w; echo hello >/w/index.html; httpd -p 80 -h /w; echo up; exec sleep 100",
        )
        box.logged("up")
        address = box.ok("inspect", "--format", "{{.NetworkSettings.IPAddress}}")
        fetch = ["busybox", "wget", "-q", "-O", "-"]
        published = docker.place.inside(*fetch, f"http://10.99.0.1:{port}/")
        direct = docker.place.inside(*fetch, f"http://{address}/")
        return published.stdout, direct.stdout, box.exec_ok(
            [], "sh", "-c", "ls /sys/class/net; ip route | cut -d' ' -f1"
        )

    assert docker.both(scenario)[:2] == ("hello\n", "hello\n")


@pytest.mark.full
def test_two_containers_on_a_network_of_their_own(docker):
    """With names, by Docker's own resolver, which a hook reaches through the container's namespace."""

    def scenario(runtime):
        network = docker.name()
        docker.ok("network", "create", network)
        try:
            box = docker.up(
                runtime,
                ["--network", network, "--network-alias", "web"],
                "sh",
                "-c",
                "nc -l -p 99 -e echo hi; exec sleep 100",
            )
            other = docker.run(
                runtime,
                ["--network", network],
                ["sh", "-c", "until nc web 99; do usleep 10000; done; cat /etc/resolv.conf | grep ^nameserver"],
            )
            box.ok("rm", "--force")
            return other.status, other.stdout
        finally:
            docker.ok("network", "rm", network)

    assert docker.both(scenario) == (0, "hi\nnameserver 127.0.0.11\n")


@pytest.mark.full
def test_connecting_a_running_container_to_a_network(docker):
    def scenario(runtime):
        network = docker.name()
        docker.ok("network", "create", network)
        try:
            box = docker.up(runtime, ["--network", "bridge"], "sleep", "100")
            docker.ok("network", "connect", network, box.name)
            two = box.exec_ok([], "ls", "/sys/class/net")
            docker.ok("network", "disconnect", network, box.name)
            one = box.exec_ok([], "ls", "/sys/class/net")
            box.ok("rm", "--force")
            return two.split(), one.split()
        finally:
            docker.ok("network", "rm", network)

    assert docker.both(scenario) == (["eth0", "eth1", "lo"], ["eth0", "lo"])


SHARED = {"network": "net", "ipc": "ipc", "pid": "pid"}


@pytest.mark.parametrize("kind", ["network", pytest.param("ipc", marks=pytest.mark.full), "pid"])
def test_a_namespace_of_another_container(docker, kind):
    def scenario(runtime):
        first = docker.up(runtime, ["--ipc", "shareable"], "sleep", "100")
        second = docker.up(runtime, [f"--{kind}", f"container:{first.name}"], "sleep", "200")
        pids = first.pid, second.pid
        kinds = ("net", "ipc", "pid", "uts", "mnt")
        same = {name for name in kinds if len({system.namespace(pid, name) for pid in pids}) == 1}
        second.ok("kill")
        return same, second.wait(), first.status

    assert docker.both(scenario) == ({SHARED[kind]}, 137, "running")


@pytest.mark.parametrize(
    "kind", [pytest.param("ipc", marks=pytest.mark.full), "pid", pytest.param("uts", marks=pytest.mark.full)]
)
def test_a_namespace_of_the_hosts(docker, kind):
    def scenario(runtime):
        box = docker.up(runtime, [f"--{kind}", "host"], "sleep", "100")
        shared = system.namespace(box.pid, kind) == system.namespace("self", kind)
        box.ok("kill")
        return shared, box.wait()

    assert docker.both(scenario) == (True, 137)


@pytest.mark.full
def test_with_the_hosts_processes_all_of_the_containers_are_killed(docker):
    def scenario(runtime):
        box = docker.up(runtime, ["--pid", "host"], "sh", "-c", "sleep 111 & echo up; exec sleep 100")
        pids = system.cgroup_pids(box.logged("up").pid)
        box.ok("kill")
        box.wait()
        system.wait_until(lambda: not any(map(system.process_alive, pids)), "all of them have ended")
        return len(pids)

    assert docker.both(scenario) == 2


def test_hostname_and_domain(docker):
    docker.same(
        ["--hostname", "box", "--domainname", "example.org"],
        "sh",
        "-c",
        "hostname; cat /proc/sys/kernel/domainname /etc/hostname",
        output="box\nexample.org\nbox\n",
    )


@pytest.mark.full
def test_an_ipc_namespace_that_is_private(docker):
    docker.same(["--ipc", "private"], "sh", "-c", "grep ' /dev/\\(shm\\|mqueue\\) ' /proc/mounts | cut -d' ' -f1,2,3,4")
    docker.same(["--ipc", "none"], "sh", "-c", "grep -c ' /dev/shm ' /proc/mounts", status=1, output="0\n")


@pytest.mark.full
def test_every_namespace_is_new(docker):
    def scenario(runtime):
        box = docker.up(runtime, [], "sleep", "100")
        kinds = [name for name in os.listdir("/proc/self/ns") if not name.endswith("_for_children")]
        return sorted(name for name in kinds if system.namespace(box.pid, name) != system.namespace("self", name))

    docker.both(scenario)
