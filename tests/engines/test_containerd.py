# SPDX-License-Identifier: Apache-2.0
"""containerd with ctr and the shim for runc."""

import concurrent.futures
import os
import signal

import pytest

from lib import system
from lib.containerd import IMAGE
from lib.system import wait_until
from lib.terminal import UserTerminal

LOOP = "trap 'exit 3' TERM; trap 'touch /tmp/hup' HUP; touch /tmp/ready; while :; do usleep 10000; done"


def _is_there(task, path):
    wait_until(lambda: task.exec([], "test", "-e", path).status == 0, f"{path} is there")


@pytest.mark.parametrize("code", [0, 3, pytest.param(127, marks=pytest.mark.full)])
def test_run_gives_output_and_status(containerd, code):
    containerd.same([], "sh", "-c", f"echo out; echo err >&2; exit {code}", status=code, output="out\n")


def test_what_cannot_be_executed_is_an_error(containerd):
    for program in ("no-such-program", "/bin/not-executable"):
        results = {runtime: containerd.run(runtime, [], [program]) for runtime in containerd.runtimes}
        assert results["runlxc"].status == results["runc"].status != 0, results
    assert "executable file not found in $PATH" in containerd.run("runlxc", [], ["no-such-program"]).stderr


def test_standard_input(containerd):
    # To its end it can't be read: ctr 1.6 may close it before the task is there, and then never again.
    containerd.same(
        [],
        "sh",
        "-c",
        "read line; echo got $line; read line; echo and $line",
        stdin=b"one\ntwo\n",
        output="got one\nand two\n",
    )


def test_a_terminal_has_the_size_of_the_users(containerd):
    """It is set once the task runs. ctr 1.6 may miss a change right after that, whatever the runtime."""

    def scenario(runtime):
        with UserTerminal(rows=33, columns=99) as user:
            argv = containerd.argv(
                "run", "--rm", "--tty", *containerd.run_flags(runtime), IMAGE, containerd.name(), "sh"
            )
            user.run(argv, containerd.place.environment)
            user.screen_until("# ")
            user.type("until stty size | grep '^33 99$'; do usleep 10000; done; exit 7\n")
            user.screen_until("\n33 99\r")
            return user.wait()

    assert containerd.both(scenario) == 7


def test_the_life_of_a_task(containerd):
    def scenario(runtime):
        task = containerd.up(runtime, [], "sh", "-c", LOOP)
        _is_there(task, "/tmp/ready")
        seen = [task.status]
        task.ok("pause")
        seen.append(task.status)
        task.ok("resume")
        seen.append(task.status)
        task.kill("HUP")
        _is_there(task, "/tmp/hup")
        seen.append(len(task.ok("ps").splitlines()) > 1)
        seen.append(task.kill("TERM").status)
        seen.append(task.ended())
        seen.append(task.kill("TERM").status)
        return seen

    assert containerd.both(scenario) == ["RUNNING", "PAUSED", "RUNNING", True, 0, 3, 1]


@pytest.mark.full
@pytest.mark.parametrize("name", ["SIGKILL", "SIGUSR1", "10", "HUP"])
def test_any_signal(containerd, name):
    def scenario(runtime):
        task = containerd.up(
            runtime,
            [],
            "sh",
            "-c",
            "trap 'exit 10' USR1; trap 'exit 11' HUP; touch /tmp/ready; while :; do usleep 10000; done",
        )
        _is_there(task, "/tmp/ready")
        task.kill(name)
        return task.ended()

    containerd.both(scenario)


def test_exec(containerd):
    def scenario(runtime):
        task = containerd.up(runtime, ["--env", "KEPT=yes"], "sleep", "100")
        return (
            task.exec([], "sh", "-c", "echo out; exit 42").status,
            task.exec_ok(["--cwd", "/real"], "sh", "-c", "pwd; echo $KEPT"),
            task.exec_ok(["--user", "1000:2000"], "id"),
            task.exec([], "head", "-n", "1", stdin=b"in\n").stdout,
            task.exec([], "no-such-program").status,
        )

    seen = containerd.both(scenario)
    assert seen[0] == 42 and seen[1] == "/real\nyes" and seen[3] == "in\n" and seen[4] != 0


@pytest.mark.full
def test_exec_on_a_terminal(containerd):
    def scenario(runtime):
        task = containerd.up(runtime, [], "sleep", "100")
        with UserTerminal(rows=33, columns=99) as user:
            user.run(
                containerd.argv("tasks", "exec", "--tty", "--exec-id", "t", task.name, "sh"),
                containerd.place.environment,
            )
            user.screen_until("# ")
            user.type("tty; exit 9\n")
            return user.screen_until("/dev/pts/0\r")[-11:], user.wait()

    assert containerd.both(scenario) == ("/dev/pts/0\r", 9)


@pytest.mark.full
def test_a_task_that_is_created_and_not_started(containerd):
    def scenario(runtime):
        name = containerd.name()
        containerd.ok("containers", "create", "--runtime", "io.containerd.runc.v2", IMAGE, name, "true")
        containerd.ok("containers", "delete", name)
        return True

    containerd.both(scenario)


@pytest.mark.full
def test_metrics(containerd):
    def scenario(runtime):
        task = containerd.up(runtime, ["--memory-limit", str(64 << 20)], "sleep", "100")
        metrics = dict(line.split() for line in task.ok("metrics").splitlines() if len(line.split()) == 2)
        return sorted(metrics), metrics.get("pids.current")

    containerd.both(scenario)


FLAGS = {
    "cwd and environment": (["--cwd", "/real/inner", "--env", "A=b c"], "pwd; echo $A"),
    "read-only root": (["--read-only"], "touch /x 2>&1; true"),
    "capabilities": (["--cap-add", "CAP_NET_ADMIN", "--cap-drop", "CAP_CHOWN"], "grep ^Cap /proc/self/status"),
    "no new privileges": ([], "grep ^NoNewPrivs /proc/self/status"),
    "host network": (["--net-host"], "ls /sys/class/net"),
    "limits": (
        ["--memory-limit", "67108864", "--cpu-quota", "50000", "--cpu-period", "100000"], "cat /proc/self/limits"
    ),
    "rlimits": ([], "ulimit -n"),
    "seccomp": (["--seccomp"], "grep ^Seccomp: /proc/self/status"),
    "user mapping": (
        ["--uidmap", "0:200000:65536", "--gidmap", "0:200000:65536"],
        "cat /proc/self/uid_map; id; ls -ldn / | cut -c1-30",
    ),
    "mounts": ([], "cut -d' ' -f2,3 /proc/mounts | sort"),
    "device": (["--device", "/dev/fuse"], "ls -l /dev/fuse | cut -c1"),
    "annotation and label": (["--annotation", "a=b", "--label", "c=d"], "true"),
    "allow new privileges": (["--allow-new-privs"], "grep ^NoNewPrivs /proc/self/status"),
    "env file": (["--env", "HOME=/nowhere"], "echo $HOME"),
}


@pytest.mark.parametrize(
    "kind", ["capabilities", *[pytest.param(k, marks=pytest.mark.full) for k in FLAGS if k != "capabilities"]]
)
def test_flags(containerd, kind):
    flags, script = FLAGS[kind]
    # ctr gives the copy of an image for mapped users one name, which two at once would fight for.
    containerd.same(flags, "sh", "-c", script, at_once="--uidmap" not in flags)


@pytest.mark.full
def test_privileged(containerd):
    """Every capability that containerd has itself, so unlike Docker's nothing that could not be given."""
    containerd.same(
        ["--privileged"], "sh", "-c", "grep ^Cap /proc/self/status; touch /proc/sys/kernel/hostname; echo $?"
    )


def test_limits_and_the_cgroup(containerd):
    def scenario(runtime):
        task = containerd.up(runtime, ["--memory-limit", str(64 << 20), "--cpus", "0.5"], "sleep", "100")
        path = system.cgroup_paths(task.pid)["memory" if system.on_cgroup_v1() else ""]
        return (
            path.replace(task.name, "ID"),
            system.cgroup_read(task.pid, "memory", "memory.limit_in_bytes" if system.on_cgroup_v1() else "memory.max"),
        )

    assert containerd.both(scenario) == (f"/{containerd.namespace}/ID", str(64 << 20))


@pytest.mark.full
def test_a_cgroup_of_its_own(containerd):
    def scenario(runtime):
        path = f"/{containerd.namespace}/of-{runtime}"
        task = containerd.up(runtime, ["--cgroup", path], "sleep", "100")
        return system.cgroup_paths(task.pid)["memory" if system.on_cgroup_v1() else ""] == path

    assert containerd.both(scenario)


@pytest.mark.full
def test_mounts(containerd):
    path = f"{containerd.directory}/files"
    os.makedirs(path, exist_ok=True)
    with open(f"{path}/file", "w", encoding="utf-8") as file:
        file.write("of the host\n")
    for options in ("rbind:ro", "bind:rw", "rbind:rslave", "rbind:ro:nosuid:nodev:noexec"):
        mount = f"type=bind,src={path},dst=/link/deep,options={options}"
        write = "touch /link/deep/$$ && rm /link/deep/$$ && echo written"
        script = f"cat /real/inner/deep/file; {write}; grep ' /real' /proc/mounts | cut -d' ' -f2,3,4"
        seen = containerd.same(["--mount", mount], "sh", "-c", f"{{ {script}; }} 2>&1").stdout
        assert ("written" in seen) == (":ro" not in options)
    containerd.same(
        ["--mount", "type=tmpfs,dst=/t,options=size=1m:mode=1700"],
        "sh",
        "-c",
        "grep ' /t ' /proc/mounts | cut -d' ' -f2-",
    )


@pytest.mark.full
@pytest.mark.parametrize("kind", ["network", "ipc", "pid", "uts"])
def test_a_namespace_of_another_task(containerd, kind):
    def scenario(runtime):
        first = containerd.up(runtime, [], "sleep", "100")
        name = "net" if kind == "network" else kind
        second = containerd.up(runtime, ["--with-ns", f"{kind}:/proc/{first.pid}/ns/{name}"], "sleep", "100")
        shared = system.namespace(first.pid, name) == system.namespace(second.pid, name)
        second.kill("KILL")
        return shared, second.ended(), first.status

    assert containerd.both(scenario) == (True, 137, "RUNNING")


def test_the_death_of_the_shim_ends_the_task(containerd):
    def scenario(runtime):
        task = containerd.up(runtime, [], "sh", "-c", "sleep 111 & exec sleep 100")
        pids = system.cgroup_pids(task.pid)
        os.kill(system.process_stat(task.pid)[1], signal.SIGKILL)
        wait_until(lambda: not any(map(system.process_alive, pids)), "it has ended")
        wait_until(lambda: task.status in ("NONE", "STOPPED"), "containerd knows")
        return True

    containerd.both(scenario)


@pytest.mark.full
@pytest.mark.limit(120)
def test_tasks_outlive_containerd(containerd):
    tasks = {runtime: containerd.up(runtime, [], "sh", "-c", LOOP) for runtime in containerd.runtimes}
    for task in tasks.values():
        _is_there(task, "/tmp/ready")
    containerd.stop(signal.SIGKILL)
    containerd.start()

    def scenario(runtime):
        task = tasks[runtime]
        inside = task.exec_ok([], "echo", "exec")
        task.kill("TERM")
        return inside, task.ended()

    assert containerd.both(scenario) == ("exec", 3)


@pytest.mark.parametrize("count", [10, pytest.param(20, marks=pytest.mark.full)])
def test_many_at_once(containerd, count):
    def one(i):
        done = containerd.run("runlxc", [], ["sh", "-c", f"echo {i}; exit {i}"])
        return done.status, done.stdout

    with concurrent.futures.ThreadPoolExecutor(count) as pool:
        assert list(pool.map(one, range(count))) == [(i, f"{i}\n") for i in range(count)]


@pytest.mark.full
@pytest.mark.limit(300)
def test_many_one_after_another(containerd):
    for i in range(containerd.loops()):
        done = containerd.run("runlxc", [], ["sh", "-c", f"echo {i}; exit {i % 100}"])
        assert (done.status, done.stdout) == (i % 100, f"{i}\n"), done
