# SPDX-License-Identifier: Apache-2.0
"""Options that are for everything below a mount, and options that are changed: on every kind of mount, or refused."""

import json
import os
import subprocess

import pytest

from lib.system import mount_at, parse_mounts


def mounts_in(made):
    made.bundle.args("cat", "/proc/self/mountinfo")
    return parse_mounts(made.run_ok())


# ---- the recursive ones ----


@pytest.mark.ours  # runc 1.1 takes them and does nothing, but for bind mounts
@pytest.mark.parametrize("kind", ["tmpfs", "sysfs", "mqueue", "ramfs"])
def test_recursive_options_of_a_new_file_system(container, kind):
    made = container()
    made.bundle.mount("/mnt", kind, "rro", "rnosuid", "rnodev", "rnoexec", "rnoatime", kind=kind)
    assert {"ro", "nosuid", "nodev", "noexec", "noatime"} <= mount_at(mounts_in(made), "/mnt").options


@pytest.mark.ours
def test_they_are_enforced(container):
    made = container(shell="touch /mnt/x")
    made.bundle.mount("/mnt", "tmpfs", "rro", kind="tmpfs")
    assert "Read-only file system" in made.run().stderr


@pytest.mark.ours
def test_a_tmpfs_is_filled_before_it_is_read_only(container):
    made = container(shell="cat /data/file; touch /data/x")
    os.mkdir(f"{made.bundle.rootfs}/data")
    with open(f"{made.bundle.rootfs}/data/file", "w", encoding="utf-8") as file:
        file.write("copied\n")
    made.bundle.mount("/data", "tmpfs", "tmpcopyup", "rro", kind="tmpfs")
    result = made.run()
    assert result.stdout == "copied\n" and "Read-only file system" in result.stderr


@pytest.mark.ours
@pytest.mark.parametrize("option, sign", [("rro", "ro"), ("rnoatime", "noatime"), ("rnosymfollow", "nosymfollow")])
def test_recursive_options_of_the_cgroups(container, option, sign):
    made = container()
    made.bundle.config["mounts"][-1]["options"] = ["nosuid", "noexec", "nodev", option]
    mounts = [mount for mount in mounts_in(made) if mount.target.startswith("/sys/fs/cgroup")]
    assert mounts and not [mount for mount in mounts if sign not in mount.options], mounts


SIGNS = {"ro", "nosuid", "nodev", "noexec", "noatime", "relatime", "nodiratime", "nosymfollow"}


@pytest.fixture
def tree(workdir):
    """Makes a mount on the host with these flags, and another of them in it."""
    made = []

    def make(flags):
        top = f"{workdir}/tree"
        os.mkdir(top)
        for path in (top, f"{top}/below"):
            subprocess.run(["mount", "-t", "tmpfs", "tmpfs", path], check=True)
            made.append(path)
            if path == top:
                os.mkdir(f"{top}/below")
        for path in made:
            subprocess.run(["mount", "-o", f"remount,bind,{flags}", path], check=True)
        return top

    yield make
    for path in reversed(made):
        subprocess.run(["umount", path], check=True)


# What is given beside rbind; what the host's mounts have; what must be there above and below, and what must not.
RECURSIVE = {
    "rro": ("rw", {"ro"}, set()),
    "rrw": ("ro", set(), {"ro"}),
    "rnosuid": ("rw", {"nosuid"}, set()),
    "rsuid": ("nosuid", set(), {"nosuid"}),
    "rnodev": ("rw", {"nodev"}, set()),
    "rdev": ("nodev", set(), {"nodev"}),
    "rnoexec": ("rw", {"noexec"}, set()),
    "rexec": ("noexec", set(), {"noexec"}),
    "rnoatime": ("rw", {"noatime"}, {"relatime"}),
    "ratime": ("noatime", {"relatime"}, {"noatime"}),
    "rrelatime": ("noatime", {"relatime"}, {"noatime"}),
    "rnorelatime": ("rw", set(), {"relatime", "noatime"}),
    "rstrictatime": ("rw", set(), {"relatime", "noatime"}),
    "rnostrictatime": ("strictatime", {"relatime"}, {"noatime"}),
    "rnodiratime": ("rw", {"nodiratime"}, set()),
    "rdiratime": ("nodiratime", set(), {"nodiratime"}),
    "rnosymfollow": ("rw", {"nosymfollow"}, set()),
    "rsymfollow": ("nosymfollow", set(), {"nosymfollow"}),
}


@pytest.mark.ours
@pytest.mark.parametrize("option", RECURSIVE)
def test_a_recursive_option_holds_on_what_is_mounted_below_too(container, tree, option):
    before, wanted, unwanted = RECURSIVE[option]
    made = container()
    made.bundle.mount("/mnt", tree(before), "rbind", option)
    mounts = mounts_in(made)
    for target in ("/mnt", "/mnt/below"):
        found = mount_at(mounts, target).options & SIGNS
        assert wanted <= found and not unwanted & found, (target, found)


@pytest.mark.ours
@pytest.mark.parametrize("option", [option for option in RECURSIVE if option not in ("rrw", "rrelatime", "rnorelatime")])
def test_one_that_is_not_recursive_holds_on_the_topmost_mount_alone(container, tree, option):
    before, wanted, unwanted = RECURSIVE[option]
    made = container()
    made.bundle.mount("/mnt", tree(before), "rbind", option[1:])
    mounts = mounts_in(made)
    top, below = (mount_at(mounts, target).options & SIGNS for target in ("/mnt", "/mnt/below"))
    assert wanted <= top and not unwanted & top
    assert below - {"relatime"} == {before} - {"rw", "strictatime"}


@pytest.mark.ours
def test_every_recursive_option_that_features_names_is_tried_here(runtime):
    names = json.loads(runtime.ok("features").stdout)["mountOptions"]
    others = {name[1:] for name in RECURSIVE} | {"bind", "private", "shared", "slave", "unbindable"}
    assert {name for name in names if name[0] == "r" and name[1:] in others} - {
        *("rbind", "rprivate", "rshared", "rslave", "runbindable")
    } == set(RECURSIVE)


@pytest.mark.ours
@pytest.mark.parametrize("kind", ["tmpfs", "bind"])
def test_nosymfollow_is_enforced(container, workdir, kind):
    os.mkdir(f"{workdir}/source")
    made = container(shell="echo text >/mnt/file; ln -s file /mnt/link; cat /mnt/file; cat /mnt/link")
    source, options = (f"{workdir}/source", ["bind"]) if kind == "bind" else ("tmpfs", [])
    made.bundle.mount("/mnt", source, *options, "nosymfollow", kind=kind)
    result = made.run()
    assert result.stdout == "text\n" and "/mnt/link" in result.stderr


@pytest.mark.ours
@pytest.mark.parametrize("given, sign", [
    (["sync"], "sync"), (["dirsync"], "dirsync"), (["mand"], "mand"), (["lazytime"], "lazytime"),
    (["sync", "async"], None), (["mand", "nomand"], None), (["lazytime", "nolazytime"], None),
])  # fmt: skip
@pytest.mark.parametrize("user_namespace", [False, True])
def test_an_option_of_the_file_system(container, given, sign, user_namespace):
    made = container()
    if user_namespace:
        made.bundle.user_namespace()
    made.bundle.mount("/mnt", "tmpfs", *given, kind="tmpfs")
    found = mount_at(mounts_in(made), "/mnt").super_options & {"sync", "dirsync", "mand", "lazytime"}
    assert found == ({sign} if sign else set())


# ---- remount ----


def test_a_remount_changes_the_options_of_the_mount(container):
    made = container(shell="touch /mnt/x")
    made.bundle.mount("/mnt", "tmpfs", kind="tmpfs").mount("/mnt", "tmpfs", "remount", "ro", kind="tmpfs")
    assert "Read-only file system" in made.run().stderr


def test_a_remount_changes_the_options_of_the_file_system(container):
    made = container()
    made.bundle.mount("/mnt", "tmpfs", "size=10m", kind="tmpfs")
    made.bundle.mount("/mnt", "tmpfs", "remount", "size=1m", "nr_inodes=50", kind="tmpfs")
    assert {"size=1024k", "nr_inodes=50"} <= mount_at(mounts_in(made), "/mnt").super_options


@pytest.mark.ours
@pytest.mark.parametrize("option", ["size=nonsense", "nosuchoption=1", "nosuchoption"])
def test_a_bad_one_is_an_error_that_names_the_mount(container, option):
    made = container("true")
    made.bundle.mount("/mnt", "tmpfs", kind="tmpfs").mount("/mnt", "tmpfs", "remount", option, kind="tmpfs")
    made.run().assert_refused("mounts[8]", "/mnt")
    assert not made.exists


@pytest.mark.ours
@pytest.mark.parametrize("kind", ["tmpfs", "bind"])
def test_the_hosts_file_systems_are_not_changed(container, workdir, kind):
    """Of a bind mount they are the host's."""
    os.mkdir(f"{workdir}/source")
    made = container("true")
    made.bundle.mount("/mnt", f"{workdir}/source", "bind")
    made.bundle.mount("/mnt", "tmpfs", "remount", "size=1m", kind=kind)
    made.run().assert_refused("mounts[8].options", "size=1m", "/mnt")


def test_a_remount_in_a_user_namespace(container):
    made = container()
    made.bundle.user_namespace().mount("/mnt", "tmpfs", "size=10m", kind="tmpfs")
    made.bundle.mount("/mnt", "tmpfs", "remount", "size=1m", "ro", kind="tmpfs")
    mount = mount_at(mounts_in(made), "/mnt")
    assert "size=1024k" in mount.super_options and "ro" in mount.options


# ---- where the pid namespace is shared ----


@pytest.mark.ours
def test_the_procfs_of_a_shared_pid_namespace_is_as_it_was_asked_for(container):
    """One mount, and the one with these options."""
    made = container()
    made.bundle.without_namespace("pid").config["mounts"][0]["options"] = ["nosuid", "noexec", "noatime"]
    mounts = [mount for mount in mounts_in(made) if mount.target == "/proc"]
    assert len(mounts) == 1 and "noatime" in mounts[0].options


@pytest.mark.ours
def test_without_one_in_the_file_there_is_none(container):
    made = container(shell="ls /proc")
    made.bundle.without_namespace("pid").linux.update(maskedPaths=[], readonlyPaths=[])
    made.bundle.config["mounts"] = made.bundle.config["mounts"][1:]
    assert made.run_ok() == ""
