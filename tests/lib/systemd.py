# SPDX-License-Identifier: Apache-2.0
"""What systemd says of a unit, and containers whose cgroups it makes. The guest of tests/vm has one as PID 1."""

import contextlib
import os
import subprocess

import pytest

from lib import system
from lib.rootless import GID, UID

TIMEOUT = 60
AS_USER = ["setpriv", f"--reuid={UID}", f"--regid={GID}", "--clear-groups"]
RUNTIME_DIRECTORY = f"/run/user/{UID}"


def need_systemd():
    """Skips where systemd isn't PID 1."""
    if not os.path.isdir("/run/systemd/system"):
        pytest.skip("systemd is not PID 1 here; the guest of tests/vm has it")


class Manager:
    """A systemd: root's, or with `prefix` and `environment` a user's."""

    def __init__(self, prefix=(), environment=None):
        self.prefix, self.environment = list(prefix), environment

    def call(self, *args, program="systemctl", check=True):
        argv = [*self.prefix, program, *(["--user"] if self.prefix else []), *args]
        done = subprocess.run(
            argv, env=self.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=TIMEOUT, check=False
        )
        assert done.returncode == 0 or not check, f"{argv}: {done}"
        return done.stdout.strip()

    def show(self, unit, *names):
        """A unit's properties; one alone is its text."""
        lines = self.call("show", "--property", ",".join(names), unit).splitlines()
        found = {}
        for line in lines:
            name, _, value = line.partition("=")
            found.setdefault(name, []).append(value)
        found = {name: "\n".join(values) for name, values in found.items()}
        return found[names[0]] if len(names) == 1 else found

    def is_loaded(self, unit):
        return self.show(unit, "LoadState") != "not-found" or self.show(unit, "ActiveState") != "inactive"

    def wait_gone(self, unit):
        system.wait_until(lambda: not self.is_loaded(unit), f"the unit {unit} is gone")

    def scopes(self, token):
        """The names of the scopes of a session's; its slices systemd forgets when it likes."""
        lines = self.call("list-units", "--all", "--plain", "--no-legend", "--no-pager", f"*{token}*.scope").splitlines()
        return sorted(line.split()[0] for line in lines)


@contextlib.contextmanager
def user_manager():
    """The systemd of the user nobody, which his lingering keeps."""

    def run(*argv):
        subprocess.run(argv, stdin=subprocess.DEVNULL, timeout=TIMEOUT, check=True)

    run("loginctl", "enable-linger", "nobody")
    run("systemctl", "start", f"user@{UID}.service")
    made = Manager(AS_USER, {"PATH": "/usr/bin:/bin", "XDG_RUNTIME_DIR": RUNTIME_DIRECTORY})
    made.call("start", "dbus.service", "user.slice")
    try:
        yield made
    finally:
        run("loginctl", "disable-linger", "nobody")
        run("systemctl", "stop", f"user-{UID}.slice")
