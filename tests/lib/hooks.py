# SPDX-License-Identifier: Apache-2.0
"""Hooks that are shell scripts, on either side of pivot_root."""

import os

from lib import system

KINDS = ("prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop")
BEFORE_PIVOT = KINDS[:3]
IN_THE_CONTAINERS_NAMESPACES = ("createContainer", "startContainer")
# What a hook is told, by runtime.md "State" and "Lifecycle".
STATUS = dict(zip(KINDS, ("creating", "creating", "creating", "created", "running", "stopped")))

# Of a program in the container, by a path that says what the hook's own root is.
NAMESPACES = ("mnt", "net", "ipc", "uts", "pid")


def script(text, out, **more):
    """A hook: a shell script for which $OUT is a directory that the test can read."""
    return {"path": "/bin/sh", "args": ["sh", "-c", text], "env": [f"OUT={out}", "PATH=/usr/bin:/bin"], **more}


class Hooked:
    """Gives a container hooks; what they write to $OUT, and the container's program to /out, is read here."""

    def __init__(self, made, directory):
        self.made, self.directory = made, directory
        os.makedirs(directory, exist_ok=True)
        made.bundle.mount("/out", directory, "rbind", "rw")

    def out(self, kind):
        """The directory as a hook of this kind sees it."""
        return "/out" if kind == "startContainer" else self.directory

    def add(self, kind, text, **more):
        hooks = self.made.bundle.config.setdefault("hooks", {}).setdefault(kind, [])
        hooks.append(script(text, self.out(kind), **more))
        return self

    def add_all(self, text, kinds=KINDS):
        """The same for every kind; KIND in the text is its name."""
        for kind in kinds:
            self.add(kind, text.replace("KIND", kind))
        return self

    def written(self, name):
        with open(f"{self.directory}/{name}", encoding="utf-8") as file:
            return file.read()

    def wrote(self, name):
        return os.path.exists(f"{self.directory}/{name}")

    def go_through(self, up_to):
        """Takes the container as far as it needs to go for the hooks of this kind to run."""
        self.made.create()
        if up_to in BEFORE_PIVOT:
            return self
        self.made.start()
        if up_to == "poststop":
            self.made.stop()
            self.made.delete()
        return self

    def fail_at(self, kind):
        """The same, where that step must fail; its Result."""
        if kind in BEFORE_PIVOT:
            self.made.bundle.write()
            return self.made.runtime.fails("create", "--bundle", self.made.bundle.path, self.made.id)
        self.made.create()
        return self.made.runtime.fails("start", self.made.id)


def namespaces(pid):
    return {kind: system.namespace(pid, kind) for kind in NAMESPACES}


READ_NAMESPACES = "for kind in " + " ".join(NAMESPACES) + "; do echo $kind $(readlink /proc/self/ns/$kind); done"
