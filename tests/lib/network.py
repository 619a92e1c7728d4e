# SPDX-License-Identifier: Apache-2.0
"""A network namespace of a test's own, with a bridge in it, for runtimes to be called in."""

import json
import subprocess

from lib import system

# LXC looks at bridges in /sys, which must show this network namespace; the host's cgroups stay in it.
_SETUP = """
set -e
mkdir "$1"
mount --rbind /sys/fs/cgroup "$1"
mount -t sysfs sysfs /sys
mount --rbind "$1" /sys/fs/cgroup
umount -l "$1"
rmdir "$1"
ip link set lo up
echo ready
exec sleep 1000
"""

BRIDGE = "br0"
MTU = 1400


class Network:
    """Held by a process; everything in it is gone with that, on the host nothing is seen of it."""

    def __init__(self, workdir, environment):
        self.holder = subprocess.Popen(
            ["unshare", "--net", "--mount", "sh", "-c", _SETUP, "sh", f"{workdir}/cgroups"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            env=environment,
        )
        assert self.holder.stdout.readline() == b"ready\n"
        # No waiting for addresses that nobody else can have: IPv6 is there at once.
        self.ip("link", "add", BRIDGE, "mtu", str(MTU), "type", "bridge")
        self.ip("addr", "add", "10.83.0.1/24", "broadcast", "10.83.0.255", "dev", BRIDGE)
        self.ip("addr", "add", "fd83::1/64", "dev", BRIDGE, "nodad")
        self.ip("link", "set", BRIDGE, "up")

    @property
    def enter(self):
        """What stands before a command that is to run in it."""
        return ["nsenter", "--target", str(self.holder.pid), "--net", "--mount", "--"]

    def command(self, *args):
        return subprocess.run([*self.enter, *args], capture_output=True, text=True, timeout=20, check=True).stdout

    def ip(self, *args):
        return self.command("ip", *args)

    @property
    def interfaces(self):
        """Every interface by its name, as `ip -json -details` shows it."""
        return {link["ifname"]: link for link in json.loads(self.ip("-json", "-details", "link"))}

    @property
    def ports(self):
        """The bridge's ports."""
        return {name: link for name, link in self.interfaces.items() if link.get("master") == BRIDGE}

    def wait_empty(self):
        """The kernel takes a namespace's interfaces away a moment after its last process has ended."""
        system.wait_until(lambda: set(self.interfaces) == {"lo", BRIDGE}, "no interface is left")

    def close(self):
        self.holder.kill()
        self.holder.wait()
        self.holder.stdout.close()



def veth(address=2, **more):
    """The settings of a container's eth0 on the bridge."""
    return {
        "net.0.type": "veth",
        "net.0.link": BRIDGE,
        "net.0.flags": "up",
        "net.0.name": "eth0",
        "net.0.ipv4.address": f"10.83.0.{address}/24",
        "net.0.ipv4.gateway": "10.83.0.1",
        "net.0.ipv6.address": f"fd83::{address}/64",
        "net.0.ipv6.gateway": "fd83::1",
        **more,
    }
