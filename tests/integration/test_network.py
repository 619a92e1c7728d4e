# SPDX-License-Identifier: Apache-2.0
"""Networks: a veth on a bridge, and network namespaces of others.

Everything happens in a network namespace of the test's own, which has a bridge; see lib/network.py.
"""

import json
import os
import signal

import pytest

from lib import system
from lib.network import BRIDGE, MTU, Network, veth

pytestmark = pytest.mark.ours


@pytest.fixture
def network(runtime, workdir):
    """The test's network; from here on the runtime is called in it."""
    made = Network(workdir, runtime.environment)
    runtime.argv = lambda *args: [*made.enter, runtime.command, *runtime.global_flags, *map(str, args)]
    runtime.global_flags.append("--lxc-annotations")
    yield made
    runtime.clean()
    made.close()


@pytest.fixture
def networked(container, network):
    """Makes containers with a veth on the bridge; settings as LXC has them, without "lxc."."""

    def make(*args, shell=None, address=2, settings=None):
        made = container(*args, shell=shell)
        made.bundle.lxc(veth(address) if settings is None else settings)
        made.bundle.capabilities("CAP_NET_RAW")
        return made

    return make


def inside(made, *args):
    """What `ip` says in a container's network namespace."""
    return json.loads(made.runtime.ok(argv=["nsenter", "-t", str(made.pid), "-n", "ip", "-json", *args]).stdout)


def addresses(made, interface):
    (link,) = inside(made, "addr", "show", "dev", interface)
    return link["addr_info"]


def wait_addresses(made):
    """An IPv6 address can be used when the kernel has found that nobody else has it."""
    system.wait_until(lambda: not any(a.get("tentative") for a in addresses(made, "eth0")), "addresses to be used")
    return made


# ---- a veth on a bridge ----


def test_D09_eth0_has_the_address_asked_for_and_is_up(networked):
    made = networked("sleep", "100").up()
    (link,) = inside(made, "link", "show", "dev", "eth0")
    assert "UP" in link["flags"] and link["operstate"] == "UP"
    found = {(a["family"], a["local"], a["prefixlen"]) for a in addresses(made, "eth0") if a["scope"] == "global"}
    assert found == {("inet", "10.83.0.2", 24), ("inet6", "fd83::2", 64)}


def test_D09_the_broadcast_address_is_the_networks(networked):
    made = networked("sleep", "100").up()
    (ipv4,) = [a for a in addresses(made, "eth0") if a["family"] == "inet"]
    assert ipv4["broadcast"] == "10.83.0.255"


def test_D09_the_default_routes_lead_to_the_gateways(networked):
    made = networked("sleep", "100").up()
    for family, gateway in (("-4", "10.83.0.1"), ("-6", "fd83::1")):
        (route,) = inside(made, family, "route", "show", "default")
        assert (route["gateway"], route["dev"]) == (gateway, "eth0")


def test_D09_loopback_is_up_beside_it(networked):
    made = networked(shell="ping -c 1 127.0.0.1 && ping -c 1 ::1 && ls /sys/class/net")
    assert made.run_ok().split()[-2:] == ["eth0", "lo"]


def test_D09_loopback_is_up_also_where_no_network_is(networked):
    made = networked(shell="ping -c 1 127.0.0.1", settings={"net.0.type": "veth"})
    made.run_ok()


def test_D09_the_mtu_is_the_bridges_unless_one_is_given(networked):
    made = networked("sleep", "100").up()
    assert inside(made, "link", "show", "dev", "eth0")[0]["mtu"] == MTU
    other = networked("sleep", "100", settings=veth(3) | {"net.0.mtu": "1300"}).up()
    assert inside(other, "link", "show", "dev", "eth0")[0]["mtu"] == 1300


def test_D09_the_hardware_address_is_the_one_asked_for(networked):
    settings = veth() | {"net.0.hwaddr": "02:42:ac:11:00:02"}
    made = networked("cat", "/sys/class/net/eth0/address", settings=settings)
    assert made.run_ok() == "02:42:ac:11:00:02\n"


def test_D09_x_in_a_hardware_address_is_a_random_digit(networked):
    settings = veth() | {"net.0.hwaddr": "02:42:ac:11:xx:xx"}
    found = {networked("cat", "/sys/class/net/eth0/address", settings=settings).run_ok() for _ in range(3)}
    assert len(found) > 1 and all(address.startswith("02:42:ac:11:") for address in found)


@pytest.mark.parametrize("target", ["10.83.0.1", "fd83::1"])
def test_D09_the_bridge_answers(networked, target):
    made = wait_addresses(networked("sleep", "100").up())
    made.exec_ok("ping", "-c", "1", "-w", "5", target)


@pytest.mark.parametrize("target", ["10.83.0.2", "fd83::2"])
def test_D09_two_containers_reach_each_other(networked, target):
    wait_addresses(networked("sleep", "100").up())
    made = wait_addresses(networked("sleep", "100", address=3).up())
    made.exec_ok("ping", "-c", "1", "-w", "5", target)


def test_D09_the_host_end_is_on_the_bridge_under_a_name_of_its_own(networked, network):
    networked("sleep", "100").up()
    networked("sleep", "100", address=3).up()
    assert len(network.ports) == 2
    assert all(len(name) <= 15 and "UP" in link["flags"] for name, link in network.ports.items())


def test_D09_the_host_end_has_the_name_asked_for(networked, network):
    networked("sleep", "100", settings=veth() | {"net.0.veth.pair": "mine"}).up()
    assert list(network.ports) == ["mine"]


@pytest.mark.parametrize("value", ["1", "0", None])
def test_D09_hairpin_mode_is_on_only_where_it_is_asked_for(networked, network, value):
    made = networked("sleep", "100")
    if value:
        made.bundle.config["annotations"]["org.runlxc.net.0.hairpin"] = value
    made.up()
    (port,) = json.loads(network.command("bridge", "-json", "-details", "link"))
    assert port["hairpin"] is (value == "1")


def test_D09_hairpin_mode_with_a_name_of_ones_own(networked, network):
    made = networked("sleep", "100", settings=veth() | {"net.0.veth.pair": "mine"})
    made.bundle.config["annotations"]["org.runlxc.net.0.hairpin"] = "1"
    made.up()
    (port,) = json.loads(network.command("bridge", "-json", "-details", "link"))
    assert (port["ifname"], port["hairpin"]) == ("mine", True)


def test_D09_several_networks(networked, network):
    settings = veth() | {"net.1.type": "veth", "net.1.link": BRIDGE, "net.1.name": "eth1", "net.1.flags": "up"}
    settings |= {"net.1.ipv4.address": "10.83.1.2/24", "net.1.ipv4.address#2": "10.83.1.3/24"}
    made = networked("sleep", "100", settings=settings).up()
    found = {a["local"] for a in addresses(made, "eth1") if a["family"] == "inet"}
    assert found == {"10.83.1.2", "10.83.1.3"} and len(network.ports) == 2


def test_D09_names_of_before_lxc_2_1(networked):
    settings = {
        "network.type": "veth",
        "network.link": BRIDGE,
        "network.flags": "up",
        "network.name": "eth0",
        "network.hwaddr": "02:42:ac:11:00:02",
        "network.mtu": "1300",
        "network.ipv4": "10.83.0.2/24",
        "network.ipv4.gateway": "10.83.0.1",
        "network.ipv6": "fd83::2/64",
        "network.ipv6.gateway": "fd83::1",
        "network.veth.pair": "first",
        "network.type#2": "veth",
        "network.link#2": BRIDGE,
        "network.name#2": "eth1",
    }
    made = networked("sleep", "100", settings=settings).up()
    (link,) = inside(made, "link", "show", "dev", "eth0")
    assert (link["mtu"], link["address"]) == (1300, "02:42:ac:11:00:02")
    assert {"10.83.0.2", "fd83::2"} <= {a["local"] for a in addresses(made, "eth0")}
    for family, gateway in (("-4", "10.83.0.1"), ("-6", "fd83::1")):
        assert inside(made, family, "route", "show", "default")[0]["gateway"] == gateway
    assert inside(made, "link", "show", "dev", "eth1")


def test_D09_exec_is_in_the_same_network(networked):
    made = networked("sleep", "100").up()
    assert "10.83.0.2/24" in made.exec_ok("ip", "addr", "show", "dev", "eth0")


def test_D09_a_macvlan(networked):
    settings = {"net.0.type": "macvlan", "net.0.macvlan.mode": "bridge", "net.0.link": BRIDGE, "net.0.name": "mv0"}
    made = networked("sleep", "100", settings=settings).up()
    assert inside(made, "-details", "link", "show", "dev", "mv0")[0]["linkinfo"]["info_kind"] == "macvlan"


def test_D09_a_script_is_run_when_the_network_is_there(networked, network, workdir):
    script = f"{workdir}/up"
    with open(script, "w", encoding="utf-8") as file:
        file.write(f'#!/bin/sh\necho "$@" >{workdir}/said\n')
    os.chmod(script, 0o755)
    networked("true", settings=veth() | {"net.0.script.up": script}).run_ok()
    with open(f"{workdir}/said", encoding="utf-8") as file:
        assert " net up veth " in file.read()


def test_D09_the_interface_of_a_command(network, runtime, bundle, workdir):
    command = {
        "id": runtime.new_id(),
        "rootfs": bundle().rootfs,
        "network": {
            "interface": {
                "bridge": BRIDGE,
                "ip": "10.83.0.9",
                "ip_prefix_len": 24,
                "gateway": "10.83.0.1",
                "mac": "02:42:ac:11:00:09",
                "global_ipv6": "fd83::9",
                "global_ipv6_prefix_len": 64,
                "link_local_ipv6": "fe80::9",
                "ipv6_gateway": "fd83::1",
            },
            "mtu": 1300,
        },
        "lxc_config": ["lxc.utsname = raw"],
        "process_config": {
            "entrypoint": "sh",
            "arguments": ["-c", "hostname; ip addr show dev eth0; ip route; ip -6 route"],
        },
    }
    with open(f"{workdir}/command.json", "w", encoding="utf-8") as file:
        json.dump(command, file)
    runtime.global_flags.remove("--lxc-annotations")
    out = runtime.ok("run", "--command", f"{workdir}/command.json").stdout
    assert out.startswith("raw\n")
    for seen in ("10.83.0.9/24", "fd83::9/64", "fe80::9/64", "02:42:ac:11:00:09", "mtu 1300"):
        assert seen in out, out
    assert "default via 10.83.0.1" in out and "default via fd83::1" in out
    assert set(network.interfaces) == {"lo", BRIDGE}


# ---- nothing is left ----


def test_D09_delete_takes_the_interfaces_away_at_once(networked, network):
    made = networked("sleep", "100").up()
    assert len(network.ports) == 1
    made.delete("--force")
    assert set(network.interfaces) == {"lo", BRIDGE}


def test_D09_the_interfaces_go_when_the_container_is_killed(networked, network):
    made = networked("sleep", "100").up()
    os.kill(made.pid, signal.SIGKILL)
    made.wait()
    network.wait_empty()
    made.delete()


def test_D09_the_interfaces_go_when_the_container_ends(networked, network):
    networked("true").run_ok()
    network.wait_empty()


def test_D09_the_same_container_again_and_again(networked, network):
    made = networked("sleep", "100")
    for _ in range(5):
        made.up()
        made.delete("--force")
    assert set(network.interfaces) == {"lo", BRIDGE}


def test_D09_with_the_monitor_kept_the_interfaces_go_too(networked, network):
    networked("true").run_ok("--lxc-monitor")
    network.wait_empty()


def test_D41_a_failed_start_leaves_no_interface(networked, network):
    """init fails, when the pair is there and one end in the container."""
    made = networked("true")
    made.bundle.process["apparmorProfile"] = "no-such-profile"
    made.run().assert_refused("apparmorProfile")
    assert set(network.interfaces) == {"lo", BRIDGE}


def test_D41_a_pair_that_a_killed_create_has_left_goes_with_delete(networked, network):
    """What the kill of a create between LXC's two steps leaves: both ends on the host."""
    made = networked("sleep", "100").up()
    (name,) = network.ports
    made.stop()
    network.wait_empty()
    network.ip("link", "add", name, "type", "veth", "peer", "name", "peer")
    made.delete()
    assert set(network.interfaces) == {"lo", BRIDGE}


# ---- wrong configurations ----


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("link", "br9", 'no interface "br9"'),
        ("link", "", "not the name of an interface"),
        ("link", "a-bridge-with-a-long-name", "not the name of an interface"),
        ("hwaddr", "02:42:ac:11:00", "not a hardware address"),
        ("hwaddr", "02:42:ac:11:00:0g", "not a hardware address"),
        ("hwaddr", "ff:ff:ff:ff:ff:ff", "multicast"),
        ("mtu", "big", "not a number"),
        ("mtu", "10", "less than 68"),
        ("name", "a/b", "not the name of an interface"),
        ("flags", "sideways", "up"),
        ("type", "carrierpigeon", "carrierpigeon"),
        ("type", "none", "linux.namespaces"),
        ("ipv4.address", "10.83.0.300/24", "10.83.0.300/24"),
        ("ipv4.address", "10.83.0.3/33", "10.83.0.3/33"),
        ("ipv4.gateway", "nowhere", "nowhere"),
        ("ipv6.address", "fd83::g/64", "fd83::g/64"),
        ("ipv6.gateway", "fd83::g", "fd83::g"),
        ("ipv4.adress", "10.83.0.2/24", "net.0.ipv4.adress"),
        ("script.down", "/bin/true", "hooks.poststop"),
        ("veth.pair", "a-name-that-is-too-long", "not the name of an interface"),
    ],
)
def test_D09_a_wrong_setting_is_named_and_nothing_is_left(networked, network, key, value, reason):
    made = networked("true", settings=veth() | {f"net.0.{key}": value})
    made.run().assert_refused(f"org.linuxcontainers.lxc.net.0.{key}", reason)
    assert set(network.interfaces) == {"lo", BRIDGE}
    assert not made.exists


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"net.0.veth.pair": BRIDGE}, ["exists", BRIDGE]),
        ({"net.1.type": "veth", "net.1.name": "eth0"}, ["eth0", "exists"]),
        ({"net.1.name": "eth1"}, ["org.linuxcontainers.lxc.net.1.type", "missing"]),
        ({"network.name": "eth1"}, ["org.linuxcontainers.lxc.network.name", "lxc.network.type"]),
        ({"net.1.type": "veth", "net.1.name": "eth1", "net.1.ipv4.gateway": "10.83.0.1"}, ["gateway", "eth1"]),
        # IPv6 takes no link with less.
        ({"net.0.mtu": "1200"}, ["ipv6 address"]),
    ],
)
def test_D09_what_does_not_fit_together_is_an_error_and_nothing_is_left(networked, network, change, words):
    made = networked("true", settings=veth() | change)
    made.run().assert_refused(*words)
    assert set(network.interfaces) == {"lo", BRIDGE}
    assert not made.exists


@pytest.mark.parametrize(
    ("annotation", "value", "reason"),
    [
        ("org.runlxc.net.0.hairpin", "yes", "neither 0 nor 1"),
        ("org.runlxc.net.1.hairpin", "1", "not a veth on a bridge"),
        ("org.runlxc.net.0.harpin", "1", "not known"),
    ],
)
def test_D09_a_wrong_hairpin_is_named(networked, annotation, value, reason):
    made = networked("true")
    made.bundle.config["annotations"][annotation] = value
    made.run().assert_refused(annotation, reason)


def test_D09_a_network_needs_a_namespace_of_its_own(networked, network):
    made = networked("true")
    made.bundle.without_namespace("network")
    made.run().assert_refused("org.linuxcontainers.lxc.net.0.type", "linux.namespaces")
    made.bundle.with_namespace("network", f"/proc/{network.holder.pid}/ns/net")
    made.run().assert_refused("org.linuxcontainers.lxc.net.0.type", "joined")


# ---- namespaces of others ----


def test_D10_a_network_is_joined_by_its_path(networked, container, network):
    first = networked("sleep", "100").up()
    path = f"/proc/{first.pid}/ns/net"
    second = container(shell="ip addr show dev eth0; ip route")
    second.bundle.with_namespace("network", path)
    out = second.run_ok()
    assert "10.83.0.2/24" in out and "default via 10.83.0.1" in out
    assert first.status == "running" and len(network.ports) == 1


def test_D10_a_joined_network_stays_when_the_container_ends(container, network):
    made = container("ls", "/sys/class/net")
    made.bundle.with_namespace("network", f"/proc/{network.holder.pid}/ns/net")
    assert made.run_ok().split() == [BRIDGE, "lo"]
    assert set(network.interfaces) == {"lo", BRIDGE}


def test_D11_a_network_is_shared_with_another_container(networked, container):
    """Its addresses, and who listens there."""
    first = networked("nc", "-l", "-p", "7000").up()
    second = container("cat", "/proc/net/tcp6", "/sys/class/net/eth0/address")
    second.bundle.with_namespace("network", f"/proc/{first.pid}/ns/net")
    system.wait_until(lambda: ":1B58 " in first.exec_ok("cat", "/proc/net/tcp6"), "port 7000 is listened on")
    out = second.run_ok()
    assert ":1B58 " in out and inside(first, "link", "show", "dev", "eth0")[0]["address"] in out
    first.delete("--force")


def test_D11_the_hosts_network(container, network):
    """The runtime's own, that is: of whoever calls it."""
    made = container("ls", "/sys/class/net")
    made.bundle.without_namespace("network")
    assert made.run_ok().split() == [BRIDGE, "lo"]
    assert system.namespace(network.holder.pid, "net") != system.namespace("self", "net")
