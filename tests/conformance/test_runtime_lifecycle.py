# SPDX-License-Identifier: Apache-2.0
"""runtime.md: the steps of the lifecycle, errors and warnings."""

import json
import os

import pytest

from clauses import clause
from lib import system
from lib.hooks import BEFORE_PIVOT, Hooked

INVOKED = {
    "prestart": "lifecycle-3-prestart",
    "createRuntime": "lifecycle-4-createRuntime",
    "createContainer": "lifecycle-5-createContainer",
    "startContainer": "lifecycle-7-startContainer",
    "poststart": "lifecycle-9-poststart",
    "poststop": "lifecycle-13-poststop",
}


def kinds(*chosen, suffix=""):
    return [pytest.param(kind, marks=clause(INVOKED[kind] + suffix)) for kind in chosen]


@pytest.fixture
def hooked(container, workdir):
    """A container whose program writes down that it runs, and to which hooks can be added."""

    def make(shell="echo program >> /out/order; exec sleep 100"):
        return Hooked(container(shell=shell), f"{workdir}/out")

    return make


@clause("lifecycle-2-environment", "lifecycle-2-resources")
def test_the_environment_is_there_before_the_program(container, cgroup_parent):
    made = container("sleep", "100")
    made.bundle.cgroup(f"{cgroup_parent}/made").mount("/mnt", "tmpfs", kind="tmpfs")
    made.bundle.config["hostname"] = "asked-for"
    made.create()
    assert system.cgroup_paths(made.pid)["pids" if system.on_cgroup_v1() else ""] == f"{cgroup_parent}/made"
    for kind in ("pid", "net", "ipc", "uts", "mnt"):
        assert system.namespace(made.pid, kind) != system.namespace("self", kind)
    assert system.mount_at(system.mounts_of(made.pid), "/mnt").type == "tmpfs"
    assert made.exec_ok("hostname") == "asked-for\n"


@clause("lifecycle-2-error")
def test_an_environment_that_cannot_be_made_is_an_error(container, refused):
    made = container("true")
    made.bundle.mount("/mnt", "/no/such/source", "bind")
    refused(made)


@clause("lifecycle-2-program", "create-args")
def test_create_does_not_run_the_program(hooked):
    made = hooked()
    made.made.create()
    assert made.made.status == "created" and not made.wrote("order")
    made.made.kill("KILL")
    made.made.wait()
    assert not made.wrote("order")


@clause("lifecycle-2-updates")
def test_a_later_change_of_the_config_has_no_effect(container):
    made = container(shell="hostname; echo $VALUE; sleep 100")
    made.bundle.process["env"].append("VALUE=before")
    made.create()
    made.bundle.config["hostname"] = "changed"
    made.bundle.process["env"][-1] = "VALUE=after"
    made.bundle.args("true")
    made.bundle.write()
    made.start()
    made.wait_output("before\n")
    assert made.output == "box\nbefore\n"
    made.bundle.write("not JSON any more")
    assert made.exec_ok("sh", "-c", "echo $VALUE") == "before\n"
    made.stop()
    made.delete()


@pytest.mark.parametrize("kind", kinds(*INVOKED))
def test_hooks_are_invoked(hooked, kind):
    made = hooked().add(kind, "echo hook > $OUT/hook").go_through(kind)
    assert made.written("hook") == "hook\n"


@pytest.mark.parametrize("kind", kinds(*BEFORE_PIVOT, suffix="-fails"))
def test_a_hook_that_fails_in_create_is_the_end_of_the_container(hooked, kind):
    made = hooked().add(kind, 'grep -o \'"pid": *[0-9]*\' | grep -o "[0-9]*$" > $OUT/pid; exit 7')
    made.add(kind, "touch $OUT/next").add("poststop", "cat > $OUT/poststop")
    made.fail_at(kind)
    assert not made.wrote("next") and not made.wrote("order")
    assert made.written("pid").strip()
    made.made.runtime.fails("state", made.made.id)
    assert not made.made.exists
    assert json.loads(made.written("poststop"))["status"] == "stopped"


@pytest.mark.parametrize("kind", kinds("startContainer", "poststart", suffix="-fails"))
def test_a_hook_that_fails_in_start_stops_the_container(hooked, kind):
    """Step 12 is delete's; it is shown that nothing but delete is wanted for it."""
    made = hooked().add(kind, "exit 7").add(kind, "touch $OUT/next").add("poststop", "echo once >> $OUT/poststop")
    made.fail_at(kind)
    made.made.wait()
    assert not made.wrote("next")
    assert made.wrote("order") <= (kind == "poststart")
    if made.made.exists:
        assert made.made.status == "stopped"
        made.made.delete()
    made.made.runtime.fails("state", made.made.id)
    assert made.written("poststop") == "once\n"


@clause("lifecycle-8-program")
def test_start_runs_the_program(hooked):
    made = hooked(shell="echo program $0 >> /out/order")
    made.made.create()
    assert not made.wrote("order")
    made.made.start()
    made.made.wait()
    assert made.written("order") == "program sh\n"


@clause("lifecycle-12-destroyed")
def test_delete_undoes_what_create_made(container, cgroup_parent):
    """Mounts, processes and network interfaces are compared by the fixture."""
    made = container("sleep", "100")
    made.bundle.cgroup(f"{cgroup_parent}/made")
    made.up()
    directory = system.cgroup_directory(made.pid, "pids")
    made.stop()
    made.delete()
    assert not made.exists
    with pytest.raises(FileNotFoundError):
        open(f"{directory}/cgroup.procs", encoding="utf-8").close()


@clause("lifecycle-13-poststop-fails", "warnings-continue")
def test_a_poststop_hook_that_fails_is_a_warning(hooked, workdir):
    made = hooked().add("poststop", "exit 7")
    made.made.up()
    made.made.stop()
    flags = made.made.runtime.global_flags
    made.made.runtime.global_flags = [*flags, "--log", f"{workdir}/log", "--log-format", "json"]
    made.made.delete()
    made.made.runtime.global_flags = flags
    assert not made.made.exists
    with open(f"{workdir}/log", encoding="utf-8") as log:
        assert "warning" in {json.loads(line)["level"] for line in log}


@clause("lifecycle-13-poststop-fails")
def test_the_poststop_hooks_after_one_that_fails_are_run(hooked):
    made = hooked().add("poststop", "exit 7").add("poststop", "touch $OUT/next").go_through("poststop")
    assert made.wrote("next")


@clause("errors-undone")
def test_an_error_leaves_everything_as_it_was(container, refused, cgroup_parent, workdir):
    """Mounts, processes and files in /run are compared by the fixture."""
    made = container("true")
    made.bundle.cgroup(f"{cgroup_parent}/made").mount("/mnt", "tmpfs", kind="tmpfs")
    Hooked(made, f"{workdir}/out").add("createContainer", "exit 1")
    for hierarchy in system.cgroup_hierarchies().values():
        os.mkdir(hierarchy + cgroup_parent)
    root = sorted(os.listdir(made.bundle.rootfs))
    refused(made)
    for hierarchy in system.cgroup_hierarchies().values():
        assert not [entry for entry in os.scandir(hierarchy + cgroup_parent) if entry.is_dir()]
    assert set(os.listdir(made.bundle.rootfs)) - set(root) <= {"mnt", "out"}


@clause("warnings-continue", "capabilities-warning")
def test_a_capability_that_is_not_known_is_a_warning(container, workdir):
    made = container("echo", "ran")
    made.bundle.process["capabilities"]["bounding"] = ["CAP_KILL", "CAP_NO_SUCH"]
    flags = made.runtime.global_flags
    made.runtime.global_flags = [*flags, "--log", f"{workdir}/log", "--log-format", "json"]
    assert made.run_ok() == "ran\n"
    made.runtime.global_flags = flags
    with open(f"{workdir}/log", encoding="utf-8") as log:
        warnings = [entry["msg"] for entry in map(json.loads, log) if entry["level"] == "warning"]
    assert any("CAP_NO_SUCH" in warning for warning in warnings)
