# SPDX-License-Identifier: Apache-2.0
"""A containerd of the tests' own, with its shim for runc, which is told the runtime's path."""

import os
import re
import signal
import subprocess

from lib import system
from lib.engine import Engine, docker_archive, image
from lib.system import wait_until

IMAGE = "docker.io/library/box:1"

CONFIG = """version = 2
root = "{directory}/root"
state = "{directory}/state"
disabled_plugins = [{disabled}]
[grpc]
  address = "{directory}/s"
[plugins."io.containerd.internal.v1.opt"]
  path = "{directory}/opt"
{more}
"""


class Containerd(Engine):
    """Called in its namespaces: ctr makes fifos there."""

    namespace = None  # of containerd's own kind
    disabled = '"io.containerd.grpc.v1.cri"'
    more = ""

    def __init__(self, place, busybox):
        super().__init__(place)
        self.directory = f"{place.directory}/{type(self).__name__.lower()}"
        self.namespace = self.namespace or f"{self.token}-ctr"
        self.cgroup = f"/{self.namespace}"  # where ctr puts its tasks
        self.daemon = None
        os.mkdir(self.directory)
        with open(f"{self.directory}/config.toml", "w", encoding="utf-8") as file:
            file.write(
                CONFIG.format(directory=self.directory, disabled=self.disabled, more=self.more.format(**vars(self)))
            )
        self.start()
        self.load(IMAGE, docker_archive(image(busybox), IMAGE))

    def start(self):
        with open(f"{self.directory}/log", "ab") as log:
            self.daemon = subprocess.Popen(
                [*self.place.enter, "containerd", "--config", f"{self.directory}/config.toml"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self.place.environment,
            )
        wait_until(self._answers, "containerd answers")

    def load(self, name, data):
        archive = f"{self.directory}/{name.replace('/', '-')}.tar"
        with open(archive, "wb") as file:
            file.write(data)
        self.ok("images", "import", archive)

    def _answers(self):
        assert self.daemon.poll() is None, f"containerd has ended:\n{self.log()[-3000:]}"
        return os.path.exists(f"{self.directory}/s") and self("version").status == 0

    def log(self):
        with open(f"{self.directory}/log", encoding="utf-8", errors="replace") as file:
            return file.read()

    def stop(self, number=signal.SIGTERM):
        self.daemon.send_signal(number)
        self.daemon.wait(30)

    # -- containers

    def argv(self, *args):
        return [
            *self.place.enter,
            "ctr",
            "--address",
            f"{self.directory}/s",
            "--namespace",
            self.namespace,
            *map(str, args),
        ]

    def run_flags(self, runtime):
        return ["--runtime", "io.containerd.runc.v2", "--runc-binary", self.runtimes[runtime]]

    def run(self, runtime, flags, args, **options):
        return self("run", "--rm", *self.run_flags(runtime), *flags, IMAGE, self.name(), *args, **options)

    def up(self, runtime, flags, *args):
        name = self.name()
        self.ok("run", "--detach", *self.run_flags(runtime), *flags, IMAGE, name, *args)
        return Task(self, name)

    def _tasks(self):
        return [line.split() for line in self.ok("tasks", "list").splitlines()[1:]]

    def clear(self):
        for task in self._tasks():
            self("tasks", "delete", "--force", task[0])
        for name in self.ok("containers", "list", "--quiet").split():
            self("containers", "delete", name)

    def left(self):
        found = [f"task {' '.join(task)}" for task in self._tasks()]
        found += [f"process {line}" for line in self.place.members().values() if self._is_shim(line)]
        for mount_point in system.cgroup_hierarchies().values():
            top = mount_point + self.cgroup
            found += [f"cgroup {directory}" for directory, _, _ in os.walk(top) if directory != top]
        return found

    def _is_shim(self, command):
        return "containerd-shim" in command and self.directory in command

    def close(self):
        try:
            self.clear()
            self.stop()
        finally:
            system.cgroup_remove(self.cgroup)


class Task:
    """A container that stays, and its process."""

    def __init__(self, containerd, name):
        self.containerd, self.name = containerd, name

    def _row(self):
        return next((task for task in self.containerd._tasks() if task[0] == self.name), [self.name, "0", "NONE"])

    @property
    def pid(self):
        return int(self._row()[1])

    @property
    def status(self):
        return self._row()[2]

    def ok(self, verb, *args):
        return self.containerd.ok("tasks", verb, *args, self.name)

    def kill(self, number):
        return self.containerd("tasks", "kill", "--signal", number, self.name)

    def exec(self, flags, *args, **options):
        return self.containerd(
            "tasks", "exec", *flags, "--exec-id", self.containerd.name(), self.name, *args, **options
        )

    def exec_ok(self, flags, *args, **options):
        done = self.exec(flags, *args, **options)
        assert done.status == 0, f"failed: {done}"
        return done.stdout.rstrip("\n")

    def ended(self):
        """Waits for the end; the exit status, which ctr's delete warns of unless it is 0."""
        wait_until(lambda: self.status == "STOPPED", "it has ended")
        done = self.containerd("tasks", "delete", self.name)
        assert done.status == 0, done
        found = re.search(r"non-zero exit code (\d+)", done.stderr)
        return int(found[1]) if found else 0
