# SPDX-License-Identifier: Apache-2.0
"""config.md: hooks."""

import json
import os

import pytest

from clauses import HOOKS, clause, each
from lib import system
from lib.hooks import IN_THE_CONTAINERS_NAMESPACES, READ_NAMESPACES, STATUS, Hooked, namespaces


@pytest.fixture
def hooked(container, workdir):
    def make(shell="echo program >> /out/order; exec sleep 100"):
        return Hooked(container(shell=shell), f"{workdir}/out")

    return make


@pytest.mark.parametrize("kind", each(HOOKS, "hook-path-absolute-{}"))
@pytest.mark.parametrize("hook", [{"path": "bin/sh"}, {"path": ""}, {"args": ["sh"]}], ids=json.dumps)
def test_a_path_that_is_not_absolute_is_an_error(container, refused, kind, hook):
    made = container("true")
    made.bundle.config["hooks"] = {kind: [hook]}
    refused(made)


@pytest.mark.parametrize("kind", each(HOOKS, "hook-timeout-{}"))
@pytest.mark.parametrize("timeout", [0, -1])
def test_a_timeout_that_is_not_greater_than_zero_is_an_error(hooked, refused, kind, timeout):
    made = hooked().add(kind, "true", timeout=timeout)
    refused(made.made)


@pytest.mark.parametrize("kind", each(HOOKS, "hook-resolves-{}"))
def test_where_a_path_resolves(hooked, kind, workdir):
    """A program that is on one side only: it says that it ran, and with what arguments."""
    made = hooked()
    inside = kind == "startContainer"
    path = f"{made.made.bundle.rootfs}/only-here" if inside else f"{workdir}/only-here"
    with open(path, "w", encoding="utf-8") as program:
        program.write(f'#!/bin/sh\necho "$1" > {made.out(kind)}/hook\n')
    os.chmod(path, 0o755)
    made.made.bundle.config["hooks"] = {
        kind: [{"path": "/only-here" if inside else path, "args": ["only-here", "one"], "env": ["PATH=/bin"]}]
    }
    made.go_through(kind)
    assert made.written("hook") == "one\n"


@pytest.mark.parametrize("kind", each(HOOKS, "hook-executed-{}"))
def test_in_whose_namespaces_it_is_executed(hooked, kind):
    made = hooked().add(kind, f"{{ {READ_NAMESPACES}; }} > $OUT/namespaces")
    made.made.create()
    expected = namespaces(made.made.pid if kind in IN_THE_CONTAINERS_NAMESPACES else "self")
    if kind not in ("prestart", "createRuntime", "createContainer"):
        made.made.start()
    if kind == "poststop":
        made.made.stop()
        made.made.delete()
    assert dict(line.split() for line in made.written("namespaces").splitlines()) == expected


@pytest.mark.parametrize("kind", each(HOOKS, "hook-order-{}"))
def test_hooks_are_called_in_the_listed_order(hooked, kind):
    made = hooked("sleep 100")
    for number in (3, 1, 2):
        made.add(kind, f"echo {number} >> $OUT/order")
    made.go_through(kind)
    assert made.written("order").split() == ["3", "1", "2"]


@pytest.mark.parametrize("kind", each(HOOKS, "hook-state-{}"))
def test_the_state_is_passed_over_stdin(hooked, kind):
    made = hooked().add(kind, "cat > $OUT/state")
    made.made.bundle.config["annotations"] = {"key": "value"}
    made.go_through(kind)
    state = json.loads(made.written("state"))
    assert state["ociVersion"].startswith("1.")
    assert (state["id"], state["bundle"]) == (made.made.id, made.made.bundle.path)
    assert state["status"] == STATUS[kind]
    assert state["annotations"] == {"key": "value"}


# ---- when ----

# Before pivot_root the root of the container's process is still the host's, and what will be its root is mounted.
_BEFORE_PIVOT = """
pid=$(grep -o '"pid": *[0-9]*' | grep -o '[0-9]*$')
stat -Lc %d:%i /proc/$pid/root > $OUT/root
readlink /proc/$pid/ns/mnt > $OUT/mnt
cat /proc/$pid/mountinfo > $OUT/mountinfo
"""


def _assert_before_pivot(made):
    host = os.stat("/")
    assert made.written("root").split() == [f"{host.st_dev}:{host.st_ino}"]
    assert made.written("mnt").strip() == system.namespace(made.made.pid, "mnt")
    targets = {mount.target for mount in system.parse_mounts(made.written("mountinfo"))}
    assert any(target.endswith("/mnt/made") for target in targets), sorted(targets)


@pytest.mark.parametrize("kind", each(["prestart", "createRuntime"], "{}-when"))
def test_before_pivot_root_with_the_environment_made(hooked, kind):
    made = hooked().add(kind, _BEFORE_PIVOT)
    made.made.bundle.mount("/mnt/made", "tmpfs", kind="tmpfs")
    os.makedirs(f"{made.made.bundle.rootfs}/mnt/made")
    made.made.create()
    assert not made.wrote("order")
    _assert_before_pivot(made)


@clause("createContainer-when")
def test_createContainer_is_before_pivot_root_with_the_environment_made(hooked):
    made = hooked().add(
        "createContainer",
        "stat -Lc %d:%i / > $OUT/root; readlink /proc/self/ns/mnt > $OUT/mnt; "
        "cat /proc/self/mountinfo > $OUT/mountinfo",
    )
    made.made.bundle.mount("/mnt/made", "tmpfs", kind="tmpfs")
    os.makedirs(f"{made.made.bundle.rootfs}/mnt/made")
    made.made.create()
    assert not made.wrote("order")
    _assert_before_pivot(made)


@clause("prestart-first", "createContainer-after")
def test_the_kinds_of_create_are_called_one_after_another(hooked):
    made = hooked().add_all("echo KIND >> $OUT/order", ("createContainer", "createRuntime", "prestart"))
    made.made.create()
    assert made.written("order").split() == ["prestart", "createRuntime", "createContainer"]


@clause("startContainer-when")
def test_startContainer_is_part_of_start_and_before_the_program(hooked):
    made = hooked().add("startContainer", "echo hook >> $OUT/order; sleep 0.1")
    made.made.create()
    assert not made.wrote("order")
    made.made.start()
    system.wait_until(lambda: made.written("order") == "hook\nprogram\n", "the hook, then the program")


@clause("poststart-when")
def test_poststart_is_after_the_program_and_before_start_returns(hooked):
    script = (
        "pid=$(grep -o '\"pid\": *[0-9]*' | grep -o '[0-9]*$'); "
        "readlink /proc/$pid/exe > $OUT/exe; sleep 0.1; touch $OUT/done"
    )
    made = hooked("exec sleep 100").add("poststart", script)
    made.made.create()
    assert not made.wrote("exe")
    made.made.start()
    assert made.wrote("done") and os.path.basename(made.written("exe").strip()) == "busybox"


@clause("poststop-when")
def test_poststop_is_after_the_container_is_deleted_and_before_delete_returns(hooked):
    made = hooked()
    state = " ".join(made.made.runtime.argv("state", made.made.id))
    made.add("poststop", f"{state} > $OUT/state 2>&1; echo $? > $OUT/status; sleep 0.1; touch $OUT/done")
    made.made.up()
    cgroup = system.cgroup_directory(made.made.pid, "pids")
    made.add("poststop", "true")
    made.made.stop()
    assert not made.wrote("status")
    made.made.delete()
    assert made.wrote("done") and made.written("status") != "0\n"
    assert "does not exist" in made.written("state") and not os.path.exists(cgroup)
