# SPDX-License-Identifier: Apache-2.0
"""What is mounted in a container stays in it: also where everything on the host is shared, as with systemd."""

import os
import subprocess

import pytest

from lib.system import mount_at, parse_mounts


@pytest.fixture
def shared(workdir):
    """A tmpfs that is shared, with a directory to mount on, and one more file system in it."""
    path = f"{workdir}/shared"
    os.mkdir(path)
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", path], check=True)
    subprocess.run(["mount", "--make-shared", path], check=True)
    os.mkdir(f"{path}/in")
    os.mkdir(f"{path}/inner")
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", f"{path}/inner"], check=True)
    os.mkdir(f"{path}/inner/in")
    yield path
    subprocess.run(["umount", "-R", path], check=True)


BINDS = [
    *(["rbind"], ["rbind", "ro"]),  # LXC's; the others are init's
    *(["rbind", "nosuid"], ["rbind", "noexec", "rprivate"], ["rbind", "rnosuid"], ["bind", "nodev"]),
]


def mounts_of(made):
    made.bundle.args("cat", "/proc/self/mountinfo")
    return parse_mounts(made.run_ok())


@pytest.mark.parametrize("options", BINDS)
@pytest.mark.parametrize("user", [False, True])
@pytest.mark.ours  # with runc such a mount hears of the host's
def test_a_bind_mount_has_no_peers(container, shared, options, user):
    made = container()
    made.bundle.mount("/mnt", shared, *options)
    if user:
        made.bundle.user_namespace()
    found = [mount for mount in mounts_of(made) if mount.target.startswith("/mnt")]
    assert found and not [mount for mount in found if mount.propagation], found


@pytest.mark.parametrize("options", [options for options in BINDS if "ro" not in options])
def test_what_is_mounted_on_it_does_not_reach_the_host(container, shared, options):
    where = "/mnt/in" if "bind" in options else "/mnt/inner/in"
    made = container(shell=f"mount -t tmpfs leak {where} && touch {where}/LEAK && ls {where}")
    made.bundle.mount("/mnt", shared, *options).capabilities("CAP_SYS_ADMIN")
    assert made.run_ok() == "LEAK\n"
    assert os.listdir(f"{shared}/in") == [] and os.listdir(f"{shared}/inner/in") == []


@pytest.mark.ours
def test_nor_does_the_host_reach_it(container, shared):
    made = container("sleep", "100")
    made.bundle.mount("/mnt", shared, "rbind", "nosuid")
    made.up()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12k", "tmpfs", f"{shared}/in"], check=True)
    assert "size=12k" not in made.exec_ok("cat", "/proc/self/mountinfo")
    made.stop()
    made.delete()


@pytest.mark.ours
def test_cgroups_have_no_peers(container):
    assert_no_peers(container("cat", "/proc/self/mountinfo"))


@pytest.mark.ours
def test_devices_and_cgroups_in_a_user_namespace_have_no_peers(container):
    made = container("cat", "/proc/self/mountinfo")
    made.bundle.user_namespace()
    assert "/dev/zero" in assert_no_peers(made)


def assert_no_peers(made):
    """On a host where everything is shared: in a mount namespace of its own, this one's stay as they are."""
    made.bundle.write()
    argv = made.runtime.argv("run", "--bundle", made.bundle.path, made.id)
    shell = ["unshare", "-m", "--propagation", "private", "sh", "-c", 'mount --make-rshared / && exec "$@"', "sh"]
    result = made.runtime(argv=[*shell, *argv])
    assert result.returncode == 0, result
    found = [mount for mount in parse_mounts(result.stdout) if mount.propagation]
    assert not found, found
    return result.stdout


@pytest.mark.parametrize("option, top, below", [("shared", True, False), ("rshared", True, True)])
def test_sharing_with_the_host_has_to_be_asked_for(container, shared, option, top, below):
    made = container(
        shell="mount -t tmpfs one /mnt/in && mount -t tmpfs two /mnt/inner/in; touch /mnt/in/x /mnt/inner/in/x"
    )
    made.bundle.mount("/mnt", shared, "rbind", option).capabilities("CAP_SYS_ADMIN")
    made.bundle.linux["rootfsPropagation"] = "rshared"
    made.run_ok()
    assert (os.listdir(f"{shared}/in") == ["x"]) == top
    if made.runtime.is_ours:
        assert (os.listdir(f"{shared}/inner/in") == ["x"]) == below


@pytest.mark.ours
@pytest.mark.parametrize("option, below", [("slave", False), ("rslave", True)])
def test_so_has_hearing_of_its_mounts(container, shared, option, below):
    made = container("sleep", "100")
    made.bundle.mount("/mnt", shared, "rbind", option)
    made.up()
    for directory in ("in", "inner/in"):
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", f"{shared}/{directory}"], check=True)
    targets = {mount.target for mount in parse_mounts(made.exec_ok("cat", "/proc/self/mountinfo"))}
    assert "/mnt/in" in targets and ("/mnt/inner/in" in targets) == below
    made.stop()
    made.delete()


# ---- the root's own (linux.rootfsPropagation) ----


@pytest.fixture
def on_shared(container, shared):
    """A container whose root is on a shared mount of the host's."""

    def make(propagation, *args, shell=None):
        made = container(*args, shell=shell)
        made.bundle.writable().linux["rootfsPropagation"] = propagation
        subprocess.run(["cp", "-a", made.bundle.rootfs, f"{shared}/root"], check=True)
        os.mkdir(f"{shared}/root/late")
        os.mkdir(f"{shared}/volume")
        made.bundle.config["root"]["path"] = f"{shared}/root"
        made.bundle.mount("/silent", f"{shared}/volume", "rbind")
        made.bundle.mount("/private", f"{shared}/volume", "rbind", "rprivate")
        made.bundle.mount("/late-private", f"{shared}/volume", "rbind", "rprivate", "nosuid")
        return made

    return make


@pytest.mark.parametrize("propagation, heard", [("private", False), ("rprivate", False), ("rslave", True)])
def test_whether_the_root_hears_of_the_hosts_mounts(on_shared, shared, propagation, heard):
    check_root_hears(on_shared, shared, propagation, heard)


@pytest.mark.ours  # runc takes it for the root of the host's tree alone
@pytest.mark.parametrize("propagation, heard", [("slave", True), ("shared", False), ("rshared", False), (None, False)])
def test_whether_the_root_hears_of_the_hosts_mounts_as_it_is_written(on_shared, shared, propagation, heard):
    check_root_hears(on_shared, shared, propagation, heard)


def check_root_hears(on_shared, shared, propagation, heard):
    made = on_shared(propagation, "sleep", "100")
    made.up()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12k", "tmpfs", f"{shared}/root/late"], check=True)
    assert ("size=12k" in made.exec_ok("cat", "/proc/self/mountinfo")) == heard
    made.stop()
    made.delete()


@pytest.mark.parametrize("propagation", ["private", "slave", "rslave", "shared", "rshared", "unbindable"])
def test_the_host_never_hears_of_the_roots(on_shared, shared, propagation):
    made = on_shared(propagation, shell="mount -t tmpfs leak /late && touch /late/LEAK && ls /late")
    made.bundle.capabilities("CAP_SYS_ADMIN")
    assert made.run_ok() == "LEAK\n"
    assert os.listdir(f"{shared}/root/late") == []


@pytest.mark.ours
@pytest.mark.parametrize(
    "propagation, root, silent",
    [
        *(("private", "", ""), ("rprivate", "", "")),
        *(("slave", "master:", ""), ("rslave", "master:", "master:")),
        *(("shared", "shared:", ""), ("rshared", "shared:", "shared:")),
        *(("unbindable", "unbindable", ""), ("runbindable", "unbindable", "unbindable")),
    ],
)
def test_what_the_containers_mounts_are_by_it(on_shared, propagation, root, silent):
    mounts = mounts_of(on_shared(propagation))
    for target, expected in (("/", root), ("/silent", silent), ("/private", ""), ("/late-private", "")):
        found = " ".join(mount_at(mounts, target).propagation)
        assert found.startswith(expected) if expected else not found, (target, found)


def test_a_mount_keeps_what_it_asks_for(container, shared):
    """Docker asks for the root's rslave or rshared as soon as one volume has it."""
    made = container()
    made.bundle.mount("/mnt", shared, "rbind", "rslave").mount("/own", shared, "rbind", "rprivate")
    made.bundle.linux["rootfsPropagation"] = "rslave"
    mounts = mounts_of(made)
    assert " ".join(mount_at(mounts, "/mnt").propagation).startswith("master:")
    assert mount_at(mounts, "/own").propagation == []
