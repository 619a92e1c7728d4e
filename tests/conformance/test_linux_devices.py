# SPDX-License-Identifier: Apache-2.0
"""config-linux.md: devices, default devices, network devices, the list of allowed devices."""

import json
import os

import pytest

from clauses import DEVICES, clause, each
from lib import system
from lib.network import Network
from lib.terminal import ConsoleSocket

NUMBERS = {"null": "1:3", "zero": "1:5", "full": "1:7", "random": "1:8", "urandom": "1:9", "tty": "5:0"}


@clause("devices-available")
def test_the_listed_devices_are_available(container):
    made = container("stat", "-c", "%F %t:%T %a %u:%g", "/dev/a", "/dev/b", "/dev/u", "/else/where/p")
    made.bundle.linux["devices"] = [
        {"path": "/dev/a", "type": "c", "major": 10, "minor": 229, "fileMode": 0o600, "uid": 7, "gid": 8},
        {"path": "/dev/b", "type": "b", "major": 7, "minor": 3, "fileMode": 0o660, "uid": 0, "gid": 0},
        {"path": "/dev/u", "type": "u", "major": 1, "minor": 7, "fileMode": 0o666},
        {"path": "/else/where/p", "type": "p", "fileMode": 0o622},
    ]
    made.bundle.writable()
    assert made.run_ok().splitlines() == [
        "character special file a:e5 600 7:8",
        "block special file 7:3 660 0:0",
        "character special file 1:7 666 0:0",
        "fifo 0:0 622 0:0",
    ]


@clause("devices-mismatch")
@pytest.mark.parametrize("found", ["file", "directory", "another device", "fifo"])
def test_another_file_in_its_place_is_an_error(container, refused, found):
    made = container("true")
    path = f"{made.bundle.rootfs}/here"
    if found == "file":
        open(path, "w", encoding="utf-8").close()
    elif found == "directory":
        os.mkdir(path)
    elif found == "fifo":
        os.mkfifo(path)
    else:
        os.mknod(path, 0o020666, os.makedev(1, 5))
    made.bundle.linux["devices"] = [{"path": "/here", "type": "c", "major": 1, "minor": 3}]
    refused(made)


@clause("devices-mismatch")
def test_the_same_device_in_its_place_is_none(container):
    made = container("stat", "-c", "%t:%T", "/here")
    os.mknod(f"{made.bundle.rootfs}/here", 0o020666, os.makedev(1, 3))
    made.bundle.linux["devices"] = [{"path": "/here", "type": "c", "major": 1, "minor": 3}]
    assert made.run_ok() == "1:3\n"


@clause("devices-numbers")
@pytest.mark.parametrize("field", ["type", "path", "major", "minor"])
def test_a_device_that_lacks_a_field_is_an_error(container, refused, field):
    made = container("true")
    device = {"path": "/dev/x", "type": "c", "major": 10, "minor": 229}
    del device[field]
    made.bundle.linux["devices"] = [device]
    refused(made)


# ---- the default ones ----


@pytest.mark.parametrize("name", each(DEVICES, "device-{}"))
def test_a_default_device(container, name):
    made = container("stat", "-c", "%F %t:%T %a", f"/dev/{name}")
    made.bundle.linux["devices"] = []
    assert made.run_ok() == f"character special file {NUMBERS[name]} 666\n"


@clause("device-console")
def test_the_console_is_the_terminal(container, workdir):
    made = container(
        shell="stat -c %t:%T /dev/console; stat -Lc %t:%T /proc/self/fd/0; cat /proc/self/mountinfo; sleep 100"
    )
    made.bundle.process["terminal"] = True
    with ConsoleSocket(f"{workdir}/s") as console:
        made.create("--console-socket", console.path)
        master, _ = console.receive()
    try:
        made.start()
        screen = system.Stream(master)
        text = screen.until(b" /dev/console ").decode()
        lines = text.split("\r\n")
        assert lines[0] == lines[1] and lines[0].startswith("88:")
        text += screen.until(b"\n").decode()
        assert " - devpts " in text.split("\r\n")[-2]
    finally:
        os.close(master)


@clause("device-ptmx")
def test_ptmx_is_the_containers_own(container):
    made = container(shell="stat -Lc %d /dev/ptmx /dev/pts/ptmx; head -c 0 /dev/ptmx && echo opened")
    first, second, opened = made.run_ok().split()
    assert first == second and opened == "opened"


# ---- network devices ----


@pytest.fixture
def network(runtime, workdir):
    """The runtime is called in a network namespace of the test's own, with a device dev0 to be moved."""
    made = Network(workdir, runtime.environment)
    runtime.argv = lambda *args: [*made.enter, runtime.command, *runtime.global_flags, *map(str, args)]
    made.ip("link", "add", "dev0", "type", "veth", "peer", "name", "peer0")
    yield made
    runtime.clean()
    made.close()


@pytest.fixture
def moved(container, network):
    """A container that dev0 is moved to, under this name."""

    def make(*args, name=None, shell=None):
        made = container(*args, shell=shell)
        made.bundle.linux["netDevices"] = {"dev0": {} if name is None else {"name": name}}
        return made

    return make


def inside(made, *args):
    return json.loads(made.runtime.ok(argv=["nsenter", "-t", str(made.pid), "-n", "ip", "-json", *args]).stdout)


@pytest.mark.parametrize("name", [None, "eth7"])
@clause("netDevices-available")
def test_a_network_device_is_available(moved, network, name):
    made = moved("sleep", "100", name=name).create()
    assert {link["ifname"] for link in inside(made, "link")} == {"lo", name or "dev0"}
    assert "dev0" not in network.interfaces


@clause("netDevices-name-taken")
def test_a_name_that_is_taken_is_an_error(moved, network, refused):
    refused(moved("true", name="lo"))
    assert "dev0" in network.interfaces


@clause("netDevices-template")
def test_a_template_is_a_name_of_the_kernels(moved):
    made = moved("sleep", "100", name="eth%d").create()
    assert {link["ifname"] for link in inside(made, "link")} == {"lo", "eth0"}


@clause("netDevices-check")
@pytest.mark.parametrize("device", ["nosuch0", "lo"])
def test_a_device_that_cannot_be_moved_is_an_error(container, network, refused, device):
    made = container("true")
    made.bundle.linux["netDevices"] = {device: {"name": "eth7"}}
    before = set(network.interfaces)
    refused(made)
    assert set(network.interfaces) == before


@clause("netDevices-addresses")
def test_permanent_addresses_are_kept(moved, network):
    network.ip("addr", "add", "10.84.0.2/24", "dev", "dev0")
    network.ip("addr", "add", "fd84::2/64", "dev", "dev0", "nodad")
    network.ip("link", "set", "dev0", "mtu", "1300", "address", "02:00:5e:10:00:01")
    made = moved("sleep", "100").create()
    (link,) = inside(made, "addr", "show", "dev", "dev0")
    assert (link["mtu"], link["address"]) == (1300, "02:00:5e:10:00:01")
    addresses = {f"{a['local']}/{a['prefixlen']}" for a in link["addr_info"] if a["scope"] == "global"}
    assert addresses == {"10.84.0.2/24", "fd84::2/64"}


@clause("netDevices-up")
def test_the_device_is_up(moved):
    made = moved("sleep", "100").create()
    (link,) = inside(made, "link", "show", "dev", "dev0")
    assert "UP" in link["flags"]


@clause("netDevices-not-managed")
def test_what_is_changed_inside_stays_as_it_is(moved):
    made = moved("sleep", "100").create()
    made.runtime.ok(argv=["nsenter", "-t", str(made.pid), "-n", "ip", "link", "set", "dev0", "down", "mtu", "1200"])
    made.start()
    made.exec_ok("true")
    (link,) = inside(made, "link", "show", "dev", "dev0")
    assert "UP" not in link["flags"] and link["mtu"] == 1200


@clause("netDevices-not-moved-back")
def test_the_device_goes_with_its_namespace(moved, network, container):
    """In a namespace that outlives the container it stays; in one that doesn't, a virtual device is gone."""
    holder = container("sleep", "100").up()
    made = moved("sleep", "100", name="kept0")
    made.bundle.with_namespace("network", f"/proc/{holder.pid}/ns/net")
    made.up()
    made.stop()
    made.delete()
    assert {link["ifname"] for link in inside(holder, "link")} == {"lo", "kept0"}
    holder.stop()
    holder.delete()
    network.wait_empty()


# ---- the list of allowed devices ----


@clause("devices-listed-order")
@pytest.mark.parametrize("last, opens", [(True, True), (False, False)])
def test_the_entries_are_applied_in_the_listed_order(container, last, opens):
    made = container(shell="head -c 0 /dev/loop-control && echo opened")
    made.bundle.linux["devices"] = [{"path": "/dev/loop-control", "type": "c", "major": 10, "minor": 237}]
    rule = {"type": "c", "major": 10, "minor": 237, "access": "rw"}
    made.bundle.resources["devices"] = [
        {"allow": False, "access": "rwm"},
        {"allow": not last, **rule},
        {"allow": last, **rule},
    ]
    if not os.path.exists("/dev/loop-control"):
        pytest.skip("this kernel has no /dev/loop-control")
    assert ("opened" in made.run().stdout) == opens
