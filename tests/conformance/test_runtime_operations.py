# SPDX-License-Identifier: Apache-2.0
"""runtime.md: state, create, start, kill and delete, and runtime-linux.md."""

import os
import signal

import pytest

from clauses import clause, each
from lib import system


@pytest.fixture
def made(container):
    return container("sleep", "100")


@clause("operations-supported")
@pytest.mark.parametrize("verb", ["state", "create", "start", "kill", "delete"])
def test_the_operation_is_supported(runtime, verb):
    assert verb in runtime.ok(verb, "--help").stdout


@pytest.mark.parametrize(
    "verb", each(["state", "start", "kill", "delete"], "{}-without-id") + each(["create"], "{}-without-arguments")
)
def test_without_an_id_it_is_an_error(made, verb):
    made.create()
    made.runtime.fails(verb)
    made.runtime.fails(verb, "")
    assert made.status == "created"


@clause("create-without-arguments")
def test_create_without_a_bundle_is_an_error(runtime, workdir):
    """The directory that it is called in would be one; here it isn't."""
    os.mkdir(f"{workdir}/empty")
    runtime.fails("create", runtime.new_id(), cwd=f"{workdir}/empty")
    assert runtime.list() == []


# ---- state ----


@clause("state-unknown")
def test_the_state_of_no_container_is_an_error(runtime):
    assert runtime.fails("state", "nosuchcontainer").stdout == ""


@clause("state-returns")
def test_state_returns_the_state(made):
    made.up()
    state = made.state()
    assert {"ociVersion", "id", "status", "pid", "bundle"} <= set(state)
    assert (state["id"], state["status"], state["pid"]) == (made.id, "running", made.pid)


# ---- create ----


@clause("create-id-taken")
@pytest.mark.parametrize("status", ["created", "running", "stopped"])
def test_an_id_that_is_taken_is_an_error(made, container, status):
    made.create()
    if status != "created":
        made.start()
    if status == "stopped":
        made.stop()
    other = container("true")
    other.bundle.write()
    other.runtime.fails("create", "--bundle", other.bundle.path, made.id)
    assert made.status == status and made.state()["bundle"] == made.bundle.path


@clause("create-id-invalid")
@pytest.mark.parametrize("id_", ["", ".", "..", "a/b", "../a", "a b", "a\nb"], ids=repr)
def test_an_invalid_id_is_an_error(runtime, bundle, id_):
    made = bundle().write()
    runtime.fails("create", "--bundle", made.path, id_)
    assert runtime.list() == []


@clause("create-creates")
def test_create_makes_a_container(made):
    made.create()
    assert made.status == "created" and system.process_alive(made.pid)
    assert [entry["id"] for entry in made.runtime.list()] == [made.id]


@clause("create-properties")
def test_every_other_property_is_applied_by_create(made):
    made.bundle.mount("/mnt", "tmpfs", "size=64k", kind="tmpfs").with_namespace("cgroup")
    made.bundle.linux["sysctl"] = {"kernel.shmmni": "77"}
    made.bundle.resources["pids"] = {"limit": 77}
    made.create()
    mounts = system.mounts_of(made.pid)
    assert "size=64k" in system.mount_at(mounts, "/mnt").super_options
    assert "ro" in system.mount_at(mounts, "/").options
    assert system.cgroup_read(made.pid, "pids", "pids.max") == "77"
    assert made.exec_ok("cat", "/proc/sys/kernel/shmmni", "/proc/sys/kernel/hostname") == "77\nbox\n"


@clause("create-cannot-apply")
@pytest.mark.parametrize("what", ["mount", "namespace", "sysctl", "root", "limit"])
def test_a_property_that_cannot_be_applied_is_an_error(made, refused, what):
    if what == "mount":
        made.bundle.mount("/mnt", "nosuchtype", kind="nosuchtype")
    elif what == "namespace":
        made.bundle.with_namespace("network", "/no/such/namespace")
    elif what == "sysctl":
        made.bundle.linux["sysctl"] = {"net.no.such": "1"}
    elif what == "root":
        made.bundle.config["root"]["path"] = "/no/such/root"
    else:
        made.bundle.resources["cpu"] = {"cpus": "5000"}
    refused(made)


# ---- start ----


@clause("start-not-created")
def test_a_running_container_is_not_started_again(container):
    made = container(shell="echo ran; sleep 100").up()
    made.wait_output("ran\n")
    made.runtime.fails("start", made.id)
    assert made.status == "running" and made.output == "ran\n"


@clause("start-not-created")
def test_a_stopped_container_is_not_started_again(container):
    made = container("echo", "ran").up()
    made.wait()
    made.runtime.fails("start", made.id)
    assert made.status == "stopped" and made.output == "ran\n"


@clause("start-not-created")
def test_a_container_that_does_not_exist_is_not_started(runtime):
    runtime.fails("start", "nosuchcontainer")
    assert runtime.list() == []


@clause("start-runs")
def test_start_runs_the_program_as_specified(container):
    made = container(shell='echo "$0 $1 $PWD $HOME $(id -u):$(id -g)"')
    made.bundle.process.update(cwd="/tmp", user={"uid": 1000, "gid": 1000}, env=["HOME=/h", "PATH=/bin"])
    made.bundle.process["args"] += ["zero", "one"]
    made.up()
    made.wait()
    assert made.output == "zero one /tmp /h 1000:1000\n"


@clause("start-without-process", "process-required")
def test_there_is_nothing_to_start_without_a_process(container):
    """It is refused by create, which the specification would let go on; so there is never anything to start."""
    made = container()
    del made.bundle.config["process"]
    made.bundle.write()
    made.runtime("create", "--bundle", made.bundle.path, made.id)
    made.runtime.fails("start", made.id)


# ---- kill ----


@clause("kill-not-running")
@pytest.mark.parametrize("sig", ["TERM", "KILL", "0"])
def test_a_stopped_container_gets_no_signal(made, sig):
    made.up()
    made.stop()
    made.runtime.fails("kill", made.id, sig)
    assert made.status == "stopped"


@clause("kill-not-running")
def test_a_container_that_does_not_exist_gets_no_signal(runtime):
    runtime.fails("kill", "nosuchcontainer", "TERM")


@clause("kill-sends")
@pytest.mark.parametrize("sig", ["TERM", "USR1", "15", "SIGHUP", "RTMIN+3"])
def test_a_running_container_gets_the_signal(container, sig):
    number = (
        int(sig) if sig.isdigit() else 37 if "+" in sig else getattr(signal, "SIG" + sig.removeprefix("SIG")).value
    )
    made = container(shell=f"trap 'echo got {number}; exit' {number}; echo ready; while :; do sleep 0.05; done")
    made.up()
    made.wait_output("ready\n")
    made.kill(sig)
    made.wait()
    assert made.output == f"ready\ngot {number}\n"


@clause("kill-sends")
def test_a_created_container_gets_the_signal(made):
    made.create()
    made.kill("KILL")
    made.wait()
    assert made.status == "stopped"


# ---- delete ----


@clause("delete-not-stopped-running")
def test_a_running_container_is_not_deleted(made):
    made.up()
    made.runtime.fails("delete", made.id)
    assert made.status == "running" and system.process_alive(made.pid)


@pytest.mark.xfail(strict=True, reason="as with runc and crun, whose callers delete a container that was never started")
@clause("delete-not-stopped-created")
def test_a_created_container_is_not_deleted(made):
    made.create()
    made.runtime.fails("delete", made.id)
    assert made.status == "created" and system.process_alive(made.pid)


@clause("delete-not-stopped-running")
def test_a_container_that_does_not_exist_is_not_deleted(runtime):
    runtime.fails("delete", "nosuchcontainer")


@clause("delete-resources")
def test_what_create_made_is_deleted_and_the_id_can_be_used_again(made):
    made.up()
    directories = {root + path for (label, root) in system.cgroup_hierarchies().items()
                   for path in [system.cgroup_paths(made.pid).get(label, "")] if made.id in path}
    assert directories
    made.stop()
    made.delete()
    assert not [directory for directory in directories if os.path.exists(directory)]
    made.up()
    assert made.status == "running"


@clause("delete-resources-of-others")
def test_what_others_made_is_not_deleted(container, cgroup_parent, workdir):
    """A cgroup above, a namespace that it joined, a directory that it shows, and its bundle."""
    first = container("sleep", "100").up()
    made = container("sleep", "100")
    made.bundle.cgroup(f"{cgroup_parent}/made").with_namespace("network", f"/proc/{first.pid}/ns/net")
    made.bundle.mount("/mnt", workdir, "bind")
    parents = [root + cgroup_parent for root in system.cgroup_hierarchies().values()]
    for parent in parents:
        os.mkdir(parent)
    made.up()
    made.stop()
    made.delete()
    assert not [parent for parent in parents if not os.path.exists(parent)]
    assert first.status == "running" and first.exec_ok("ls", "/sys/class/net") == "lo\n"
    assert os.path.exists(f"{made.bundle.path}/config.json") and os.path.exists(f"{made.bundle.rootfs}/bin/sh")
    assert os.path.isdir(workdir)


# ---- runtime-linux.md ----

LINKS = {"fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1", "stderr": "/proc/self/fd/2"}


@clause("dev-links")
@pytest.mark.parametrize("name", LINKS)
def test_the_links_in_dev(container, name):
    assert container("readlink", f"/dev/{name}").run_ok() == f"{LINKS[name]}\n"
