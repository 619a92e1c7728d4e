# SPDX-License-Identifier: Apache-2.0
"""Containers from a Command of Docker's old execution driver: `run --command FILE`."""

import json
import os

from lib import system
from lib.bundle import BUSYBOX, make_rootfs
from lib.runtime import Container

PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class CommandContainer(Container):
    """As lib.runtime's, but `document` is a Command, and there is no create: up() is run --detach."""

    def __init__(self, runtime, directory, id_, busybox=BUSYBOX):
        super().__init__(runtime, self, id_)
        self.file = f"{directory}/command.json"
        self.rootfs = f"{directory}/rootfs"
        os.makedirs(directory)
        make_rootfs(self.rootfs, busybox)
        self.document = {
            "id": id_,
            "rootfs": self.rootfs,
            "network": {"host_networking": True},
            "process_config": {"entrypoint": "true", "env": [PATH]},
        }

    @property
    def process(self):
        return self.document["process_config"]

    @property
    def resources(self):
        return self.document.setdefault("resources", {})

    def args(self, *args):
        self.process["entrypoint"], self.process["arguments"] = args[0], list(args[1:])
        return self

    def shell(self, script):
        return self.args("sh", "-c", script)

    def env(self, *variables):
        self.process["env"] = [PATH, *variables]
        return self

    def set(self, **fields):
        self.document.update(fields)
        return self

    def mount(self, source, destination, **fields):
        self.document.setdefault("mounts", []).append({"source": source, "destination": destination, **fields})
        return self

    def write(self, text=None):
        """Writes the Command, or any text or bytes instead of it."""
        text = json.dumps(self.document, indent=1) if text is None else text
        with open(self.file, "wb") as file:
            file.write(text if isinstance(text, bytes) else text.encode())
        return self

    def run(self, *flags, **popen):
        self.write()
        self.result = self.runtime("run", "--command", self.file, *flags, **popen)
        return self.result

    def popen_run(self, *flags, **popen):
        self.write()
        return self.runtime.popen("run", "--command", self.file, *flags, **popen)

    def up(self, *flags, **popen):
        result = self.run("--detach", "--pid-file", self.pid_file, *flags, **popen)
        assert result.returncode == 0, f"failed: {result}"
        self._pidfd = system.Pidfd(self.pid)
        return self

    def refused(self, *words):
        """It must be refused in a line with these words, and nothing may be there of it."""
        result = self.run()
        result.assert_refused(*words)
        assert result.stdout == ""
        assert not self.exists
        return result
