# SPDX-License-Identifier: Apache-2.0
"""CVE-2025-52881: what the runtime writes below /proc goes elsewhere.

sysctls and labels are files below /proc. With a mount or a symlink in the way, a harmless value ends up in
another file, written with the runtime's rights: /proc/sysrq-trigger, /proc/sys/kernel/core_pattern.
"""

import os

import pytest

@pytest.fixture
def evil(workdir):
    """Looks like /proc/sys, and one of its files is another."""
    os.makedirs(f"{workdir}/evil/kernel")
    with open(f"{workdir}/hit", "w", encoding="utf-8"):
        pass
    os.symlink(f"{workdir}/hit", f"{workdir}/evil/kernel/msgmax")
    return f"{workdir}/evil"


@pytest.mark.parametrize("destination", ["/proc/sys", "/proc/sys/kernel", "proc/./sys", "/x/../proc/sys/"])
@pytest.mark.parametrize("options", [["bind"], ["rbind", "nosuid"]])
def test_a_volume_on_proc_sys_is_refused(container, evil, workdir, destination, options):
    made = container("true")
    made.bundle.mount(destination, evil, *options).linux["sysctl"] = {"kernel.msgmax": "77"}
    made.run().assert_refused("mounts[7].destination", destination, "inside /proc")
    assert os.path.getsize(f"{workdir}/hit") == 0 and not made.exists


def test_a_volume_on_proc_is_refused(container, workdir, evil):
    os.rename(evil, f"{workdir}/sys")
    os.mkdir(evil)
    os.rename(f"{workdir}/sys", f"{evil}/sys")
    made = container("true")
    made.bundle.mount("/proc", evil, "bind").linux["sysctl"] = {"kernel.msgmax": "77"}
    made.run().assert_refused("mounts[7].destination", "/proc", "not of type proc")
    assert os.path.getsize(f"{workdir}/hit") == 0 and not made.exists


@pytest.mark.parametrize("target", ["/proc/sys", "/proc/self/../sys", "/loop/sys", "/proc"])
def test_an_images_symlink_does_not_bring_it_there(container, evil, workdir, target):
    made = container("true")
    os.symlink("/proc", f"{made.bundle.rootfs}/loop")
    os.symlink(target, f"{made.bundle.rootfs}/data")
    made.bundle.mount("/data", evil, "rbind").linux["sysctl"] = {"kernel.msgmax": "77"}
    made.run().assert_refused("mounts[7]", "/data")
    assert os.path.getsize(f"{workdir}/hit") == 0


def test_a_volumes_symlink_does_not_bring_it_there(container, evil, workdir):
    os.mkdir(f"{workdir}/volume")
    os.symlink("/proc/sys", f"{workdir}/volume/link")
    made = container("true")
    made.bundle.mount("/data", f"{workdir}/volume", "rbind").mount("/data/link", evil, "rbind")
    made.bundle.linux["sysctl"] = {"kernel.msgmax": "77"}
    made.run().assert_refused("mounts[8].destination", "/data/link")
    assert os.path.getsize(f"{workdir}/hit") == 0


@pytest.mark.ours
def test_a_sysctl_is_set_where_the_container_has_no_proc(container):
    """It is written through the host's, whatever is on the container's."""
    with open("/proc/sys/kernel/msgmax", encoding="utf-8") as file:
        before = file.read()
    made = container(shell="ls /proc; mkdir /tmp/proc; mount -t proc proc /tmp/proc; cat /tmp/proc/sys/kernel/msgmax")
    made.bundle.writable().capabilities("CAP_SYS_ADMIN")
    made.bundle.config["mounts"] = [m for m in made.bundle.config["mounts"] if m["destination"] != "/proc"]
    made.bundle.linux.update(sysctl={"kernel.msgmax": "7777"}, maskedPaths=[], readonlyPaths=[])
    assert made.run_ok() == "7777\n"
    with open("/proc/sys/kernel/msgmax", encoding="utf-8") as file:
        assert file.read() == before


def test_a_sysctl_is_set_below_a_covered_file(container, workdir):
    """The files that lxcfs covers may be covered; a sysctl is none of them."""
    with open(f"{workdir}/uptime", "w", encoding="utf-8") as file:
        file.write("1.00 1.00\n")
    made = container("cat", "/proc/uptime", "/proc/sys/kernel/msgmax")
    made.bundle.mount("/proc/uptime", f"{workdir}/uptime", "bind").linux["sysctl"] = {"kernel.msgmax": "7777"}
    assert made.run_ok() == "1.00 1.00\n7777\n"


@pytest.mark.parametrize("key, file", [("net.ipv4.ip_unprivileged_port_start", "net/ipv4/ip_unprivileged_port_start")])
def test_a_sysctl_in_a_user_namespace(container, key, file):
    with open(f"/proc/sys/{file}", encoding="utf-8") as host:
        before = host.read()
    made = container("cat", f"/proc/sys/{file}")
    made.bundle.user_namespace().linux["sysctl"] = {key: "81"}
    assert made.run_ok() == "81\n"
    with open(f"/proc/sys/{file}", encoding="utf-8") as host:
        assert host.read() == before != "81\n"


@pytest.mark.ours
def test_a_sysctl_is_set_where_the_runtimes_own_can_only_be_read(container):
    """As in a container of Docker's."""
    made = container("cat", "/proc/sys/kernel/msgmax")
    made.bundle.linux["sysctl"] = {"kernel.msgmax": "7777"}
    made.bundle.write()
    argv = made.runtime.argv("run", "--bundle", made.bundle.path, made.id)
    script = 'mount -o bind,ro /proc/sys /proc/sys && exec "$@"'
    result = made.runtime(argv=["unshare", "-m", "--propagation", "private", "sh", "-c", script, "sh", *argv])
    assert result.stdout == "7777\n", result


def test_no_descriptor_of_the_hosts_proc_reaches_the_program(container):
    made = container(shell="ls -l /proc/self/fd")
    made.bundle.linux["sysctl"] = {"kernel.msgmax": "7777"}
    assert "/proc/sys" not in made.run_ok()


def test_nor_does_a_waiting_container_hold_one(container):
    made = container("true")
    made.bundle.linux["sysctl"] = {"kernel.msgmax": "7777"}
    made.create()
    directory = f"/proc/{made.pid}/fd"
    links = [os.readlink(f"{directory}/{name}") for name in os.listdir(directory)]
    assert links and not [link for link in links if link.startswith("/proc") or link == "/sys"]
    made.kill()
    made.wait()


def test_an_error_names_the_sysctl_and_why(container):
    made = container("true")
    made.bundle.linux["sysctl"] = {"net.ipv4.no_such_thing": "1"}
    made.run().assert_refused('linux.sysctl["net.ipv4.no_such_thing"]', "no such file or directory")
    assert not made.exists
