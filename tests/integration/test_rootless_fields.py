# SPDX-License-Identifier: Apache-2.0
"""What a config.json may ask for beside a user namespace, in containers of a user other than root, and of root's."""

import os
import signal

import pytest

from lib import system
from lib.rootless import GID, UID, RootlessRuntime, make_rootless
from lib.runtime import Runtime
from lib.system import mount_at, parse_mounts
from lib.terminal import ConsoleSocket

pytestmark = pytest.mark.ours


@pytest.fixture(params=["user", "root"])
def kind(request):
    return request.param


@pytest.fixture
def runtime_class(kind):
    return RootlessRuntime if kind == "user" else Runtime


@pytest.fixture
def adapt_bundle(kind):
    return make_rootless if kind == "user" else lambda bundle: bundle.user_namespace()


@pytest.fixture
def source(workdir):
    """A directory that everybody may read."""
    os.mkdir(f"{workdir}/source")
    os.chmod(f"{workdir}/source", 0o777)
    with open(f"{workdir}/source/file", "w", encoding="ascii") as file:
        file.write("text\n")
    return f"{workdir}/source"


DENY_MKDIR = {
    "defaultAction": "SCMP_ACT_ALLOW",
    "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 5}],
}


def test_a_filter_holds_for_the_first_process_and_for_an_exec(container):
    made = container(shell="mkdir /tmp/x; sleep 100")
    made.bundle.writable().linux["seccomp"] = DENY_MKDIR
    made.up()
    result = made.exec("mkdir", "/tmp/y")
    assert result.returncode == 1 and "Input/output error" in result.stderr
    system.wait_until(lambda: "Input/output error" in made.result.stderr, "the first process's error")


def test_a_time_namespace(container):
    made = container("sleep", "100")
    made.bundle.with_namespace("time").linux["timeOffsets"] = {"boottime": {"secs": 777777}}
    made.up()
    assert made.exec_ok("grep", "boottime", "/proc/self/timens_offsets").split()[1] == "777777"
    assert float(made.exec_ok("cat", "/proc/uptime").split()[0]) > 777777


@pytest.mark.parametrize("options, signs", [
    (["rbind", "ro"], {"ro"}), (["rbind", "rro"], {"ro"}), (["bind", "nosuid", "nodev"], {"nosuid", "nodev"}),
    (["bind", "noexec"], {"noexec"}), (["rbind", "rnosuid", "rnoexec"], {"nosuid", "noexec"}),
    (["bind", "nosymfollow"], {"nosymfollow"}), (["rbind", "rslave"], set()),
])  # fmt: skip
def test_options_of_a_bind_mount(container, source, options, signs):
    made = container("cat", "/proc/self/mountinfo", "/mnt/file")
    made.bundle.mount("/mnt", source, *options)
    out = made.run_ok()
    assert out.endswith("text\n")
    assert signs <= mount_at(parse_mounts(out.removesuffix("text\n")), "/mnt").options


@pytest.mark.parametrize("options", [["size=1m", "mode=1777"], ["ro"], ["rro"], ["nosuid", "noexec", "nodev"]], ids=str)
def test_a_tmpfs_that_is_filled(container, options):
    made = container(shell="cat /data/file && touch /data/new; :")
    os.mkdir(f"{made.bundle.rootfs}/data")
    with open(f"{made.bundle.rootfs}/data/file", "w", encoding="ascii") as file:
        file.write("copied\n")
    for path in ("data", "data/file"):
        owner = os.stat(f"{made.bundle.rootfs}/bin")
        os.chown(f"{made.bundle.rootfs}/{path}", owner.st_uid, owner.st_gid)
    made.bundle.mount("/data", "tmpfs", "tmpcopyup", *options, kind="tmpfs")
    result = made.run()
    assert result.stdout == "copied\n", result
    assert ("Read-only file system" in result.stderr) == (options[0] in ("ro", "rro"))


def test_hidden_and_read_only_paths(container):
    made = container(shell="cat /secret/file; cat /hidden; touch /kept/new; echo x >/proc/sys/kernel/domainname; :")
    for name in ("secret", "kept"):
        os.mkdir(f"{made.bundle.rootfs}/{name}")
        os.chmod(f"{made.bundle.rootfs}/{name}", 0o777)
    for name in ("secret/file", "hidden"):
        with open(f"{made.bundle.rootfs}/{name}", "w", encoding="ascii") as file:
            file.write("secret\n")
    made.bundle.writable().linux["maskedPaths"] += ["/secret", "/hidden"]
    made.bundle.linux["readonlyPaths"] += ["/kept"]
    result = made.run()
    assert result.stdout == "" and result.stderr.count("Read-only file system") == 2, result


def test_names_and_limits_and_priorities(container):
    made = container(shell="hostname; cat /proc/sys/kernel/domainname; ulimit -n; umask; cat /proc/self/oom_score_adj")
    made.bundle.config["domainname"] = "example.org"
    made.bundle.process["rlimits"] = [{"type": "RLIMIT_NOFILE", "soft": 50, "hard": 60}]
    made.bundle.process["user"]["umask"] = 0o027
    made.bundle.process["oomScoreAdj"] = 500
    made.bundle.process["scheduler"] = {"policy": "SCHED_BATCH"}
    made.bundle.process["ioPriority"] = {"class": "IOPRIO_CLASS_BE", "priority": 6}
    assert made.run_ok().split() == ["box", "example.org", "50", "0027", "500"]


def test_a_terminal_and_a_pidfd_over_sockets(container, workdir):
    made = container(shell="tty; sleep 100")
    made.bundle.process["terminal"] = True
    with ConsoleSocket(f"{workdir}/c") as console, ConsoleSocket(f"{workdir}/p") as pidfds:
        for path in (console.path, pidfds.path):
            os.chown(path, UID, GID)
        assert made.run("-d", "--console-socket", console.path, "--pidfd-socket", pidfds.path).returncode == 0
        (master, _), (pidfd, _) = console.receive(), pidfds.receive()
    try:
        assert b"/dev/pts/0" in system.Stream(master).until(b"\n")
        signal.pidfd_send_signal(pidfd, signal.SIGKILL)
        system.wait_until(lambda: made.status == "stopped", "its end")
    finally:
        os.close(master)
        os.close(pidfd)


def test_execs_of_a_created_container(container):
    made = container("sleep", "100").create()
    assert made.exec_ok("sh", "-c", "pwd; echo $K", flags=["--cwd", "/tmp", "-e", "K=v"]) == "/tmp\nv\n"
    assert made.exec("true", flags=["--preserve-fds", "3"]).returncode == 255
    made.kill("0")
    assert made.status == "created"
    made.start()
    made.kill("KILL")
    made.wait()
    made.delete()


def test_socket_activation(container, source):
    made = container(shell="cat <&3; echo $LISTEN_FDS $LISTEN_PID")
    made.bundle.write()
    argv = made.runtime.argv("run", "-b", made.bundle.path, made.id)
    script = f'export LISTEN_FDS=1; exec "$@" 3<{source}/file'
    assert made.runtime.ok(argv=["sh", "-c", script, "sh", *argv]).stdout == "text\n1 1\n"


@pytest.mark.parametrize("change, words", [
    (lambda b: b.process.update(user={"uid": 70000, "gid": 0}), ["process.user.uid"]),
    (lambda b: b.process.update(user={"uid": 0, "gid": 70000}), ["process.user.gid"]),
    (lambda b: b.process.update(user={"uid": 0, "gid": 0, "additionalGids": [70000]}), ["process.user.additionalGids"]),
    (lambda b: b.process.update(oomScoreAdj=-1000), ["process.oomScoreAdj"]),
    (lambda b: b.linux.update(sysctl={"kernel.panic": "1"}), ["linux.sysctl", "kernel.panic"]),
    (lambda b: b.linux.update(devices=[{"path": "/dev/nosuch", "type": "c", "major": 10, "minor": 5}]), ["linux.devices[0]"]),
    (lambda b: b.mount("/mnt", "/no/such", "bind"), ["mounts[", "/no/such"]),
    (lambda b: b.mount("/mnt", "none", kind="ext4"), ["mounts["]),
    (lambda b: b.linux.update(timeOffsets={"monotonic": {"secs": 5}}), ["linux.timeOffsets"]),
    (lambda b: b.config.update(hooks={"createContainer": [{"path": "/bin/false"}]}), ["hooks.createContainer[0]"]),
])  # fmt: skip
def test_what_cannot_be_is_refused_by_its_field(request, container, change, words):
    if words == ["process.oomScoreAdj"] and request.node.callspec.id.startswith("root-"):
        if int(system.process_status("self")["CapEff"], 16) & 1 << 24:
            pytest.skip("this root may lower it (CAP_SYS_RESOURCE)")
    made = container("true")
    change(made.bundle)
    made.run().assert_refused(*words)
    assert not made.exists
