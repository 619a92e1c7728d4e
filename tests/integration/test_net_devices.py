# SPDX-License-Identifier: Apache-2.0
"""linux.netDevices: devices of the host that are moved into the container's network namespace.

The host is a network namespace of the test's own (lib/network.py). Devices are veth ends, whose other ends stay.
"""

import json

import pytest

from lib import system
from lib.network import BRIDGE, Network

pytestmark = pytest.mark.ours

MAC = "02:00:5e:10:00:01"


@pytest.fixture
def host(runtime, workdir):
    """The runtime is called in its network namespace; `dev0` is there to be moved, `peer0` is its other end."""
    made = Network(workdir, runtime.environment)
    runtime.argv = lambda *args: [*made.enter, runtime.command, *runtime.global_flags, *map(str, args)]
    made.ip("link", "add", "dev0", "mtu", "1300", "address", MAC, "type", "veth", "peer", "name", "peer0")
    made.ip("addr", "add", "10.84.0.2/24", "broadcast", "10.84.0.255", "dev", "dev0")
    made.ip("addr", "add", "fd84::2/64", "dev", "dev0", "nodad")
    made.ip("addr", "add", "10.84.0.1/24", "dev", "peer0")
    made.ip("link", "set", "peer0", "up")
    yield made
    runtime.clean()
    made.close()


@pytest.fixture
def moved(container, host):
    def make(*args, devices=None, shell=None):
        made = container(*args, shell=shell)
        made.bundle.linux["netDevices"] = {"dev0": {}} if devices is None else devices
        made.bundle.capabilities("CAP_NET_RAW")
        return made

    return make


def inside(made, *args):
    return json.loads(made.runtime.ok(argv=["nsenter", "-t", str(made.pid), "-n", "ip", "-json", *args]).stdout)


def addresses(link):
    """Those that are global, as "address/prefix"."""
    return {f"{a['local']}/{a['prefixlen']}" for a in link["addr_info"] if a["scope"] == "global"}


# ---- moving ----


def test_a_device_is_in_the_container_and_no_longer_on_the_host(moved, host):
    made = moved("sleep", "100").create()
    assert {link["ifname"] for link in inside(made, "link")} == {"lo", "dev0"}
    assert "dev0" not in host.interfaces and "peer0" in host.interfaces


def test_it_is_up_with_its_addresses_mtu_and_hardware_address(moved):
    made = moved("sleep", "100").create()
    (link,) = inside(made, "addr", "show", "dev", "dev0")
    assert "UP" in link["flags"]
    assert (link["mtu"], link["address"]) == (1300, MAC)
    assert addresses(link) == {"10.84.0.2/24", "fd84::2/64"}
    assert [a["broadcast"] for a in link["addr_info"] if a["family"] == "inet"] == ["10.84.0.255"]


def test_the_program_can_talk_through_it(moved):
    assert "1 packets received" in moved(shell="ping -c 1 -W 5 10.84.0.1").run_ok()


def test_it_gets_its_new_name(moved):
    made = moved("ls", "/sys/class/net", devices={"dev0": {"name": "eth0"}})
    assert made.run_ok().split() == ["eth0", "lo"]


def test_a_number_in_its_new_name_is_the_kernels(moved):
    made = moved("ls", "/sys/class/net", devices={"dev0": {"name": "net%d"}})
    assert made.run_ok().split() == ["lo", "net0"]


def test_several_devices(moved, host):
    host.ip("link", "add", "dev1", "type", "veth", "peer", "name", "peer1")
    made = moved("sleep", "100", devices={"dev0": {"name": "dev1"}, "dev1": {"name": "dev0"}}).create()
    (link,) = inside(made, "link", "show", "dev", "dev1")
    assert link["address"] == MAC
    assert {one["ifname"] for one in inside(made, "link")} == {"lo", "dev0", "dev1"}


def test_an_address_that_is_not_permanent_stays_behind(moved, host):
    host.ip("addr", "add", "10.85.0.2/24", "dev", "dev0", "valid_lft", "1000", "preferred_lft", "1000")
    host.ip("addr", "add", "10.86.0.2/24", "dev", "dev0", "scope", "link")
    made = moved("sleep", "100").create()
    (link,) = inside(made, "addr", "show", "dev", "dev0")
    assert {a["local"] for a in link["addr_info"] if a["family"] == "inet"} == {"10.84.0.2"}


def test_in_a_user_namespace(moved):
    made = moved("sleep", "100")
    made.bundle.user_namespace()
    made.create()
    (link,) = inside(made, "addr", "show", "dev", "dev0")
    assert "UP" in link["flags"] and addresses(link) == {"10.84.0.2/24", "fd84::2/64"}


def test_into_a_namespace_that_is_joined(moved, container):
    first = container("sleep", "100").up()
    second = moved("ls", "/sys/class/net")
    second.bundle.with_namespace("network", f"/proc/{first.pid}/ns/net")
    assert second.run_ok().split() == ["dev0", "lo"]
    # It is the namespace's, not the container's (config-linux.md, "Namespace Lifecycle and Container Termination").
    assert {link["ifname"] for link in inside(first, "link")} == {"lo", "dev0"}


def test_create_runtime_hooks_find_it_there(moved, workdir):
    made = moved("true")
    script = f"pid=$(sed 's/.*\"pid\": *\\([0-9]*\\).*/\\1/'); nsenter -t $pid -n ls /proc/sys/net/ipv4/conf >{workdir}/seen"
    made.bundle.config["hooks"] = {"createRuntime": [{"path": "/bin/sh", "args": ["sh", "-c", script]}]}
    made.run_ok()
    with open(f"{workdir}/seen", encoding="utf-8") as file:
        assert "dev0" in file.read().split()


def test_with_its_namespace_it_is_gone(moved, host):
    """A veth; a physical device would be moved to the initial network namespace by the kernel."""
    moved("true").run_ok()
    system.wait_until(lambda: set(host.interfaces) == {"lo", BRIDGE}, "the device is gone")


# ---- refusals, after which all is as it was ----


def is_untouched(host):
    link = json.loads(host.ip("-json", "addr", "show", "dev", "dev0"))[0]
    return addresses(link) == {"10.84.0.2/24", "fd84::2/64"} and link["mtu"] == 1300


@pytest.mark.parametrize("up", [False, True])
def test_a_name_that_is_taken_is_refused(moved, host, up):
    if up:
        host.ip("link", "set", "dev0", "up")
    made = moved("true", devices={"dev0": {"name": "lo"}})
    made.run().assert_refused("linux.netDevices.dev0", '"lo"', "file exists")
    assert is_untouched(host) and ("UP" in host.interfaces["dev0"]["flags"]) == up


def test_a_device_that_is_not_there_is_refused(moved, host):
    made = moved("true", devices={"dev0": {}, "nosuch0": {}})
    made.run().assert_refused("linux.netDevices.nosuch0", "no such device")
    assert is_untouched(host)


def test_a_device_that_must_stay_is_refused(moved, host):
    made = moved("true", devices={BRIDGE: {}})
    made.run().assert_refused(f"linux.netDevices.{BRIDGE}")
    assert BRIDGE in host.interfaces


def test_a_create_that_fails_later_gives_it_back(moved, host):
    made = moved("no-such-program", devices={"dev0": {"name": "eth0"}})
    made.run().assert_refused("no-such-program")
    assert is_untouched(host)


def test_the_hosts_network_is_refused(moved):
    made = moved("true")
    made.bundle.without_namespace("network")
    made.run().assert_refused("linux.netDevices", "NET namespace")


@pytest.mark.parametrize(
    "devices, word",
    [
        ({"": {}}, "linux.netDevices"),
        ({"dev%d": {}}, "dev%d"),
        ({"a/b": {}}, "a/b"),
        ({"x" * 16: {}}, "x" * 16),
        ({"dev0": {"name": "a b"}}, "linux.netDevices.dev0.name"),
        ({"dev0": {"name": "net%s"}}, "linux.netDevices.dev0.name"),
        ({"dev0": {"name": "x" * 16}}, "linux.netDevices.dev0.name"),
    ],
)
def test_a_name_that_cannot_be_is_refused(moved, host, devices, word):
    moved("true", devices=devices).run().assert_refused(word)
    assert is_untouched(host)
