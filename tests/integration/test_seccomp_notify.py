# SPDX-License-Identifier: Apache-2.0
"""SCMP_ACT_NOTIFY: a seccomp agent outside answers for the kernel."""

import errno
import os
import signal

import pytest

from lib import system
from lib.seccomp_agent import Agent

MKDIR = ["mkdir", "mkdirat"]


@pytest.fixture
def agent(workdir):
    """agent(answer) is an agent; agent.path is where the next one will listen."""
    made = []

    def make(answer=None):
        made.append(Agent(f"{workdir}/agent{len(made)}", answer))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def notified(container):
    """A container of which `agent` is told when it makes one of these calls."""

    def make(agent, *args, names=MKDIR, shell=None, **seccomp):
        made = container(*args, shell=shell)
        made.bundle.linux["seccomp"] = {
            "defaultAction": "SCMP_ACT_ALLOW",
            "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"],
            "listenerPath": agent if isinstance(agent, str) else agent.path,
            "syscalls": [{"names": names, "action": "SCMP_ACT_NOTIFY"}],
            **seccomp,
        }
        return made

    return make


def pretend(notification):
    """To have made it."""
    notification.answer(value=0)


both_ways = pytest.mark.parametrize("no_new_privs", [True, False], ids=["no new privileges", "new privileges"])

# ---- what the agent can do ----


@both_ways
def test_an_agent_answers_in_the_kernels_place(notified, agent, no_new_privs):
    listening = agent(pretend)
    made = notified(listening, shell="mkdir /dev/shm/x && ls /dev/shm && echo done")
    made.bundle.process["noNewPrivileges"] = no_new_privs
    assert made.run_ok() == "done\n"
    assert [n.number for n in listening.notifications] == [83]  # and /dev/shm is empty


def test_an_agent_sees_the_arguments_and_does_the_call_itself(notified, agent):
    def make_another(notification):
        os.mkdir(f"/proc/{notification.pid}/root{notification.text(0)}-bar")
        notification.answer(value=0)

    made = notified(agent(make_another), shell="mkdir /dev/shm/foo; ls /dev/shm")
    assert made.run_ok() == "foo-bar\n"


def test_an_agent_answers_with_an_error(notified, agent):
    listening = agent(lambda notification: notification.answer(error=errno.ENOMEDIUM))
    result = notified(listening, "mkdir", "/dev/shm/x").run()
    assert result.returncode == 1 and "No medium found" in result.stderr


def test_an_agent_lets_a_call_through(notified, agent):
    assert notified(agent(), shell="mkdir /dev/shm/x; ls /dev/shm").run_ok() == "x\n"


@both_ways
@pytest.mark.parametrize("user", [0, 1000])
def test_calls_that_the_start_itself_needs_may_be_notified_of(notified, agent, no_new_privs, user):
    """The agent has the listener before the first of them; until it answers, they wait."""
    needed = "execve openat open read close sendmsg sendto recvmsg recvfrom prctl capset setresuid setresgid".split()
    listening = agent()
    made = notified(listening, "true", names=needed)
    made.bundle.process["noNewPrivileges"] = no_new_privs
    made.bundle.process["user"] = {"uid": user, "gid": user}
    assert made.run().returncode == 0
    assert 59 in [n.number for n in listening.notifications]  # execve


def test_without_its_agent_a_call_fails(notified, agent, workdir):
    """ENOSYS, rather than to wait for ever."""
    listening = agent()
    made = notified(listening, shell="mkdir /dev/shm/a && echo once; read line < /fifo; mkdir /dev/shm/b; sleep 100")
    os.mkfifo(f"{made.bundle.rootfs}/fifo")
    made.up()
    made.wait_output("once")
    listening.close()
    with open(f"{made.bundle.rootfs}/fifo", "w", encoding="utf-8") as fifo:
        fifo.write("go on\n")
    system.wait_until(lambda: "Function not implemented" in made.result.stderr, "the call fails")


def test_a_process_that_waits_for_its_agent_can_be_killed(notified, agent):
    listening = agent(lambda notification: None)
    made = notified(listening, "mkdir", "/dev/shm/x").up()
    system.wait_until(lambda: listening.notifications, "the notification")
    made.stop()
    made.delete()
    assert not made.exists


# ---- what the agent is told ----


def check_state(state, made, pid, statuses):
    assert state["ociVersion"].startswith("1.")
    assert state["fds"] == ["seccompFd"]
    assert state["pid"] == pid
    assert state["metadata"] == "some data"
    inner = state["state"]
    assert inner["ociVersion"].startswith("1.")
    assert inner["id"] == made.id
    assert inner["status"] in statuses
    assert inner["pid"] == made.pid
    assert inner["bundle"] == made.bundle.path
    assert inner["annotations"] == {"key": "value"}


@both_ways
def test_the_agent_is_told_of_the_container(notified, agent, no_new_privs):
    listening = agent()
    made = notified(listening, "sleep", "100", listenerMetadata="some data")
    made.bundle.process["noNewPrivileges"] = no_new_privs
    made.bundle.config["annotations"] = {"key": "value"}
    made.up()
    check_state(listening.state, made, made.pid, ("creating", "created"))


@both_ways
def test_the_agent_is_told_of_every_exec(notified, agent, no_new_privs):
    listening = agent(pretend)
    made = notified(listening, "sleep", "100", listenerMetadata="some data")
    made.bundle.process["noNewPrivileges"] = no_new_privs
    made.bundle.config["annotations"] = {"key": "value"}
    made.up()
    assert made.exec_ok("sh", "-c", "mkdir /dev/shm/x && ls /dev/shm") == ""
    made.exec_ok("true")
    _, first, second = listening.told(3)
    check_state(first, made, first["pid"], ("running",))
    assert len({made.pid, first["pid"], second["pid"]}) == 3
    assert len(listening.notifications) == 1


def test_of_a_detached_exec_the_agent_is_told_the_pid(notified, agent, workdir):
    listening = agent()
    made = notified(listening, "sleep", "100").up()
    made.exec_ok("sleep", "100", flags=("--detach", "--pid-file", f"{workdir}/exec.pid"))
    with open(f"{workdir}/exec.pid", encoding="utf-8") as file:
        assert listening.told(2)[1]["pid"] == int(file.read())


@pytest.mark.ours
def test_each_state_has_a_connection_that_is_closed_behind_it(notified, agent):
    listening = agent()
    made = notified(listening, "sleep", "100").up()
    made.exec_ok("true")
    system.wait_until(lambda: listening.closed == 2, "both are closed")
    assert len(listening.told(2)) == 2


def test_without_metadata_there_is_none(notified, agent):
    listening = agent()
    notified(listening, "true").run_ok()
    assert listening.state.get("metadata", "") == ""


def test_a_state_of_any_size_arrives_whole(notified, agent):
    """In as many parts as it takes; the descriptor comes with the first."""
    listening = agent(pretend)
    made = notified(listening, "mkdir", "/dev/shm/x")
    made.bundle.config["annotations"] = {f"key{i}": "x" * 1000 for i in range(600)}
    made.run_ok()
    assert listening.state["state"]["annotations"]["key599"] == "x" * 1000
    assert len(listening.notifications) == 1


def test_a_container_in_a_user_namespace(notified, agent):
    listening = agent(pretend)
    made = notified(listening, shell="mkdir /dev/shm/x && ls /dev/shm; sleep 100")
    made.bundle.user_namespace()
    made.up()
    system.wait_until(lambda: listening.notifications, "the notification")
    assert listening.state["pid"] == made.pid
    assert made.exec_ok("sh", "-c", "mkdir /dev/shm/y && ls /dev/shm") == ""


@pytest.mark.ours
def test_a_relative_path_is_meant_from_the_bundle(notified, agent, workdir):
    listening = agent()
    made = notified("../" + os.path.basename(listening.path), "true")
    assert made.run().returncode == 0
    assert listening.state["state"]["id"] == made.id


def test_a_listener_that_no_rule_needs_is_ignored(notified, agent, workdir):
    listening = agent()
    rule = {"names": MKDIR, "action": "SCMP_ACT_ERRNO"}
    assert notified(listening, "true", syscalls=[rule]).run().returncode == 0
    assert notified(f"{workdir}/nobody", "true", syscalls=[rule]).run().returncode == 0
    assert listening.states == []


# ---- hooks ----


def test_start_container_hooks_live_under_the_filter_without_its_listener(notified, agent):
    listening = agent(pretend)
    made = notified(listening, "true")
    # 0, 1, 2 and ls's own.
    script = "mkdir /dev/shm/x && test ! -d /dev/shm/x && test $(ls /proc/self/fd | wc -l) -eq 4"
    made.bundle.config["hooks"] = {"startContainer": [{"path": "/bin/sh", "args": ["sh", "-c", script]}]}
    made.run_ok()
    assert len(listening.notifications) == 1


# ---- flags ----


def signalled(listening, made):
    """A shell changes its directory, and gets a signal that it handles before that is answered: what it prints."""
    output = made.run_ok().split()
    assert len(listening.notifications) == 1
    return output


SHELL = "trap 'echo caught' USR1; cd /dev; pwd"


def usr1_is_pending(pid):
    return int(system.process_status(pid)["ShdPnd"], 16) & 1 << (signal.SIGUSR1 - 1)


def test_a_signal_interrupts_a_call_that_waits(notified, agent):
    def interrupt(notification):
        os.kill(notification.pid, signal.SIGUSR1)
        system.wait_until(lambda: not notification.valid, "the call is interrupted")

    listening = agent(interrupt)
    assert signalled(listening, notified(listening, names=["chdir"], shell=SHELL)) == ["caught", "/"]


@pytest.mark.ours
def test_with_wait_killable_recv_only_a_deadly_one_does(notified, agent, runtime):
    flag = "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"
    if flag not in runtime.ok("features").stdout.split('"supportedFlags"')[1]:
        pytest.skip("the kernel is older than Linux 5.19")

    def signal_and_answer(notification):
        os.kill(notification.pid, signal.SIGUSR1)
        assert usr1_is_pending(notification.pid) and notification.valid
        notification.let_pass()

    listening = agent(signal_and_answer)
    assert signalled(listening, notified(listening, names=["chdir"], shell=SHELL, flags=[flag])) == ["caught", "/dev"]


@pytest.mark.ours
def test_wait_killable_recv_without_a_listener_changes_nothing(container):
    made = container("mkdir", "/dev/shm/x")
    made.bundle.linux["seccomp"] = {
        "defaultAction": "SCMP_ACT_ALLOW",
        "flags": ["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"],
        "syscalls": [{"names": MKDIR, "action": "SCMP_ACT_ERRNO"}],
    }
    assert "Operation not permitted" in made.run().stderr


# ---- errors ----


def test_without_an_agent_there_is_no_container(notified, workdir):
    made = notified(f"{workdir}/nobody", "true")
    made.run().assert_refused("listenerPath", "failed to connect with seccomp agent", "nobody")
    assert not made.exists


def test_a_path_that_is_no_socket(notified, workdir):
    with open(f"{workdir}/file", "wb"):
        pass
    made = notified(f"{workdir}/file", "true")
    made.run().assert_refused("listenerPath", "failed to connect with seccomp agent")
    assert not made.exists


@pytest.fixture
def dead_socket(workdir):
    """A socket that nobody listens on any more."""
    import socket

    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as left:
        left.bind(f"{workdir}/dead")
    return f"{workdir}/dead"


def test_a_socket_that_nobody_listens_on(notified, dead_socket):
    made = notified(dead_socket, "true")
    made.run().assert_refused("failed to connect with seccomp agent", "onnection refused")
    assert not made.exists


@pytest.mark.ours
@pytest.mark.parametrize("names", [MKDIR, [*MKDIR, "read"]], ids=["after the start", "in the start"])
def test_an_agent_that_is_gone_at_the_start_stops_the_container(notified, agent, dead_socket, names):
    """runc has connected by then. Also where init waits in a call that nobody will answer."""
    made = notified(dead_socket, shell="echo never", names=names).create()
    result = made.runtime.fails("start", made.id)
    assert "failed to connect with seccomp agent" in result.stderr
    assert made.status == "stopped" and made.output == ""


def test_an_exec_without_an_agent_fails_and_the_container_goes_on(notified, agent):
    listening = agent()
    made = notified(listening, "sleep", "100").up()
    listening.close()
    result = made.exec("echo", "never")
    assert result.returncode == 255 and "failed to connect with seccomp agent" in result.stderr
    assert result.stdout == ""
    assert made.status == "running"


def refused(made, *words):
    made.run().assert_refused(*words)
    assert not made.exists


def test_write_can_not_be_notified_of(notified, agent):
    made = notified(agent(), "true", names=["mkdir", "write"])
    refused(made, "linux.seccomp.syscalls[0]", "SCMP_ACT_NOTIFY cannot be used for the write syscall")


def test_not_everything_can_be_notified_of(notified, agent):
    made = notified(agent(), "true", defaultAction="SCMP_ACT_NOTIFY")
    refused(made, "linux.seccomp.defaultAction", "SCMP_ACT_NOTIFY cannot be used as default action")


def test_notify_needs_a_listener(notified):
    refused(notified("", "true"), "linux.seccomp.listenerPath", "is not set")


@pytest.mark.ours
def test_metadata_needs_a_listener(container):
    made = container("true")
    made.bundle.linux["seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW", "listenerMetadata": "x"}
    refused(made, "linux.seccomp.listenerMetadata")
