# SPDX-License-Identifier: Apache-2.0
"""The command lines of what is compared."""

import os
import shutil
import subprocess

import bundles
import floor

PREFIX = floor.PREFIX
# Not a pipe: what a container holds open has no end.
NOWHERE = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


def find(name):
    return shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/local/sbin:/usr/sbin:/sbin")


def _version(*command):
    try:
        text = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False).stdout
    except OSError:
        return "?"
    words = text.split("\n", 1)[0].split()
    return words[-1] if words else "?"


class Oci:
    """runlxc, crun, runc: one command line."""

    has_life = True  # create, start and delete are commands of their own
    has_exec = True
    has_many = True  # containers that stay, side by side
    is_reaped = True  # what the container's processes fall to is the measuring program

    def __init__(self, name, command, work):
        self.name, self.command, self.work = name, command, work
        self.version = _version(command, "--version")
        self.state = f"{work}/state-{name}"
        self.configs = {}

    def prepare(self, label, config):
        """Writes the bundles of `config`, which are called `label` from here on."""
        for kind, args in (("true", bundles.TRUE), ("long", bundles.LONG), ("stamp", bundles.STAMP)):
            bundles.write_bundle(
                f"{self.work}/{self.name}-{label}-{kind}", config, args, f"/{PREFIX}/{self.name}-{label}-{kind}"
            )
        self.configs[label] = config

    def _line(self, *words):
        return [self.command, "--root", self.state, *words]

    def _bundle(self, label, kind):
        return f"{self.work}/{self.name}-{label}-{kind}"

    def run(self, label, name, kind="true", flags=()):
        """`flags`: global ones."""
        return [self.command, *flags, *self._line("run", "--bundle", self._bundle(label, kind), name)[1:]]

    def create(self, label, name, kind="true"):
        return self._line(
            "create", "--bundle", self._bundle(label, kind), "--pid-file", self.pid_file(name), name
        )

    def pid_file(self, name):
        return f"{self.work}/{self.name}-{name}.pid"

    def start(self, name):
        return self._line("start", name)

    def delete(self, name):
        return self._line("delete", name)

    def exec(self, label, name):
        return self._line("exec", name, *bundles.TRUE)

    def separate(self, label, name, number):
        """Makes the bundle `long` one that runs beside others: a cgroup of its own."""
        bundle = f"{self._bundle(label, 'long')}-{number}"
        bundles.write_bundle(
            bundle, self.configs[label], bundles.LONG, f"/{PREFIX}/{self.name}-{label}-long-{number}"
        )
        return self._line("create", "--bundle", bundle, "--pid-file", self.pid_file(name), name)

    def numbered(self, label, count, args):
        """Bundles for `count` containers at a time. What is called with their numbers in place of "{}": where
        they are, and names."""
        for number in range(count):
            bundles.write_bundle(
                f"{self._bundle(label, 'many')}-{number}",
                self.configs[label],
                args,
                f"/{PREFIX}/{self.name}-{label}-many-{number}",
            )
        return f"{self._bundle(label, 'many')}-{{}}", "many-{}"

    def limited(self, label, kib):
        """`run` of a container with that memory limit."""
        bundle = self._bundle(label, "limited")
        bundles.write_bundle(
            bundle, self.configs[label], bundles.TRUE, f"/{PREFIX}/{self.name}-{label}-limited", kib * 1024
        )
        return self._line("run", "--bundle", bundle, "limited")

    def verb(self, *words):
        return self._line(*words)

    def long_start(self, label, name):
        return [self.create(label, name, "long"), self.start(name)]

    def long_stop(self, name):
        return [self._line("kill", name, "KILL")], [self.delete(name)]

    def first_process(self, name):
        with open(self.pid_file(name), encoding="ascii") as file:
            return int(file.read())


class Floor:
    """What the kernel alone takes: floor.c."""

    has_life = has_many = False
    has_exec = is_reaped = True

    def __init__(self, work, cgroups, unified):
        self.name, self.version = "floor", "-"
        self.work, self.cgroups, self.unified = work, cgroups, unified
        self.programs = {}
        self.staying = None  # the program of the container that does

    def prepare(self, label, config):
        self.programs[label] = floor.build(
            f"{self.work}/floor", label, config, bundles.TRUE, self.cgroups, self.unified
        )

    def run(self, label, _name):
        return [self.programs[label]]

    def exec(self, label, name):
        return [self.programs[label], "exec", str(self.first_process(name))]

    def pid_file(self, name):
        return f"{self.work}/{self.name}-{name}.pid"

    def first_process(self, name):
        with open(self.pid_file(name), encoding="ascii") as file:
            return int(file.read())

    def long_start(self, label, name):
        self.staying = self.programs[label]
        return [[self.staying, "start", self.pid_file(name), *bundles.LONG]]

    def long_stop(self, name):
        return [["/bin/kill", "-KILL", str(self.first_process(name))]], [[self.staying, "remove"]]


class Lxc:
    """LXC's own commands."""

    has_life = is_reaped = False
    has_exec = has_many = True

    def __init__(self, work):
        self.name, self.work = "lxc-execute", work
        self.command = find("lxc-execute")
        self.version = _version(self.command, "--version")
        self.path = f"{work}/lxc"
        os.makedirs(self.path)

    def prepare(self, label, config):
        bundles.write_lxc_config(f"{self.work}/{label}.lxc", config)

    def _line(self, tool, name, *words):
        return [find(tool), "-P", self.path, "-n", f"{PREFIX}-{name}", *words]

    def _execute(self, label, name, *words):
        return self._line("lxc-execute", name, "-f", f"{self.work}/{label}.lxc", *words)

    def run(self, label, name):
        return self._execute(label, name, "--", *bundles.TRUE)

    def exec(self, label, name):
        return self._line("lxc-attach", name, "-f", f"{self.work}/{label}.lxc", "--", *bundles.TRUE)

    def long_start(self, label, name):
        return [
            self._execute(label, name, "-d", "--", *bundles.LONG),
            self._line("lxc-wait", name, "-s", "RUNNING"),
        ]

    def long_stop(self, name):
        return [self._line("lxc-stop", name, "-k")], []


class Liblxc:
    """What LXC itself takes, without any runtime around it: liblxc.c, with the items that runlxc has for the bundle."""

    has_life = has_exec = has_many = is_reaped = False

    def __init__(self, work, program, ours):
        self.name, self.version = "liblxc", "-"
        self.work, self.program, self.ours = work, program, ours
        self.path = f"{work}/liblxc-path"
        os.makedirs(self.path)

    def prepare(self, label, _config):
        name = f"items-{label}"
        try:
            if subprocess.run(self.ours.create(label, name), **NOWHERE, check=False).returncode != 0:
                return  # then there are no items, and run() fails
            with open(f"{self.ours.state}/{name}/config.lxc", encoding="utf-8") as file:
                lines = [line for line in file if not line.startswith("lxc.cgroup.dir.")]
        finally:
            subprocess.run(self.ours.verb("delete", "--force", name), **NOWHERE, check=False)
        lines += [
            f"lxc.cgroup.dir.{key} = {PREFIX}/liblxc-{kind}\n"
            for key, kind in (("container", label), ("monitor", "monitor"), ("monitor.pivot", "pivot"))
        ]
        with open(f"{self.work}/liblxc-{label}", "w", encoding="utf-8") as file:
            file.writelines(lines)

    def run(self, label, name):
        return [self.program, f"{PREFIX}-{name}", self.path, f"{self.work}/liblxc-{label}", *bundles.TRUE]
