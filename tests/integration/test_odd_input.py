# SPDX-License-Identifier: Apache-2.0
"""What is odd, and may be endless: files of an image that are no files, numbers at their ends, full file systems."""

import json
import os
import resource
import signal
import socket
import stat

import pytest

from lib import system
from lib.system import mount_at, parse_mounts

pytestmark = pytest.mark.ours

# ---- config.json ----


def write_text(made, change):
    text = json.dumps(made.bundle.config)
    with open(f"{made.bundle.path}/config.json", "w", encoding="utf-8") as file:
        file.write(change(text))
    return made.runtime("run", "-b", made.bundle.path, made.id)


@pytest.mark.parametrize("where", ["args", "process", "ociVersion"])
def test_of_a_key_that_is_there_twice_the_last_one_counts(container, where):
    """As with runc."""
    changes = {
        "args": lambda text: text.replace('"args":', '"args": ["echo", "first"], "args":'),
        "process": lambda text: text[:-1] + ', "process": {"args": ["echo", "last"], "cwd": "/"}}',
        "ociVersion": lambda text: '{"ociVersion": "9.9.9",' + text[1:],
    }
    result = write_text(container("echo", "last"), changes[where])
    assert (result.stdout, result.returncode) == ("last\n", 0), result


@pytest.mark.parametrize("number", ["1e400", "0.0", "1e0", "99999999999999999999999", "-1", "NaN", "+1", "0x0", "4294967296"])
def test_a_number_that_is_no_id(container, number):
    write_text(container("true"), lambda text: text.replace('"uid": 0', f'"uid": {number}')).assert_refused("config.json")


@pytest.mark.parametrize("number", ["9223372036854775808", "-9223372036854775808", "18446744073709551616"])
def test_a_number_that_is_no_limit(container, number):
    change = lambda text: text.replace('"resources": {', '"resources": {"memory": {"limit": ' + number + "},")  # noqa: E731
    write_text(container("true"), change).assert_refused("config.json")


def test_many_fields_that_nobody_knows(container):
    made = container("echo", "ran")
    made.bundle.config["org.example"] = {f"key{n}": [n] for n in range(50000)}
    made.bundle.config["annotations"] = {"long": "x" * 1000000}
    assert made.run_ok() == "ran\n"


# ---- long ones ----


def test_an_id_may_be_as_long_as_a_name(container, runtime, bundle, cgroup_parent):
    made = runtime.container(bundle().args("sleep", "100"), runtime.token + "x" * (255 - len(runtime.token)))
    made.bundle.cgroup(f"{cgroup_parent}/made")
    made.pid_file = f"{runtime.workdir}/pid"
    made.up()
    assert made.exec_ok("echo", "alive") == "alive\n"
    assert [entry["id"] for entry in runtime.list()] == [made.id]
    runtime.ok("pause", made.id)
    runtime.ok("resume", made.id)
    made.stop()
    made.delete()


@pytest.mark.parametrize("length", [256, 1024, 1025, 100000])
def test_one_that_is_longer_is_refused(runtime, bundle, length):
    made = bundle().write()
    runtime("run", "-b", made.path, "x" * length).assert_refused("long")
    assert runtime.list() == []


def test_a_state_root_may_be_deep(runtime, container):
    """Sockets' paths are short."""
    runtime.root = runtime.global_flags[1] = f"{runtime.workdir}/" + "/".join(["deep" * 20] * 20)
    made = container("sleep", "100").up()
    assert made.exec_ok("echo", "alive") == "alive\n"
    made.delete("--force")


@pytest.mark.parametrize("what, size, runs", [
    ("env", 131000, True), ("env", 131072, False), ("args", 131071, True), ("args", 131072, False),
    ("groups", 65536, True), ("groups", 65537, False), ("cwd", 255, True), ("cwd", 256, False), ("cwd", 5000, False),
])  # fmt: skip
def test_as_long_as_the_kernel_takes(container, what, size, runs):
    made = container(shell="echo ran").bundle.writable()
    if what == "env":
        made.process["env"].append("X=" + "x" * (size - 2))
    elif what == "args":
        made.process["args"] += ["x" * size]
    elif what == "groups":
        made.process["user"]["additionalGids"] = list(range(1, size + 1))
    else:
        made.process["cwd"] = "/" + "x" * size
    container_ = container()
    container_.bundle = made
    result = container_.run()
    if runs:
        assert result.stdout == "ran\n", result
    else:
        result.assert_refused({"env": "argument list too long", "args": "argument list too long",
                               "groups": "process.user.additionalGids", "cwd": "process.cwd"}[what])


# ---- files of an image that are no files ----


@pytest.mark.parametrize("kind, home", [
    ("fifo", "/"), ("endless", "/"), ("directory", "/"), ("sparse", "/"), ("long line", "/longhome"), ("socket", "/"),
])  # fmt: skip
def test_a_passwd_that_is_none_is_nothing_to_wait_for(container, kind, home):
    made = container(shell="echo $HOME")
    path = f"{made.bundle.rootfs}/etc/passwd"
    os.unlink(path)
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "endless":
        os.symlink("/dev/zero", path)
    elif kind == "directory":
        os.mkdir(path)
    elif kind == "socket":
        os.mknod(path, 0o666 | stat.S_IFSOCK)
    else:
        with open(path, "w", encoding="ascii") as file:
            file.write("x" * 300000 + "\nroot:x:0:0::/longhome:/bin/sh\n" if kind == "long line" else "")
            if kind == "sparse":
                file.truncate(3 << 30)
    assert made.run_ok() == f"{home}\n"


def test_tmpcopyup_of_everything_that_is_no_file(container):
    made = container(shell="cd /data; stat -c '%n %A %s %t:%T %h %Y' *; readlink dangling; cat one")
    data = f"{made.bundle.rootfs}/data"
    os.mkdir(data)
    os.mkfifo(f"{data}/fifo", 0o640)
    os.mknod(f"{data}/device", 0o600 | stat.S_IFCHR, os.makedev(1, 7))
    os.mknod(f"{data}/socket", 0o600 | stat.S_IFSOCK)
    os.symlink("/nowhere", f"{data}/dangling")
    os.mkdir(f"{data}/sticky")
    os.chmod(f"{data}/sticky", 0o1777)
    for name in ("one", "suid"):
        with open(f"{data}/{name}", "w", encoding="ascii") as file:
            file.write("text\n")
    os.chmod(f"{data}/suid", 0o4755)
    os.utime(f"{data}/one", (1000, 1000))
    made.bundle.mount("/data", "tmpfs", "tmpcopyup", kind="tmpfs")
    out = made.run_ok().splitlines()
    seen = {line.split()[0]: line.split()[1:] for line in out[:-2]}
    assert out[-2:] == ["/nowhere", "text"]
    assert seen["fifo"][0] == "prw-r-----" and seen["socket"][0].startswith("s")
    assert seen["device"][0] == "crw-------" and seen["device"][2] == "1:7"
    assert seen["sticky"][0] == "drwxrwxrwt" and seen["suid"][0] == "-rwsr-xr-x"
    assert seen["one"][-1] == "1000"


@pytest.mark.parametrize("field", ["maskedPaths", "readonlyPaths"])
@pytest.mark.parametrize("kind", ["fifo", "socket", "device"])
def test_a_path_to_hide_that_is_no_file(container, field, kind):
    made = container("stat", "-c", "%F", "/odd")
    path = f"{made.bundle.rootfs}/odd"
    if kind == "fifo":
        os.mkfifo(path)
    else:
        os.mknod(path, 0o666 | (stat.S_IFSOCK if kind == "socket" else stat.S_IFCHR), os.makedev(1, 5))
    made.bundle.linux[field] = ["/odd"]
    words = {"fifo": "fifo", "socket": "socket", "device": "character special file"}
    assert made.run_ok().strip() == (words[kind] if field == "readonlyPaths" else "character special file")


@pytest.mark.parametrize("path", ["/", "/proc", "/proc/self", "/dev", "/etc", "/dev/null"])
@pytest.mark.parametrize("field", ["maskedPaths", "readonlyPaths"])
def test_a_path_to_hide_that_the_start_itself_needs(container, field, path):
    made = container("/bin/busybox", "echo", "ran")
    made.bundle.linux[field] = [path]
    if (field, path) != ("maskedPaths", "/"):
        assert made.run_ok() == "ran\n"
    else:
        made.run()
        assert not made.exists


@pytest.mark.parametrize("kind", ["socket", "fifo", "device", "file"])
@pytest.mark.parametrize("options", [["bind"], ["bind", "ro"], ["rbind", "rslave"], ["bind", "nosuid"]], ids=str)
def test_a_bind_mount_of_what_is_no_directory(container, workdir, kind, options):
    path = f"{workdir}/source"
    if kind == "socket":
        server = socket.socket(socket.AF_UNIX)
        server.bind(path)
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "device":
        os.mknod(path, 0o666 | stat.S_IFCHR, os.makedev(1, 5))
    else:
        with open(path, "w", encoding="ascii") as file:
            file.write("text\n")
    made = container("stat", "-c", "%F", "/mnt/inner/target")
    made.bundle.mount("/mnt/inner/target", path, *options)
    words = {"device": "character special file", "file": "regular file"}
    assert made.run_ok().strip() == words.get(kind, kind)


@pytest.mark.parametrize("destination", ["//mnt//", "/mnt/.", "/mnt/../mnt", "mnt"])
def test_a_destination_may_be_written_otherwise(container, destination):
    made = container("cat", "/proc/self/mountinfo")
    made.bundle.mount(destination, "tmpfs", kind="tmpfs")
    assert mount_at(parse_mounts(made.run_ok()), "/mnt").type == "tmpfs"


def test_a_destination_that_is_a_loop_of_symlinks_is_refused(container):
    made = container("true")
    os.symlink("two", f"{made.bundle.rootfs}/one")
    os.symlink("one", f"{made.bundle.rootfs}/two")
    made.bundle.mount("/one", "tmpfs", kind="tmpfs")
    made.run().assert_refused("mounts[7]", "too many levels of symbolic links")


def test_five_hundred_mounts_and_a_thousand_devices(container):
    made = container(shell="grep -c ' /many/' /proc/self/mounts; ls /dev/many | wc -l")
    made.bundle.mount("/many", "tmpfs", kind="tmpfs")
    for number in range(500):
        made.bundle.mount(f"/many/{number}", "tmpfs", "size=4k", kind="tmpfs")
    made.bundle.linux["devices"] = [
        {"path": f"/dev/many/{number}", "type": "c", "major": 1, "minor": 3} for number in range(1000)
    ]
    # As many files as a process may have by default.
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (1024, hard))
    try:
        assert made.run_ok().split() == ["500", "1000"]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


# ---- limits that the start itself must live under ----


@pytest.mark.parametrize("files", [0, 3, 4])
@pytest.mark.parametrize("verb", ["run", "exec"])
def test_a_limit_of_open_files_that_allows_none(container, workdir, files, verb):
    limits = [{"type": "RLIMIT_NOFILE", "soft": files, "hard": files}]
    if verb == "run":
        made = container("echo", "ran")
        made.bundle.process["rlimits"] = limits
        assert made.run_ok() == "ran\n"
        return
    made = container("sleep", "100").up()
    with open(f"{workdir}/process.json", "w", encoding="utf-8") as file:
        json.dump({**made.bundle.process, "args": ["echo", "ran"], "rlimits": limits}, file)
    assert made.runtime.ok("exec", "-p", file.name, made.id).stdout == "ran\n"


@pytest.mark.parametrize("flags", [(), ("--lxc-monitor",)], ids=["", "kept-monitor"])
def test_where_the_caller_may_have_few_files_open(container, runtime, flags):
    """LXC, too, comes to its limit, wherever it is at: it then leaves cgroups behind, which it can't open."""
    made = container("sleep", "100")
    del made.bundle.process["rlimits"]
    made.bundle.write()
    for files in range(10, 100):
        limit = ["prlimit", f"--nofile={files}:{files}"]
        result = runtime(argv=[*limit, *runtime.argv("run", "--detach", *flags, "--bundle", made.bundle.path, made.id)])
        if result.returncode == 0:
            break
        result.assert_refused("oo many open files")
        assert not made.exists
        tops = system.cgroup_hierarchies().values()
        left = [f"{top}/lxc.{kind}.{made.id}" for top in tops for kind in ("payload", "monitor")]
        assert not [path for path in left if os.path.exists(path)], f"{files}: {result}"
    assert 40 < files < 99


@pytest.mark.parametrize("kind", ["prestart", "createRuntime", "createContainer", "poststart", "poststop"])
def test_a_hook_that_leaves_a_process_behind_is_nothing_to_wait_for(container, workdir, kind):
    """It has the hook's streams, which nobody reads to their end."""
    made = container(shell="echo ran; exit 3")
    script = f"sleep 100 & echo $! >{workdir}/left"
    made.bundle.config["hooks"] = {kind: [{"path": "/bin/sh", "args": ["sh", "-c", script]}]}
    try:
        result = made.run()
    finally:
        with open(f"{workdir}/left", encoding="ascii") as file:
            left = int(file.read())
        if kind != "createContainer":  # it goes with the pid namespace
            os.kill(left, signal.SIGKILL)
    assert (result.stdout, result.returncode) == ("ran\n", 3)
    assert not made.exists


# ---- a state root that is full ----


@pytest.mark.parametrize("verb", ["run", "create", "run -d"])
def test_a_state_root_of_any_size_has_a_whole_container_or_none(runtime, bundle, verb):
    made = bundle().args("sleep", "100") if verb != "run" else bundle().args("echo", "ran")
    made.config["annotations"] = {"long": "x" * 3000}
    made.write()
    os.mkdir(runtime.root)
    command = " ".join(runtime.argv())
    results = set()
    for size in range(4, 29, 4):
        script = (
            f'mount -t tmpfs -o size={size}k,mode=700 tmpfs "$0"; {command} {verb} -b {made.path} made; status=$?; '
            f'ls -A "$0" >&2; {command} delete --force made; exit $status'
        )
        result = runtime(argv=["unshare", "-m", "sh", "-c", script, runtime.root])
        lines = result.stderr.splitlines()
        if result.returncode:
            assert len(lines) == 1 and "no space left on device" in lines[0], result
        else:
            assert lines == ([] if verb == "run" else ["made"]), result
        results.add(result.returncode)
    assert results == {0, 1}


def test_an_update_that_a_full_state_root_can_not_keep_changes_nothing(runtime, bundle):
    made = bundle().args("sleep", "100")
    made.resources["pids"] = {"limit": 70}
    made.write()
    os.mkdir(runtime.root)
    command = " ".join(runtime.argv())
    id_ = runtime.new_id()
    script = (
        f'mount -t tmpfs -o size=64k,mode=700 tmpfs "$0"; {command} create -b {made.path} --pid-file "$0/pid" {id_}; '
        f'dd if=/dev/zero of="$0/fill" bs=4k 2>/dev/null; {command} update --pids-limit 20 {id_}; '
        f'find /sys/fs/cgroup -path "*{id_}/pids.max" -exec cat {{}} +; {command} start {id_} && {command} exec {id_} echo alive; '
        f'{command} pause {id_}; {command} resume {id_}; {command} delete --force {id_}; ls -A "$0"'
    )
    result = runtime(argv=["unshare", "-m", "sh", "-c", script, runtime.root])
    assert result.stdout.split() == ["70", "alive", "fill", "pid"]
    assert len(result.stderr.splitlines()) == 1 and "no space left on device" in result.stderr
