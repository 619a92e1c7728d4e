# SPDX-License-Identifier: Apache-2.0
"""hostname, domainname, and sysctls: the container's, never the host's."""

import os

import pytest


def host_sysctl(name):
    with open("/proc/sys/" + name.replace(".", "/"), encoding="utf-8") as file:
        return file.read().strip()


def test_hostname(container):
    host = os.uname().nodename
    made = container("hostname")
    made.bundle.config["hostname"] = "another-name.example"
    assert made.run_ok() == "another-name.example\n"
    assert os.uname().nodename == host


def test_a_hostname_with_odd_characters_is_one_value(container):
    made = container("cat", "/proc/sys/kernel/hostname")
    made.bundle.config["hostname"] = "a b\tc#d"
    result = made.run()
    assert result.returncode != 0 or result.stdout == "a b\tc#d\n"


def test_a_hostname_that_is_too_long_is_refused(container):
    made = container("true")
    made.bundle.config["hostname"] = "h" * 65
    made.run().assert_refused("hostname")


def test_without_a_hostname_the_new_namespace_has_the_hosts(container):
    made = container("hostname")
    del made.bundle.config["hostname"]
    assert made.run_ok().strip() == os.uname().nodename


def test_a_hostname_without_a_uts_namespace_is_refused(container):
    made = container("true")
    made.bundle.without_namespace("uts")
    made.run().assert_refused("hostname", "uts")
    assert os.uname().nodename != "box"


@pytest.mark.ours
def test_domainname(container):
    made = container("cat", "/proc/sys/kernel/domainname")
    made.bundle.config["domainname"] = "example.org"
    assert made.run_ok() == "example.org\n"
    assert host_sysctl("kernel.domainname") != "example.org"


@pytest.mark.ours
def test_a_domainname_of_a_namespace_that_is_joined(container):
    first = container("sleep", "100").up()
    second = container("true")
    second.bundle.with_namespace("uts", f"/proc/{first.pid}/ns/uts")
    second.bundle.config["domainname"] = "example.org"
    second.run_ok()
    assert first.exec_ok("cat", "/proc/sys/kernel/domainname") == "example.org\n"


@pytest.mark.ours
def test_a_domainname_without_a_uts_namespace_is_refused(container):
    made = container("true")
    del made.bundle.config["hostname"]
    made.bundle.config["domainname"] = "example.org"
    made.bundle.without_namespace("uts")
    made.run().assert_refused("domainname", "uts")


@pytest.mark.parametrize(
    "name, value",
    [
        ("net.ipv4.ip_unprivileged_port_start", "7"),
        ("net.ipv4.ping_group_range", "0\t2147483647"),
        ("kernel.shmmax", "123456789"),
        ("kernel.msgmax", "9000"),
        ("kernel.sem", "100\t32000\t100\t128"),
        ("fs.mqueue.msg_max", "11"),
    ],
)
def test_a_sysctl_is_set_inside_and_not_on_the_host(container, name, value):
    before = host_sysctl(name)
    made = container("cat", "/proc/sys/" + name.replace(".", "/"))
    made.bundle.linux["sysctl"] = {name: value.replace("\t", " ")}
    assert made.run_ok().strip() == value
    assert host_sysctl(name) == before != value


def test_sysctls_are_set_though_proc_sys_is_read_only(container):
    made = container(shell="cat /proc/sys/kernel/shmmni; echo 1 > /proc/sys/kernel/shmmni")
    made.bundle.linux["sysctl"] = {"kernel.shmmni": "333"}
    result = made.run()
    assert result.stdout == "333\n" and "Read-only file system" in result.stderr


@pytest.mark.parametrize("name", ["vm.swappiness", "kernel.panic", "fs.file-max", "no.such.sysctl"])
def test_a_sysctl_of_the_whole_machine_is_refused(container, name):
    made = container("true")
    made.bundle.linux["sysctl"] = {name: "1"}
    result = made.run()
    result.assert_refused(name)
    assert name in result.stderr and not made.exists


@pytest.mark.parametrize(
    "name, kind", [("net.ipv4.ip_forward", "network"), ("kernel.shmmax", "ipc"), ("fs.mqueue.msg_max", "ipc")]
)
def test_a_sysctl_of_a_namespace_that_is_the_hosts_is_refused(container, name, kind):
    before = host_sysctl(name)
    made = container("true")
    made.bundle.without_namespace(kind).linux["sysctl"] = {name: "1"}
    result = made.run()
    result.assert_refused(name)
    assert name in result.stderr and host_sysctl(name) == before


def test_a_sysctl_cannot_climb_out(container):
    made = container("true")
    made.bundle.linux["sysctl"] = {"net.ipv4/../../vm/swappiness": "1"}
    before = host_sysctl("vm.swappiness")
    assert made.run().returncode != 0
    assert host_sysctl("vm.swappiness") == before


def test_a_bad_value_is_an_error_that_names_the_sysctl(container):
    made = container("true")
    made.bundle.linux["sysctl"] = {"kernel.shmmni": "not-a-number"}
    result = made.run()
    result.assert_refused("kernel.shmmni")
    assert result.returncode != 0 and not made.exists


def test_sysctl_null_is_absent(container):
    made = container("true")
    made.bundle.linux["sysctl"] = None
    made.run_ok()
