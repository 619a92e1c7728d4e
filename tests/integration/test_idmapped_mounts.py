# SPDX-License-Identifier: Apache-2.0
"""Mounts with owners of their own: idmap, ridmap, uidMappings and gidMappings of mounts[]."""

import os
import subprocess

import pytest

from lib import system

pytestmark = pytest.mark.ours  # Debian 12's runc and crun don't have them, or not all


def mappings(*rows):
    return [{"containerID": inside, "hostID": outside, "size": size} for inside, outside, size in rows]


@pytest.fixture
def owned(workdir):
    """Makes a directory with a file of each of these owners, named after them."""
    if not system.owners_can_be_mapped(workdir):
        pytest.skip("this kernel has no mapped mounts of tmpfs (Linux 6.3)")

    def make(*owners, name="source"):
        path = f"{workdir}/{name}"
        os.mkdir(path)
        os.chmod(path, 0o755)
        for owner in owners:
            with open(f"{path}/{owner}", "w", encoding="utf-8"):
                pass
            os.chown(f"{path}/{owner}", owner, owner)
        return path

    return make


def give(made, source, *options, uids=(), gids=(), destination="/mnt"):
    made.bundle.mount(destination, source, *options)
    if uids:
        made.bundle.config["mounts"][-1].update(uidMappings=mappings(*uids), gidMappings=mappings(*(gids or uids)))
    return made


OWNERS = "cd /mnt && stat -c '%n=%u:%g' *"


def test_mappings_of_a_mount_change_the_owners_that_are_seen(container, owned):
    source = owned(0, 1000)
    made = give(container(shell=OWNERS), source, "bind", "idmap", uids=[(0, 500, 10), (1000, 7000, 1)])
    assert made.run_ok().split() == ["0=500:500", "1000=7000:7000"]
    assert os.stat(f"{source}/1000").st_uid == 1000


def test_users_and_groups_are_mapped_apart(container, owned):
    made = give(container(shell=OWNERS), owned(0), "bind", "idmap", uids=[(0, 500, 1)], gids=[(0, 600, 1)])
    assert made.run_ok().split() == ["0=500:600"]


def test_mappings_without_the_option_are_applied_all_the_same(container, owned):
    made = give(container(shell=OWNERS), owned(0), "bind", uids=[(0, 500, 1)])
    assert made.run_ok().split() == ["0=500:500"]


def test_whose_owner_has_no_mapping_is_nobodys(container, owned):
    made = give(container(shell=OWNERS), owned(5), "bind", "idmap", uids=[(0, 500, 1)])
    assert made.run_ok().split() == ["5=65534:65534"]


def test_what_is_written_gets_the_owner_that_the_mapping_has_for_the_writer(container, owned):
    source = owned(0)
    os.chmod(source, 0o777)
    made = give(container(shell="touch /mnt/new"), source, "bind", "idmap", uids=[(0, 1000, 1), (1, 0, 1)])
    made.run_ok()
    info = os.stat(f"{source}/new")
    assert (info.st_uid, info.st_gid) == (1, 1)  # root writes, and 1 on the disk is what is seen as 0


def test_without_mappings_the_containers_user_namespace_counts(container, owned):
    source = owned(0, 1000)
    made = give(container(shell=f"{OWNERS}; touch /mnt/new"), source, "bind", "idmap")
    made.bundle.user_namespace(100000, 65536)
    assert made.run_ok().split() == ["0=0:0", "1000=1000:1000"]
    assert os.stat(f"{source}/new").st_uid == 0  # and not 100000


def test_without_the_option_a_user_namespace_sees_nobody(container, owned):
    made = give(container(shell=OWNERS), owned(0, 1000), "bind")
    made.bundle.user_namespace(100000, 65536)
    assert made.run_ok().split() == ["0=65534:65534", "1000=65534:65534"]


def test_mappings_of_a_mount_in_a_user_namespace_need_not_be_its_own(container, owned):
    made = give(container(shell=OWNERS), owned(0, 1000), "bind", "idmap", uids=[(0, 100005, 1), (1000, 100007, 1)])
    made.bundle.user_namespace(100000, 65536)
    assert made.run_ok().split() == ["0=5:5", "1000=7:7"]


def test_a_user_namespace_that_is_joined_counts_too(container, owned):
    first = container("sleep", "100")
    first.bundle.user_namespace(100000, 65536)
    first.up()
    second = give(container(shell=OWNERS), owned(0), "bind", "idmap")
    second.bundle.user_namespace(100000, 65536).with_namespace("user", f"/proc/{first.pid}/ns/user")
    assert second.run_ok().split() == ["0=0:0"]


@pytest.fixture
def nested(owned):
    """A directory with another file system mounted below it that can be mapped, too."""
    source = owned(0)
    os.mkdir(f"{source}/below")
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", f"{source}/below"], check=True)
    with open(f"{source}/below/0", "w", encoding="utf-8"):
        pass
    yield source
    subprocess.run(["umount", f"{source}/below"], check=True)


@pytest.mark.parametrize(("option", "below"), [("idmap", "0:0"), ("ridmap", "500:500")])
def test_ridmap_maps_what_is_mounted_below_too(container, nested, option, below):
    made = give(container("stat", "-c", "%u:%g", "/mnt/0", "/mnt/below/0"), nested, "rbind", option, uids=[(0, 500, 1)])
    assert made.run_ok().split() == ["500:500", below]


def test_other_options_hold_on_a_mapped_mount(container, owned):
    made = give(container(shell="touch /mnt/x || stat -c %u /mnt/0"), owned(0), "bind", "ro", "idmap", uids=[(0, 7, 1)])
    assert made.run_ok().split() == ["7"]
    assert "Read-only" in made.result.stderr


def test_a_mapped_file(container, owned):
    source = owned(0)
    made = give(container("stat", "-c", "%u", "/etc/one"), f"{source}/0", "bind", "idmap", uids=[(0, 9, 1)])
    made.bundle.config["mounts"][-1]["destination"] = "/etc/one"
    made.bundle.writable()
    assert made.run_ok().split() == ["9"]


def test_the_hosts_own_mount_is_not_mapped(container, owned):
    source = owned(0)
    made = give(container("sleep", "100"), source, "bind", "idmap", uids=[(0, 500, 1)]).up()
    assert made.exec_ok("stat", "-c", "%u", "/mnt/0").strip() == "500"
    assert os.stat(f"{source}/0").st_uid == 0


def test_no_process_stays_for_the_mapping(container, owned):
    made = give(container("sleep", "100"), owned(0), "bind", "idmap", uids=[(0, 500, 1)]).up()
    ours = os.readlink("/proc/self/ns/user")
    others = [pid for pid in filter(str.isdigit, os.listdir("/proc")) if user_namespace(pid) not in (None, ours)]
    assert [pid for pid in others if "0 500 1" in uid_map(pid)] == []
    assert system.process_status(made.pid)["Uid"].split()[0] == "0"


def user_namespace(pid):
    try:
        return os.readlink(f"/proc/{pid}/ns/user")
    except OSError:
        return None


def uid_map(pid):
    try:
        with open(f"/proc/{pid}/uid_map", encoding="utf-8") as file:
            return " ".join(file.read().split())
    except OSError:
        return ""


# ---- refused ----


def test_a_mapped_mount_needs_mappings_or_a_user_namespace(container, owned):
    made = give(container("true"), owned(), "bind", "idmap")
    made.run().assert_refused("mounts[7].options", "uid and gid mappings")


def test_only_a_bind_mount_is_mapped(container):
    made = container("true")
    made.bundle.mount("/mnt", "tmpfs", "idmap", kind="tmpfs").user_namespace()
    made.run().assert_refused("mounts[7]", "only supported for bind-mounts")


def test_one_side_alone_is_refused(container, owned):
    made = give(container("true"), owned(), "bind", "idmap", uids=[(0, 500, 1)])
    del made.bundle.config["mounts"][-1]["gidMappings"]
    made.run().assert_refused("mounts[7].gidMappings")


def test_mappings_that_the_kernel_refuses(container, owned):
    made = give(container("true"), owned(), "bind", "idmap", uids=[(0, 500, 10), (5, 900, 10)], gids=[(0, 1, 1)])
    made.run().assert_refused("mounts[7].uidMappings")


def test_a_file_system_that_cannot_be_mapped_is_named(container):
    made = give(container("true"), "/proc/self", "bind", "idmap", uids=[(0, 500, 1)])
    made.bundle.config["mounts"][-1]["source"] = "/sys/kernel"
    made.run().assert_refused("mounts[7]", "MOUNT_ATTR_IDMAP", "/sys/kernel", "filesystem")
