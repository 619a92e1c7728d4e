# SPDX-License-Identifier: Apache-2.0
"""Hooks of all six kinds: what they get, where and when they run, and what their failure does."""

import json
import os

import pytest

from lib import system
from lib.hooks import (
    BEFORE_PIVOT,
    IN_THE_CONTAINERS_NAMESPACES,
    KINDS,
    READ_NAMESPACES,
    STATUS,
    Hooked,
    namespaces,
)

# Those whose failure is an error.
ERRORS = [kind for kind in KINDS if kind != "poststop"]


def ours(kinds, *named):
    """Of some kinds a test is of runlxc alone: runc 1.1 runs poststart before start, and has its own way with
    those of the container."""
    return [pytest.param(kind, marks=pytest.mark.ours if kind in named else ()) for kind in kinds]


_PID = "$(grep -o '\"pid\": *[0-9]*' | grep -o '[0-9]*$')"


@pytest.fixture
def hooked(container, workdir):
    """A container to which hooks are added; its program writes into the same directory, which is /out to it."""

    def make(shell="echo program >> /out/order; exec sleep 100"):
        return Hooked(container(shell=shell), f"{workdir}/out")

    return make


# ---- what a hook gets ----


@pytest.mark.parametrize("kind", ours(KINDS, "poststart"))
def test_a_hook_gets_the_state_on_its_standard_input(hooked, kind):
    made = hooked().add(kind, "cat > $OUT/seen")
    made.made.bundle.config["annotations"] = {"key": "value"}
    made.go_through(kind)
    state = json.loads(made.written("seen"))
    assert state["ociVersion"].startswith("1.")
    assert (state["id"], state["bundle"]) == (made.made.id, made.made.bundle.path)
    assert state["annotations"] == {"key": "value"}
    assert state["status"] == STATUS[kind]


@pytest.mark.parametrize("kind", KINDS[:-1])
def test_a_hook_is_told_the_pid_as_it_sees_it(hooked, kind):
    made = hooked().add(kind, "cat > $OUT/seen").go_through(kind)
    assert json.loads(made.written("seen"))["pid"] == (
        1 if kind in IN_THE_CONTAINERS_NAMESPACES else made.made.pid
    )


@pytest.mark.parametrize("kind", KINDS)
def test_a_hook_need_not_read_its_standard_input(hooked, kind):
    made = hooked().add(kind, "exec 0<&-; touch $OUT/ran")
    made.made.bundle.config["annotations"] = {f"key{number}": "x" * 10000 for number in range(30)}
    made.go_through(kind)
    assert made.wrote("ran")


@pytest.mark.parametrize("kind", KINDS)
def test_arguments_and_environment_are_exactly_as_given(hooked, kind):
    made = hooked()
    out = made.out(kind)
    script = f"tr '\\0' '\\n' < /proc/$$/environ > {out}/environment; echo \"$0|$1|$2\" > {out}/args"
    # Not `env`: a shell adds to that. /proc/PID/environ is what was given to exec.
    made.made.bundle.config["hooks"] = {
        kind: [
            {
                "path": "/bin/sh",
                "args": ["sh", "-c", script, "zero", "a b", ""],
                "env": ["PATH=/usr/bin:/bin", "TWO=a b", "EMPTY="],
            }
        ]
    }
    if kind == "createContainer":
        made.made.bundle.without_namespace("pid")  # $$ is a number of another namespace than the host's procfs
    made.go_through(kind)
    assert made.written("args") == "zero|a b|\n"
    assert made.written("environment").splitlines() == ["PATH=/usr/bin:/bin", "TWO=a b", "EMPTY="]


@pytest.mark.parametrize("kind", ours(KINDS, "createContainer", "startContainer"))
def test_no_descriptor_of_the_runtimes_reaches_a_hook(hooked, kind):
    made = hooked().add(kind, "ls /proc/self/fd > $OUT/fds").go_through(kind)
    assert set(made.written("fds").split()) <= {"0", "1", "2", "3"}  # 3 is what ls itself has open


# ---- where it runs ----


@pytest.mark.parametrize("kind", KINDS)
def test_in_whose_namespaces_it_runs(hooked, kind):
    made = hooked().add(kind, f"{{ {READ_NAMESPACES}; }} > $OUT/namespaces")
    made.made.create()
    expected = namespaces(made.made.pid if kind in IN_THE_CONTAINERS_NAMESPACES else "self")
    if kind not in BEFORE_PIVOT:
        made.made.start()
    if kind == "poststop":
        made.made.stop()
        made.made.delete()
    assert dict(line.split() for line in made.written("namespaces").splitlines()) == expected


@pytest.mark.parametrize("kind", KINDS)
def test_which_root_it_has(hooked, kind):
    made = hooked().add(kind, "stat -Lc %d:%i / > $OUT/root")
    made.made.create()
    root = os.stat(f"/proc/{made.made.pid}/root" if kind == "startContainer" else "/")
    if kind not in BEFORE_PIVOT:
        made.made.start()
    if kind == "poststop":
        made.made.stop()
        made.made.delete()
    assert made.written("root") == f"{root.st_dev}:{root.st_ino}\n"


@pytest.mark.parametrize("kind", ["prestart", "createRuntime"])
def test_the_process_that_a_hook_is_told_of_has_not_changed_its_root_yet(hooked, kind):
    made = hooked().add(kind, f"pid={_PID}; stat -Lc %d:%i /proc/$pid/root > $OUT/root").go_through(kind)
    root = os.stat("/")
    assert made.written("root") == f"{root.st_dev}:{root.st_ino}\n"


@pytest.mark.parametrize("kind", BEFORE_PIVOT)
def test_the_mounts_are_made_by_then(hooked, kind):
    """By its path on the host, in the container's mount namespace."""
    made = hooked()
    os.mkdir(f"{made.directory}/bound")
    with open(f"{made.directory}/bound/file", "w", encoding="utf-8") as file:
        file.write("text\n")
    made.made.bundle.mount("/mnt/bound", f"{made.directory}/bound", "bind")
    look = f"cd {made.made.bundle.path}/rootfs && test -L proc/self && cat mnt/bound/file > $OUT/file"
    enter = "" if kind == "createContainer" else f"nsenter -t {_PID} -m "
    made.add(kind, f"{enter}sh -c '{look}'").go_through(kind)
    assert made.written("file") == "text\n"


@pytest.mark.parametrize("kind", ["prestart", "createRuntime"])
def test_a_hook_acts_on_the_containers_network_as_dockers_does(hooked, kind):
    """It enters the network namespace of the pid it was told."""
    made = hooked().add(kind, f"nsenter -t {_PID} -n ip link set lo mtu 1234").go_through(kind)
    made.made.start()
    assert made.made.exec_ok("cat", "/sys/class/net/lo/mtu") == "1234\n"


@pytest.mark.parametrize("kind", ["prestart", "createRuntime"])
def test_what_a_hook_mounts_into_the_root_by_its_path_on_the_host_is_seen_by_the_container(hooked, kind):
    """As tools for devices do, through the container's mount namespace."""
    made = hooked("cat /hooked/file; cat /proc/self/mountinfo; sleep 100")
    target = f"{made.made.bundle.rootfs}/hooked"
    os.mkdir(target)
    script = f'mount -t tmpfs from-a-hook {target} && echo text > {target}/file'
    made.add(kind, f"nsenter -t {_PID} -m sh -c '{script}'")
    made.made.up()
    made.made.wait_output(" - tmpfs from-a-hook ")
    assert made.made.output.startswith("text\n")
    assert not [mount for mount in system.mounts_of("self") if mount.source == "from-a-hook"]


def test_what_a_createContainer_hook_mounts_is_seen_by_the_container(hooked):
    """It is in the container's mount namespace already."""
    made = hooked("cat /hooked/file; sleep 100")
    os.mkdir(f"{made.made.bundle.rootfs}/hooked")
    target = f"{made.made.bundle.rootfs}/hooked"
    made.add("createContainer", f"mount -t tmpfs from-a-hook {target} && echo text > {target}/file")
    made.made.up()
    made.made.wait_output("text\n")


def test_a_startContainer_hook_runs_as_what_the_program_will_be(hooked):
    made = hooked("sleep 100").add("startContainer", "id -u > $OUT/uid; grep Seccomp: /proc/self/status > $OUT/seccomp")
    made.made.bundle.process["user"] = {"uid": 1000, "gid": 1000}
    os.chmod(made.directory, 0o777)
    made.go_through("startContainer")
    assert made.written("uid") == "1000\n"


# ---- when it runs ----


@pytest.mark.ours  # runc 1.1 runs poststart before start
def test_hooks_run_in_their_order(hooked):
    made = hooked("echo program >> /out/order; until [ -e /out/end ]; do usleep 5000; done").add_all(
        "echo KIND >> $OUT/order", reversed(KINDS)
    )
    made.made.create()
    assert made.written("order").split() == list(BEFORE_PIVOT)
    made.made.start()
    system.wait_until(lambda: "program" in made.written("order"), "the program runs")
    order = made.written("order").split()
    assert order[:4] == [*BEFORE_PIVOT, "startContainer"] and sorted(order[4:]) == ["poststart", "program"]
    with open(f"{made.directory}/end", "w", encoding="utf-8"):
        pass
    made.made.wait()
    assert made.written("order").split() == order
    made.made.delete()
    assert made.written("order").split() == [*order, "poststop"]


def test_run_runs_the_hooks(hooked):
    made = hooked("exit 3").add_all("echo KIND >> $OUT/order")
    assert made.made.run().returncode == 3
    order = made.written("order").split()
    assert order[:3] == list(BEFORE_PIVOT) and order[-1] == "poststop" and sorted(order) == sorted(KINDS)


@pytest.mark.ours  # runc 1.1 runs poststart before start
def test_run_detached_runs_the_hooks(hooked):
    made = hooked("exec sleep 100").add_all("echo KIND >> $OUT/order")
    made.made.run("--detach")
    assert made.written("order").split() == list(KINDS[:-1])
    made.made.delete("--force")
    assert made.written("order").split() == list(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_several_hooks_of_a_kind_run_in_their_order(hooked, kind):
    made = hooked("exec sleep 100")
    for number in "312":
        made.add(kind, f"echo {number} >> $OUT/order")
    made.go_through(kind)
    assert made.written("order").split() == ["3", "1", "2"]


def test_exec_runs_no_hook(hooked):
    made = hooked("exec sleep 100").add_all("echo KIND >> $OUT/order")
    made.made.up()
    before = made.written("order")
    made.made.exec_ok("true")
    assert made.written("order") == before


def test_the_poststop_hooks_run_when_a_container_is_deleted_by_force(hooked):
    made = hooked().add("poststop", "echo once >> $OUT/poststop")
    made.made.up().delete("--force")
    assert made.written("poststop") == "once\n"


# ---- what its failure does ----


@pytest.mark.parametrize("kind", BEFORE_PIVOT)
def test_a_hook_that_fails_stops_the_creation_and_leaves_nothing(hooked, kind):
    made = hooked().add(kind, "exit 7").add(kind, "touch $OUT/next")
    result = made.fail_at(kind)
    result.assert_refused("hook", kind, "7")
    assert "hook" in result.stderr
    assert not made.made.exists and not made.wrote("order") and not made.wrote("next")


@pytest.mark.ours  # runc 1.1 runs poststart before start, and says less
@pytest.mark.parametrize("kind", ["startContainer", "poststart"])
def test_a_hook_that_fails_stops_the_start_and_the_container(hooked, kind):
    made = hooked().add(kind, "exit 7").add(kind, "touch $OUT/next").add("poststop", "touch $OUT/poststop")
    made.fail_at(kind).assert_refused("hook", kind, "7")
    made.made.wait()
    assert made.made.status == "stopped" and not made.wrote("next")
    assert not made.wrote("order") or kind == "poststart"
    made.made.delete()
    assert made.wrote("poststop")


@pytest.mark.parametrize("kind", ERRORS)
def test_a_hook_that_fails_ends_a_run_and_leaves_nothing(hooked, kind):
    made = hooked().add(kind, "exit 7")
    result = made.made.run()
    assert result.returncode != 0 and "hook" in result.stderr and not made.made.exists


@pytest.mark.ours
@pytest.mark.parametrize("kind", BEFORE_PIVOT)
def test_the_poststop_hooks_run_after_a_hook_that_ended_the_creation(hooked, kind):
    """runtime.md, lifecycle: it goes on at step 12."""
    made = hooked().add(kind, "exit 7").add("poststop", "cat > $OUT/state")
    made.fail_at(kind)
    state = json.loads(made.written("state"))
    assert (state["id"], state["status"]) == (made.made.id, "stopped")


@pytest.mark.ours
def test_no_hook_runs_for_a_container_that_was_never_there(hooked):
    made = hooked().add_all("touch $OUT/KIND")
    made.made.bundle.mount("/mnt", "/no/such/source", "bind")
    assert made.made.run().returncode != 0
    assert not [kind for kind in KINDS if made.wrote(kind)]


def test_what_a_failing_hook_says_is_told(hooked):
    made = hooked().add("prestart", "echo it is broken >&2; exit 7")
    assert "it is broken" in made.made.run().stderr


@pytest.mark.parametrize("kind", ERRORS)
def test_a_hook_that_is_missing_is_an_error_that_names_it(container, kind):
    made = container("true")
    made.bundle.config["hooks"] = {kind: [{"path": "/no/such/hook"}]}
    result = made.run()
    result.assert_refused("/no/such/hook")
    assert "/no/such/hook" in result.stderr and not made.exists


@pytest.mark.parametrize("kind", ours(ERRORS, "startContainer", "poststart"))
def test_a_hook_that_takes_too_long_is_killed_and_has_failed(hooked, kind):
    seconds = 100000 + os.getpid()  # by which it is found
    made = hooked().add(kind, f"echo $$ > $OUT/pid; exec sleep {seconds}", timeout=1)
    made.fail_at(kind).assert_refused("hook")
    if kind not in IN_THE_CONTAINERS_NAMESPACES:
        assert not system.process_alive(int(made.written("pid")))
    if kind in BEFORE_PIVOT:
        assert not made.made.exists
    assert not [pid for pid in system.pids() if _runs(pid, f"sleep\x00{seconds}\x00")]


def _runs(pid, command):
    try:
        with open(f"/proc/{pid}/cmdline", encoding="utf-8") as file:
            return file.read() == command
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.parametrize("kind", KINDS)
def test_a_hook_that_is_in_time_is_not_killed(hooked, kind):
    made = hooked().add(kind, "sleep 0.1; touch $OUT/done", timeout=20).go_through(kind)
    assert made.wrote("done")


def test_a_poststop_hook_that_takes_too_long_is_killed(hooked):
    made = hooked().add("poststop", "exec sleep 1000", timeout=1).add("poststop", "touch $OUT/next")
    made.made.up().stop()
    made.made.runtime("delete", made.made.id)
    assert not made.made.exists


@pytest.mark.parametrize("count", [1, 2])
def test_a_failing_poststop_hook_does_not_keep_the_container(hooked, count):
    made = hooked()
    for _ in range(count):
        made.add("poststop", "exit 7")
    made.made.up().stop()
    made.made.runtime("delete", made.made.id)
    assert not made.made.exists


@pytest.mark.ours  # runc 1.1 stops at the first
def test_the_poststop_hooks_after_one_that_fails_run(hooked):
    made = hooked().add("poststop", "exit 7").add("poststop", "touch $OUT/next").go_through("poststop")
    assert made.wrote("next")


# ---- what runc and crun do where the specification says nothing ----


@pytest.mark.ours
@pytest.mark.parametrize("kind", KINDS)
def test_a_hook_without_an_environment_has_the_runtimes_or_the_programs(hooked, kind):
    made = hooked()
    made.made.bundle.process["env"] = ["PATH=/bin", "WHOSE=the program's"]
    made.add(kind, f"echo \"$WHOSE\" > {made.out(kind)}/seen")
    del made.made.bundle.config["hooks"][kind][0]["env"]
    made.made.runtime.environment["WHOSE"] = "the runtime's"
    made.go_through(kind)
    assert made.written("seen") == ("the program's\n" if kind == "startContainer" else "the runtime's\n")


@pytest.mark.ours
@pytest.mark.parametrize("kind", ERRORS)
def test_the_error_has_runcs_words(hooked, kind):
    made = hooked().add(kind, "true").add(kind, "kill -SYS $$")
    result = made.fail_at(kind)
    assert f"error running {kind} hook #1: " in result.stderr and "bad system call" in result.stderr
