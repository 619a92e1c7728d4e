# SPDX-License-Identifier: Apache-2.0
"""A Docker daemon of the tests' own, with runlxc and runc side by side."""

import json
import os
import signal
import subprocess

from lib import system
from lib.engine import Box, Engine, image
from lib.system import wait_until

IMAGE = "box:1"


class Docker(Engine):
    """The client is called from outside: all it needs is the socket."""

    def __init__(self, place, busybox, name="docker"):
        super().__init__(place)
        self.directory = f"{place.directory}/{name}"
        self.cgroup_parent = f"/{self.token}-{name}"
        self.socket = f"{self.directory}/s"
        self.daemon = None
        os.mkdir(self.directory)
        with open(f"{self.directory}/daemon.json", "w", encoding="utf-8") as file:
            json.dump({"runtimes": {"runlxc": {"path": place.command}}}, file)
        self.start()
        self.image = image(busybox)
        self.ok("import", "-", IMAGE, stdin=self.image)

    def cgroup_flags(self):
        return ["--exec-opt", "native.cgroupdriver=cgroupfs", "--cgroup-parent", self.cgroup_parent]

    # -- the daemon

    @property
    def enter(self):
        """What stands before dockerd."""
        return self.place.enter

    def start(self, *flags):
        log = open(f"{self.directory}/log", "ab")
        self.daemon = subprocess.Popen(
            [
                *self.enter,
                "dockerd",
                *("--config-file", f"{self.directory}/daemon.json"),
                *("--data-root", f"{self.directory}/data"),
                *("--exec-root", f"{self.directory}/exec"),
                *("--pidfile", f"{self.directory}/pid"),
                *("--host", f"unix://{self.socket}"),
                *self.cgroup_flags(),
                *flags,
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=self.place.environment,
        )
        log.close()
        wait_until(self._answers, "dockerd answers")

    def _answers(self):
        assert self.daemon.poll() is None, f"dockerd has ended:\n{self.log()[-3000:]}"
        return os.path.exists(self.socket) and self("version").status == 0

    def log(self):
        with open(f"{self.directory}/log", encoding="utf-8", errors="replace") as file:
            return file.read()

    def stop(self, number=signal.SIGTERM):
        """SIGKILL takes its containerd along, whose pid file would then be believed."""
        self.daemon.send_signal(number)
        self.daemon.wait(30)
        if number == signal.SIGKILL:
            pid_file = f"{self.directory}/exec/containerd/containerd.pid"
            with open(pid_file, encoding="utf-8") as file:
                pid = int(file.read())
            wait_until(lambda: not system.process_alive(pid), "containerd has ended")
            os.unlink(pid_file)
            os.unlink(f"{self.directory}/pid")

    def restart(self, *flags):
        if self.daemon.poll() is None:
            self.stop()
        self.start(*flags)

    # -- containers

    def argv(self, *args):
        return ["docker", "--host", f"unix://{self.socket}", *map(str, args)]

    def run(self, runtime, flags, args, **options):
        return self("run", "--rm", "--runtime", runtime, *flags, IMAGE, *args, **options)

    def up(self, runtime, flags, *args):
        """A container that stays: `run --detach`."""
        name = self.name()
        self.ok("run", "--detach", "--name", name, "--runtime", runtime, *flags, IMAGE, *args)
        return Box(self, name)

    def clear(self):
        ids = self.ok("ps", "--all", "--quiet").split()
        if ids:
            self("rm", "--force", "--volumes", *ids)

    def left(self):
        """What is there although every container is removed."""
        found = [f"container {line}" for line in self.ok("ps", "--all").splitlines()[1:]]
        found += [f"process {line}" for line in self.place.members().values() if "containerd-shim" in line]
        for mount_point in system.cgroup_hierarchies().values():
            for directory, _, _ in os.walk(mount_point + self.cgroup_parent):
                if directory != mount_point + self.cgroup_parent:
                    found.append(f"cgroup {directory}")
        for runtime in ("runtime-runlxc", "runtime-runc"):
            top = f"{self.directory}/exec/{runtime}/moby"
            found += [f"state {top}/{name}" for name in _listed(top) if not name.startswith("@")]
        return found

    def close(self):
        try:
            self.clear()
            self.stop()
        finally:
            system.cgroup_remove(self.cgroup_parent)


def _listed(directory):
    return os.listdir(directory) if os.path.isdir(directory) else []
