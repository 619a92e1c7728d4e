# SPDX-License-Identifier: Apache-2.0
"""Mounts: every kind, where they land, and that they land nowhere else."""

import os
import subprocess

import pytest

from lib import system
from lib.system import mount_at, parse_mounts


def mounts_in(made):
    """The mounts that the container's program sees."""
    made.bundle.args("cat", "/proc/self/mountinfo")
    return parse_mounts(made.run_ok())


@pytest.fixture
def source(workdir):
    """A directory on the host with a file in it."""
    os.mkdir(f"{workdir}/source")
    with open(f"{workdir}/source/file", "w", encoding="utf-8") as file:
        file.write("from the host\n")
    return f"{workdir}/source"


# ---- kinds ----


def test_the_default_mounts(container):
    mounts = mounts_in(container())
    for target, kind, options in (
        ("/proc", "proc", set()),
        ("/dev", "tmpfs", {"nosuid"}),
        ("/dev/pts", "devpts", {"nosuid", "noexec"}),
        ("/dev/shm", "tmpfs", {"nosuid", "noexec", "nodev"}),
        ("/dev/mqueue", "mqueue", {"nosuid", "noexec", "nodev"}),
        ("/sys", "sysfs", {"nosuid", "noexec", "nodev", "ro"}),
    ):
        mount = mount_at(mounts, target)
        assert mount.type == kind and options <= mount.options, mount
    assert "size=65536k" in mount_at(mounts, "/dev").super_options
    assert "mode=755" in mount_at(mounts, "/dev").super_options
    assert {"gid=5", "mode=620", "ptmxmode=666"} <= mount_at(mounts, "/dev/pts").super_options


def test_no_mount_of_the_host_is_left(container):
    """pivot_root leaves nothing of the old root."""
    targets = {mount.target for mount in mounts_in(container())}
    assert not [target for target in targets if target.startswith(("/tmp", "/run", "/work", "/mnt"))]


def test_tmpfs_with_data_options(container):
    made = container()
    made.bundle.mount("/mnt", "tmpfs", "size=1m", "mode=1770", "uid=7", "nodev", "nr_inodes=50", kind="tmpfs")
    mount = mount_at(mounts_in(made), "/mnt")
    assert {"size=1024k", "mode=1770", "uid=7", "nr_inodes=50"} <= mount.super_options
    assert "nodev" in mount.options and "noexec" not in mount.options


def test_a_tmpfs_is_as_large_as_it_was_asked_to_be(container):
    made = container(shell="dd if=/dev/zero of=/mnt/x bs=1024 count=2000 2>&1; stat -c %s /mnt/x")
    made.bundle.mount("/mnt", "tmpfs", "size=1m", kind="tmpfs")
    out = made.run_ok()
    assert "No space left" in out and out.split()[-1] == str(1 << 20)


def test_a_directory_is_bind_mounted_writable(container, source):
    made = container(shell="cat /mnt/file; echo from the container > /mnt/new")
    made.bundle.mount("/mnt", source, "bind")
    assert made.run_ok() == "from the host\n"
    with open(f"{source}/new", encoding="utf-8") as file:
        assert file.read() == "from the container\n"


def test_a_read_only_bind_mount_cannot_be_written(container, source):
    made = container(shell="cat /mnt/file; touch /mnt/new")
    made.bundle.mount("/mnt", source, "bind", "ro")
    result = made.run()
    assert result.stdout == "from the host\n"
    assert result.returncode == 1 and "Read-only file system" in result.stderr
    assert os.listdir(source) == ["file"]
    assert "rw" in mount_at(system.mounts_of("self"), "/").options


def test_a_file_is_bind_mounted(container, source):
    made = container(shell="cat /etc/mounted; test -f /etc/mounted; echo x >> /etc/mounted")
    made.bundle.mount("/etc/mounted", f"{source}/file", "bind", "ro")
    result = made.run()
    assert result.stdout == "from the host\n" and "Read-only file system" in result.stderr


def test_a_file_is_bind_mounted_over_a_file(container, source):
    made = container("cat", "/etc/passwd")
    made.bundle.mount("/etc/passwd", f"{source}/file", "rbind", "rprivate")
    assert made.run_ok() == "from the host\n"


@pytest.mark.parametrize("more", [[], ["tmpcopyup"]], ids=["plain", "tmpcopyup"])
def test_a_read_only_tmpfs_holds_what_is_mounted_and_made_in_it(container, source, more):
    """podman run --read-only --read-only-tmpfs=false"""
    made = container(shell="cat /own/in/file; ls /dev/null; for x in /dev /own /dev/shm; do touch $x/new; done")
    for mount in made.bundle.config["mounts"]:
        if mount["destination"] == "/dev":
            mount["options"].append("ro")
    made.bundle.mount("/own", "tmpfs", "ro", *more, kind="tmpfs").mount("/own/in", source, "bind")
    result = made.run()
    assert result.stdout == "from the host\n/dev/null\n", result
    refused = [line.split(":")[1].strip() for line in result.stderr.splitlines() if "Read-only file system" in line]
    assert refused == ["/dev/new", "/own/new"], result


@pytest.mark.parametrize("options", [[], ["ro"], ["nosuid"]], ids=str)
@pytest.mark.parametrize("kind", ["directory", "file"])
def test_in_a_user_namespace_a_source_is_mounted_that_only_the_hosts_root_can_reach(container, workdir, kind, options):
    """Podman 5's directories are 0700."""
    hidden = f"{workdir}/hidden/below"
    os.makedirs(hidden)
    os.chmod(f"{workdir}/hidden", 0o700)
    with open(f"{hidden}/file", "w", encoding="ascii") as file:
        file.write("text\n")
    made = container("cat", "/mnt/file" if kind == "directory" else "/etc/file")
    os.mkdir(f"{made.bundle.rootfs}/mnt")
    made.bundle.user_namespace()
    if kind == "directory":
        made.bundle.mount("/mnt", hidden, "rbind", *options)
    else:
        made.bundle.mount("/etc/file", f"{hidden}/file", "bind", *options)
    assert made.run_ok() == "text\n"


def test_a_type_of_none_or_bind_or_nothing_with_bind_is_a_bind_mount(container, source):
    for kind in ("none", "bind", ""):
        made = container("cat", "/mnt/file")
        made.bundle.mount("/mnt", source, "bind", kind=kind)
        assert made.run_ok() == "from the host\n"


def test_a_relative_source_is_meant_from_the_bundle(container):
    made = container("cat", "/mnt/file")
    os.mkdir(f"{made.bundle.path}/data")
    with open(f"{made.bundle.path}/data/file", "w", encoding="utf-8") as file:
        file.write("in the bundle")
    made.bundle.mount("/mnt", "data", "bind")
    assert made.run_ok() == "in the bundle"


@pytest.fixture
def nested(source):
    """Another file system mounted below the source."""
    os.mkdir(f"{source}/inner")
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", f"{source}/inner"], check=True)
    with open(f"{source}/inner/deep", "w", encoding="utf-8") as file:
        file.write("deep\n")
    yield source
    subprocess.run(["umount", "-R", f"{source}/inner"], check=True)


def test_rbind_brings_the_mounts_below(container, nested):
    made = container("cat", "/mnt/inner/deep")
    made.bundle.mount("/mnt", nested, "rbind")
    assert made.run_ok() == "deep\n"


def test_bind_does_not_bring_the_mounts_below(container, nested):
    made = container("ls", "/mnt/inner")
    made.bundle.mount("/mnt", nested, "bind")
    assert made.run_ok() == ""


def test_rro_is_recursive(container, nested):
    made = container(shell="touch /mnt/x; touch /mnt/inner/x")
    made.bundle.mount("/mnt", nested, "rbind", "rro")
    assert made.run().stderr.count("Read-only file system") == 2


def test_flags_of_a_bind_mount(container, source):
    made = container()
    made.bundle.mount("/mnt", source, "rbind", "nosuid", "nodev", "noexec", "noatime", "ro")
    assert {"nosuid", "nodev", "noexec", "noatime", "ro"} <= mount_at(mounts_in(made), "/mnt").options


def test_noexec_is_enforced(container, source):
    os.symlink("/bin/busybox", f"{source}/link")
    with open(f"{source}/tool", "w", encoding="utf-8") as file:
        file.write("#!/bin/sh\necho ran\n")
        os.fchmod(file.fileno(), 0o755)
    made = container(shell="/mnt/tool")
    made.bundle.mount("/mnt", source, "bind")
    assert made.run_ok() == "ran\n"
    made.bundle.config["mounts"][-1]["options"].append("noexec")
    assert made.run().returncode == 126


@pytest.mark.parametrize(
    "option, sign",
    [
        *(("rprivate", ""), ("rslave", "master:"), ("rshared", "shared:")),
        *(("private", ""), ("slave", "master:"), ("shared", "shared:")),
    ],
)
def test_propagation(container, source, option, sign):
    subprocess.run(["mount", "--bind", source, source], check=True)
    subprocess.run(["mount", "--make-shared", source], check=True)
    try:
        made = container()
        made.bundle.mount("/mnt", source, "rbind", option)
        propagation = " ".join(mount_at(mounts_in(made), "/mnt").propagation)
        assert sign in propagation if sign else propagation == "", propagation
    finally:
        subprocess.run(["umount", source], check=True)


def test_a_later_mount_of_the_host_reaches_a_slave(container, source):
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", source], check=True)
    subprocess.run(["mount", "--make-shared", source], check=True)
    try:
        os.mkdir(f"{source}/later")
        made = container("sleep", "100")
        made.bundle.mount("/mnt", source, "rbind", "rslave")
        made.up()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12k", "tmpfs", f"{source}/later"], check=True)
        mounts = parse_mounts(made.exec_ok("cat", "/proc/self/mountinfo"))
        assert "size=12k" in mount_at(mounts, "/mnt/later").super_options
        made.stop()
        made.delete()
    finally:
        subprocess.run(["umount", "-R", source], check=True)


def test_the_roots_propagation_can_be_asked_for(container):
    made = container()
    made.bundle.linux["rootfsPropagation"] = "private"
    assert mount_at(mounts_in(made), "/").propagation == []


def test_mounts_in_their_order(container, source):
    """A later one may lie in an earlier one."""
    made = container("cat", "/run/deep/below/file")
    made.bundle.mount("/run", "tmpfs", kind="tmpfs").mount("/run/deep/below", source, "bind")
    assert made.run_ok() == "from the host\n"
    assert os.listdir(f"{made.bundle.rootfs}/run") == []


def test_a_later_mount_hides_an_earlier_one(container, source):
    made = container("ls", "/mnt")
    made.bundle.mount("/mnt", source, "bind").mount("/mnt", "tmpfs", kind="tmpfs")
    assert made.run_ok() == ""


@pytest.mark.ours  # and crun's; runc's since 1.1.8
def test_tmpcopyup_keeps_the_mode_of_the_directory_unless_it_is_told_one(container):
    made = container("stat", "-c", "%a", "/one", "/two")
    for name, options in (("one", []), ("two", ["mode=1770"])):
        os.mkdir(f"{made.bundle.rootfs}/{name}", 0o750)
        made.bundle.mount(f"/{name}", "tmpfs", "tmpcopyup", *options, kind="tmpfs")
    assert made.run_ok() == "750\n1770\n"


def test_tmpcopyup_keeps_what_was_there(container):
    made = container(shell="cat /data/file /data/dir/file; echo changed > /data/file")
    os.makedirs(f"{made.bundle.rootfs}/data/dir")
    for name in ("file", "dir/file"):
        with open(f"{made.bundle.rootfs}/data/{name}", "w", encoding="utf-8") as file:
            file.write(name + "\n")
    made.bundle.mount("/data", "tmpfs", "rw", "nosuid", "nodev", "tmpcopyup", kind="tmpfs")
    assert made.run_ok() == "file\ndir/file\n"
    with open(f"{made.bundle.rootfs}/data/file", encoding="utf-8") as file:
        assert file.read() == "file\n"


# Where a container has its memory cgroup, below /sys/fs/cgroup.
MEMORY = "memory/" if system.on_cgroup_v1() else ""


def test_cgroup_mount(container):
    made = container("sleep", "100").up()
    listed = made.exec_ok("ls", "/sys/fs/cgroup").split()
    if system.on_cgroup_v1():
        assert {"memory", "cpu", "pids", "freezer", "devices"} <= set(listed)
    else:
        assert {"cgroup.procs", "cgroup.events", "memory.max", "pids.max"} <= set(listed)
    # What is the root of it is the container's own cgroup.
    inside = made.exec_ok("cat", f"/sys/fs/cgroup/{MEMORY}cgroup.procs").split()
    assert "1" in inside
    with open(f"{system.cgroup_directory(made.pid, 'memory')}/cgroup.procs", encoding="utf-8") as file:
        assert str(made.pid) in file.read().split()


def test_cgroup_mount_is_read_only(container):
    made = container(shell=f"mkdir /sys/fs/cgroup/{MEMORY}new 2>&1")
    result = made.run()
    assert result.returncode == 1 and "Read-only file system" in result.stdout


# ---- destinations ----


def test_a_missing_target_is_made(container, source):
    made = container(shell="cat /new/deep/file; cat /etc/new/one")
    made.bundle.mount("/new/deep", source, "bind").mount("/etc/new/one", f"{source}/file", "bind")
    assert made.run_ok() == "from the host\nfrom the host\n"
    assert os.path.isdir(f"{made.bundle.rootfs}/new/deep")
    assert os.path.isfile(f"{made.bundle.rootfs}/etc/new/one")


def test_a_symlink_in_the_destination_is_resolved_inside_the_root(container, source):
    """As /var/run -> /run in real images."""
    made = container("cat", "/run/data/file")
    os.symlink("/run", f"{made.bundle.rootfs}/var/run")
    made.bundle.mount("/var/run/data", source, "bind")
    assert made.run_ok() == "from the host\n"


def test_a_destination_that_is_a_symlink(container, source):
    made = container("cat", "/link/file")
    os.symlink("mnt", f"{made.bundle.rootfs}/link")
    os.mkdir(f"{made.bundle.rootfs}/mnt")
    made.bundle.mount("/link", source, "bind")
    assert mount_at(mounts_in(made), "/mnt")


@pytest.mark.parametrize("link", ["absolute", "relative"])
def test_a_symlink_out_of_the_root_is_kept_inside(container, source, workdir, link):
    victim = f"{workdir}/victim"
    os.mkdir(victim)
    made = container("sleep", "100")
    target = victim if link == "absolute" else "../" * 30 + victim[1:]
    os.symlink(target, f"{made.bundle.rootfs}/link")
    made.bundle.mount("/link/new", source, "bind")
    made.up()
    assert os.listdir(victim) == []
    assert made.exec_ok("cat", f"{victim}/new/file") == "from the host\n"


def test_dot_dot_in_a_destination_stays_inside(container, source):
    made = container("cat", "/tmp/escaped/file")
    made.bundle.mount("/../../../tmp/escaped", source, "bind")
    assert made.run_ok() == "from the host\n"
    assert not os.path.exists("/tmp/escaped")


def test_a_relative_destination_is_meant_from_the_root(container, source):
    made = container("cat", "/mnt/file")
    made.bundle.mount("mnt", source, "bind")
    assert made.run_ok() == "from the host\n"


@pytest.mark.parametrize(
    "name", ["a b", "tab\there", "line\nbreak", "back\\slash", "#hash", "quo'te\"", "ä=,:", "040"]
)
def test_any_character_in_a_path(container, source, workdir, name):
    os.rename(source, f"{workdir}/{name}")
    made = container("cat", f"/mnt/{name}/file")
    made.bundle.mount(f"/mnt/{name}", f"{workdir}/{name}", "bind")
    assert made.run_ok() == "from the host\n"


def test_a_very_long_destination(container, source):
    name = "/".join("d" * 200 for _ in range(10))
    made = container("cat", f"/{name}/file")
    made.bundle.mount(f"/{name}", source, "bind")
    assert made.run_ok() == "from the host\n"


def test_a_target_below_a_bind_mount_is_made_there(container, source):
    made = container("ls", "/mnt/new")
    made.bundle.mount("/mnt", source, "bind").mount("/mnt/new", "tmpfs", kind="tmpfs")
    assert made.run_ok() == ""
    assert os.path.isdir(f"{source}/new")


# ---- root, masked and read-only paths ----


def test_a_read_only_root(container):
    result = container(shell="touch /x; touch /dev/shm/x && echo shm is not").run()
    assert "Read-only file system" in result.stderr and result.stdout == "shm is not\n"


def test_a_writable_root(container):
    made = container(shell="echo hi > /x")
    made.bundle.writable()
    made.run_ok()
    assert os.path.exists(f"{made.bundle.rootfs}/x")


def test_the_root_file_system_is_left_as_it_was(container):
    """Nothing of ours is written to it, but missing mount targets."""
    made = container("true")
    os.makedirs(f"{made.bundle.rootfs}/dev/pts")  # below a tmpfs: hidden, not touched

    def listing():
        return sorted(
            os.path.join(directory, name)
            for directory, directories, files in os.walk(made.bundle.rootfs)
            for name in directories + files
        )

    before = listing()
    made.run_ok()
    made.bundle.writable()
    made.run_ok()
    assert listing() == before


def test_masked_paths(container):
    made = container(shell="cat /secret/in-dir /masked-file; ls /secret; head -c 1 /proc/kcore | wc -c")
    os.mkdir(f"{made.bundle.rootfs}/secret")
    for name in ("secret/in-dir", "masked-file"):
        with open(f"{made.bundle.rootfs}/{name}", "w", encoding="utf-8") as file:
            file.write("secret\n")
    made.bundle.writable().linux["maskedPaths"] += ["/secret", "/masked-file", "/no/such/path", "/secret"]
    result = made.run()
    assert result.stdout.split() == ["0"]
    with open(f"{made.bundle.rootfs}/masked-file", encoding="utf-8") as file:
        assert file.read() == "secret\n"


def test_a_masked_directory_cannot_be_written(container):
    made = container(shell="touch /secret/x 2>&1")
    os.mkdir(f"{made.bundle.rootfs}/secret")
    made.bundle.writable().linux["maskedPaths"] = ["/secret"]
    assert "Read-only file system" in made.run().stdout


def test_read_only_paths(container):
    made = container(shell="touch /kept/x 2>&1; cat /kept/file; echo 1 > /proc/sys/kernel/core_pattern")
    os.mkdir(f"{made.bundle.rootfs}/kept")
    with open(f"{made.bundle.rootfs}/kept/file", "w", encoding="utf-8") as file:
        file.write("kept\n")
    made.bundle.writable().linux["readonlyPaths"] += ["/kept", "/no/such/path"]
    result = made.run()
    assert "Read-only file system" in result.stdout and "kept\n" in result.stdout
    assert "Read-only file system" in result.stderr


def test_masked_paths_may_be_left_out(container):
    made = container(shell="head -c 1 /proc/timer_list | wc -c; touch /x")
    made.bundle.writable().linux["maskedPaths"] = None
    made.bundle.linux["readonlyPaths"] = None
    assert made.run_ok() == "1\n"


def test_a_masked_path_that_is_a_symlink_is_not_followed_out_of_the_root(container, workdir):
    with open(f"{workdir}/host-file", "w", encoding="utf-8") as file:
        file.write("host\n")
    made = container("true")
    os.symlink(f"{workdir}/host-file", f"{made.bundle.rootfs}/masked")
    made.bundle.linux["maskedPaths"] = ["/masked"]
    made.run()
    with open(f"{workdir}/host-file", encoding="utf-8") as file:
        assert file.read() == "host\n"
    assert not [mount for mount in system.mounts_of("self") if "host-file" in mount.target]


def test_a_root_given_by_an_absolute_path(container):
    made = container("true")
    made.bundle.config["root"]["path"] = made.bundle.rootfs
    made.run_ok()


@pytest.mark.ours
def test_a_root_given_through_a_symlink(container, workdir):
    made = container("cat", "/etc/passwd")
    os.symlink(made.bundle.rootfs, f"{workdir}/link")
    made.bundle.config["root"]["path"] = f"{workdir}/link"
    assert "root:x" in made.run_ok()


def test_a_root_that_is_a_mount_point(container):
    made = container("ls", "/etc")
    subprocess.run(["mount", "--bind", made.bundle.rootfs, made.bundle.rootfs], check=True)
    try:
        assert "passwd" in made.run_ok()
    finally:
        subprocess.run(["umount", made.bundle.rootfs], check=True)


# ---- refusals ----


def test_a_missing_source_is_an_error_that_names_it(container):
    made = container("true")
    made.bundle.mount("/mnt", "/no/such/source", "bind")
    result = made.run()
    result.assert_refused("/no/such/source")
    assert "/no/such/source" in result.stderr and not made.exists


def test_an_unknown_file_system_is_an_error_that_names_it(container):
    made = container("true")
    made.bundle.mount("/mnt", "none", kind="nosuchfs")
    result = made.run()
    result.assert_refused("nosuchfs", "/mnt")
    assert not made.exists


def test_a_file_over_a_directory_is_an_error_that_names_it(container, source):
    made = container("true")
    made.bundle.mount("/etc", f"{source}/file", "bind")
    result = made.run()
    result.assert_refused("/etc")
    assert not made.exists


@pytest.mark.parametrize("option", ["size=nonsense", "nosuchoption=5", "nosuchoption"])
def test_bad_data_options_are_an_error_that_names_the_mount(container, option):
    made = container("true")
    made.bundle.mount("/mnt", "tmpfs", option, kind="tmpfs")
    result = made.run()
    result.assert_refused("/mnt")
    assert not made.exists


def test_an_overlay_of_the_hosts_directories(container, tmp_path):
    """Their names are the host's, also where the container has something under the same names."""
    for name in ("lower", "upper", "work"):
        (tmp_path / name).mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", tmp_path], check=True)
    try:
        for name in ("lower", "upper", "work"):
            (tmp_path / name).mkdir()
        (tmp_path / "lower" / "below").write_text("below\n")
        made = container(shell="cat /over/below; echo new >/over/above")
        options = [f"{key}dir={tmp_path}/{name}" for key, name in (("lower", "lower"), ("upper", "upper"), ("work", "work"))]
        made.bundle.mount("/over", "overlay", *options, kind="overlay")
        assert made.run_ok() == "below\n"
        assert (tmp_path / "upper" / "above").read_text() == "new\n"
        assert os.listdir(tmp_path / "lower") == ["below"]
    finally:
        subprocess.run(["umount", tmp_path], check=True)


# ---- what has to be there before it can be read-only ----


def test_a_read_only_dev_has_its_devices_and_mounts(container):
    made = container(shell="echo x > /dev/null; ls /dev/shm /dev/pts/ptmx; touch /dev/new; grep ' /dev ' /proc/mounts")
    next(mount for mount in made.bundle.config["mounts"] if mount["destination"] == "/dev")["options"].append("ro")
    result = made.run()
    assert result.returncode == 0
    assert "/dev/pts/ptmx" in result.stdout and " ro," in result.stdout
    assert "/dev/new: Read-only file system" in result.stderr


def test_a_mount_in_a_read_only_tmpfs(container, source):
    made = container(shell="cat /mnt/a/b/file; touch /mnt/c")
    made.bundle.mount("/mnt", "tmpfs", "ro", "size=1m", kind="tmpfs")
    made.bundle.mount("/mnt/a/b", source, "rbind")
    result = made.run()
    assert result.stdout == "from the host\n"
    assert "/mnt/c: Read-only file system" in result.stderr


@pytest.mark.parametrize("options", [["rbind"], ["bind", "ro"]])
def test_in_a_user_namespace_a_source_may_lie_where_others_cannot_come(container, source, options):
    made = container("cat", "/mnt/file")
    made.bundle.user_namespace()
    os.makedirs(f"{source}/closed/inner")
    os.rename(f"{source}/file", f"{source}/closed/inner/file")
    os.chmod(f"{source}/closed", 0o700)
    made.bundle.mount("/mnt", f"{source}/closed/inner", *options)
    assert made.run_ok() == "from the host\n"


@pytest.mark.ours  # runc 1.1.5 forgets the bits above 0777
@pytest.mark.parametrize("user_namespace", [False, True])
@pytest.mark.parametrize(
    "mode, options, seen",
    [(0o7777, [], "7777"), (0o710, ["size=1m", "noexec"], "710"), (0o710, ["ro"], "710"), (0o777, ["mode=0410"], "410")],
)
def test_a_tmpfs_has_the_mode_of_what_it_covers_unless_it_says(container, mode, options, seen, user_namespace):
    made = container("stat", "-c", "%a", "/covered/inner")
    os.makedirs(f"{made.bundle.rootfs}/covered/inner")
    if user_namespace:
        made.bundle.user_namespace()
    os.chmod(f"{made.bundle.rootfs}/covered/inner", mode)
    made.bundle.mount("/covered/inner", "tmpfs", *options, kind="tmpfs")
    assert made.run_ok() == f"{seen}\n"
