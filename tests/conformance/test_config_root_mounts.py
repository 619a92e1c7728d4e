# SPDX-License-Identifier: Apache-2.0
"""config.md: the version, the root, mounts and their options."""

import os
import subprocess

import pytest

from clauses import MOUNT_OPTIONS, clause, each
from lib import system
from lib.system import mount_at, parse_mounts


def mounts_in(made):
    made.bundle.args("cat", "/proc/self/mountinfo")
    return parse_mounts(made.run_ok())


@clause("ociVersion")
@pytest.mark.parametrize("version", ["1", "1.0", "one", "", "1.0.x", "v1.0.0", None, 1], ids=repr)
def test_a_version_that_is_not_semver_is_an_error(container, refused, version):
    made = container("true")
    made.bundle.config["ociVersion"] = version
    refused(made)


@clause("ociVersion")
@pytest.mark.parametrize("version", ["1.0.0", "1.0.2-dev", "1.1.0-rc.1", "1.2.1", "1.3.0", "1.0.2+build.5"])
def test_every_1_x_is_known(container, version):
    made = container("echo", "ran")
    made.bundle.config["ociVersion"] = version
    assert made.run_ok() == "ran\n"


# ---- root ----


@clause("root-required")
@pytest.mark.parametrize("root", [None, {}, {"readonly": True}], ids=repr)
def test_a_root_is_required(container, refused, root):
    made = container("true")
    made.bundle.config["root"] = root
    refused(made)


@clause("root-directory")
@pytest.mark.parametrize("path", ["/no/such/directory", "nowhere", "/etc/passwd"])
def test_a_directory_must_exist_there(container, refused, path):
    made = container("true")
    made.bundle.config["root"]["path"] = path
    refused(made)


@clause("root-path-relative")
@pytest.mark.parametrize("relative", [True, False])
def test_the_path_is_absolute_or_relative_to_the_bundle(container, relative):
    made = container("cat", "/etc/marker")
    with open(f"{made.bundle.rootfs}/etc/marker", "w", encoding="utf-8") as file:
        file.write("this one\n")
    made.bundle.config["root"]["path"] = "rootfs" if relative else made.bundle.rootfs
    assert made.run_ok(cwd="/") == "this one\n"


@clause("root-readonly")
def test_a_read_only_root(container):
    result = container(shell="touch /file").run()
    assert result.returncode != 0 and "Read-only file system" in result.stderr


@clause("root-readonly")
@pytest.mark.parametrize("root", [{"path": "rootfs"}, {"path": "rootfs", "readonly": False}], ids=repr)
def test_the_root_is_writable_otherwise(container, root):
    made = container(shell="echo text > /file; cat /file")
    made.bundle.config["root"] = root
    assert made.run_ok() == "text\n"


# ---- mounts ----


@clause("mounts-order")
def test_mounts_are_made_in_the_listed_order(container, workdir):
    """What covers a mount, and what lies below one, show which came first."""
    for name in ("first", "second"):
        os.makedirs(f"{workdir}/{name}/below")
        with open(f"{workdir}/{name}/file", "w", encoding="utf-8") as file:
            file.write(f"{name}\n")
    made = container(shell="cat /mnt/file /mnt/below/file; ls /later")
    made.bundle.mount("/mnt", f"{workdir}/first", "bind").mount("/mnt", f"{workdir}/second", "bind")
    made.bundle.mount("/mnt/below", f"{workdir}/first", "bind")
    made.bundle.mount("/later/covered", "tmpfs", kind="tmpfs").mount("/later", "tmpfs", kind="tmpfs")
    assert made.run_ok() == "second\nfirst\n"


@clause("mounts-destination-required")
@pytest.mark.parametrize("entry", [{"type": "tmpfs", "source": "tmpfs"}, {"destination": None, "type": "tmpfs"}])
def test_a_destination_is_required(container, refused, entry):
    made = container("true")
    made.bundle.config["mounts"].append(entry)
    refused(made)


@clause("mounts-destination-relative")
@pytest.mark.parametrize("destination", ["mnt/here", "./mnt/here"])
def test_a_relative_destination_is_meant_from_the_root(container, destination):
    made = container()
    made.bundle.process["cwd"] = "/tmp"
    made.bundle.mount(destination, "tmpfs", kind="tmpfs")
    assert mount_at(mounts_in(made), "/mnt/here").type == "tmpfs"


@clause("mounts-source-relative")
@pytest.mark.parametrize("relative", [True, False])
def test_a_source_is_absolute_or_relative_to_the_bundle(container, relative):
    made = container("cat", "/mnt/file")
    os.mkdir(f"{made.bundle.path}/data")
    with open(f"{made.bundle.path}/data/file", "w", encoding="utf-8") as file:
        file.write("text\n")
    made.bundle.mount("/mnt", "data" if relative else f"{made.bundle.path}/data", "bind")
    assert made.run_ok(cwd="/") == "text\n"


@clause("create-properties")
def test_every_mount_of_the_config_is_there_with_its_type_and_source(container):
    made = container()
    asked = [entry for entry in made.bundle.config["mounts"] if entry["type"] != "cgroup"]
    mounts = mounts_in(made)
    for entry in asked:
        found = mount_at(mounts, entry["destination"])
        assert (found.type, found.source) == (entry["type"], entry["source"])


# ---- options ----


class Seen:
    """A mount in a container: what its line in mountinfo says."""

    def __init__(self, mount):
        self.flags = mount.options
        self.super = mount.super_options
        self.propagation = {word.partition(":")[0] for word in mount.propagation}


# For each option: what is given, and what then must hold. Some have no sign in mountinfo; they are taken, and don't
# reach the file system, which would refuse them.
TMPFS = {
    "async": (["sync", "async"], lambda seen: "sync" not in seen.super),
    "atime": (["noatime", "atime"], lambda seen: "noatime" not in seen.flags),
    "defaults": (["defaults"], lambda seen: not seen.flags & {"ro", "nosuid", "nodev", "noexec", "noatime"}),
    "dev": (["nodev", "dev"], lambda seen: "nodev" not in seen.flags),
    "diratime": (["nodiratime", "diratime"], lambda seen: "nodiratime" not in seen.flags),
    "dirsync": (["dirsync"], lambda seen: "dirsync" in seen.super),
    "exec": (["noexec", "exec"], lambda seen: "noexec" not in seen.flags),
    "iversion": (["iversion"], lambda seen: "rw" in seen.flags),
    "lazytime": (["lazytime"], lambda seen: "lazytime" in seen.super),
    "loud": (["silent", "loud"], lambda seen: "rw" in seen.flags),
    "noatime": (["noatime"], lambda seen: "noatime" in seen.flags),
    "nodev": (["nodev"], lambda seen: "nodev" in seen.flags),
    "nodiratime": (["nodiratime"], lambda seen: "nodiratime" in seen.flags),
    "noexec": (["noexec"], lambda seen: "noexec" in seen.flags),
    "noiversion": (["iversion", "noiversion"], lambda seen: "rw" in seen.flags),
    "nolazytime": (["lazytime", "nolazytime"], lambda seen: "lazytime" not in seen.super),
    "norelatime": (["relatime", "norelatime"], lambda seen: "rw" in seen.flags),
    "nostrictatime": (["strictatime", "nostrictatime"], lambda seen: "relatime" in seen.flags),
    "nosuid": (["nosuid"], lambda seen: "nosuid" in seen.flags),
    "relatime": (["relatime"], lambda seen: "relatime" in seen.flags),
    "ro": (["ro"], lambda seen: "ro" in seen.flags),
    "rw": (["ro", "rw"], lambda seen: "rw" in seen.flags),
    "silent": (["silent"], lambda seen: "rw" in seen.flags),
    "strictatime": (["strictatime"], lambda seen: not seen.flags & {"relatime", "noatime"}),
    "suid": (["nosuid", "suid"], lambda seen: "nosuid" not in seen.flags),
    "sync": (["sync"], lambda seen: "sync" in seen.super),
}
PROPAGATION = {
    "private": set(),
    "rprivate": set(),
    "shared": {"shared"},
    "rshared": {"shared"},
    "slave": {"master"},
    "rslave": {"master"},
    "unbindable": {"unbindable"},
    "runbindable": {"unbindable"},
}
OTHERS = ("bind", "rbind", "remount")


def test_the_table_of_options_is_complete():
    assert set(TMPFS) | set(PROPAGATION) | set(OTHERS) == set(MOUNT_OPTIONS)


@pytest.mark.parametrize("option", each(TMPFS, "mount-option-{}"))
def test_an_option_of_a_new_file_system(container, option):
    given, holds = TMPFS[option]
    made = container()
    made.bundle.mount("/mnt", "tmpfs", *given, kind="tmpfs")
    found = mount_at(mounts_in(made), "/mnt")
    assert holds(Seen(found)), found


@pytest.mark.parametrize(
    "option", [option for option in TMPFS if option in ("nodev", "nosuid", "noexec", "noatime", "nodiratime", "ro")]
)
def test_an_option_of_a_bind_mount(container, workdir, option):
    made = container()
    made.bundle.mount("/mnt", workdir, "bind", *TMPFS[option][0])
    found = mount_at(mounts_in(made), "/mnt")
    assert TMPFS[option][1](Seen(found)), found


@pytest.fixture
def tree(workdir):
    """A shared mount on the host with another in it."""
    top = f"{workdir}/tree"
    os.mkdir(top)
    subprocess.run(["mount", "-t", "tmpfs", "top", top], check=True)
    subprocess.run(["mount", "--make-rshared", top], check=True)
    os.mkdir(f"{top}/below")
    subprocess.run(["mount", "-t", "tmpfs", "below", f"{top}/below"], check=True)
    for directory in (top, f"{top}/below"):
        with open(f"{directory}/file", "w", encoding="utf-8") as file:
            file.write(f"{os.path.basename(directory)}\n")
    yield top
    subprocess.run(["umount", "-R", top], check=True)


@pytest.mark.parametrize("option, seen", [
    pytest.param("bind", "tree\n", marks=clause("mount-option-bind")),
    pytest.param("rbind", "tree\nbelow\n", marks=clause("mount-option-rbind")),
])  # fmt: skip
def test_a_bind_mount(container, tree, option, seen):
    made = container(shell="cat /mnt/file; cat /mnt/below/file 2>/dev/null; true")
    made.bundle.mount("/mnt", tree, option, kind="none")
    assert made.run_ok() == seen


@clause("mount-option-remount")
def test_a_remount(container):
    made = container()
    made.bundle.mount("/mnt", "tmpfs", kind="tmpfs").mount("/mnt", "tmpfs", "remount", "ro", kind="tmpfs")
    mounts = mounts_in(made)
    assert "ro" in mount_at(mounts, "/mnt").options
    assert len([mount for mount in mounts if mount.target == "/mnt"]) == 1


@pytest.mark.parametrize("option", each(PROPAGATION, "mount-option-{}"))
def test_the_propagation_of_a_bind_mount(container, tree, option):
    made = container()
    made.bundle.mount("/mnt", tree, "rbind", option, kind="none")
    mounts = mounts_in(made)
    assert Seen(mount_at(mounts, "/mnt")).propagation == PROPAGATION[option]
    if option.startswith("r"):
        assert Seen(mount_at(mounts, "/mnt/below")).propagation == PROPAGATION[option]


# ---- id mappings of mounts ----

MAPPING = [{"containerID": 0, "hostID": 100000, "size": 65536}]


@pytest.mark.parametrize("option", [
    pytest.param("idmap", marks=clause("mount-idmap", "mount-idmap-mappings")),
    pytest.param("ridmap", marks=clause("mount-ridmap")),
])  # fmt: skip
def test_a_mount_with_mapped_ids(container, tree, option):
    """Whoever owns a file in the source's file system is somebody else in the mount: 0 is 100000 there."""
    if not system.owners_can_be_mapped(tree):
        pytest.skip("this kernel has no mapped mounts of tmpfs (Linux 6.3)")
    made = container("stat", "-c", "%u:%g", "/mnt/file", "/mnt/below/file")
    made.bundle.mount("/mnt", tree, "rbind", option, kind="none")
    made.bundle.config["mounts"][-1].update(uidMappings=MAPPING, gidMappings=MAPPING)
    below = "100000:100000" if option == "ridmap" else "0:0"
    assert made.run_ok().split() == ["100000:100000", below]


@pytest.mark.parametrize("option", each(["idmap", "ridmap"], "mount-{}-without"))
def test_a_mount_without_mappings_and_without_a_user_namespace_is_an_error(container, refused, workdir, option):
    made = container("true")
    made.bundle.mount("/mnt", workdir, "bind", option)
    refused(made)


@clause("mount-mappings-together")
@pytest.mark.parametrize("field", ["uidMappings", "gidMappings"])
def test_one_mapping_without_the_other_is_an_error(container, refused, workdir, field):
    made = container("true")
    made.bundle.mount("/mnt", workdir, "bind", "idmap")
    made.bundle.config["mounts"][-1][field] = MAPPING
    refused(made)


def test_the_hosts_side_is_as_it_was(tree):
    assert [mount.target for mount in system.mounts_of("self") if mount.target.startswith(tree)] == [
        tree,
        f"{tree}/below",
    ]
