# SPDX-License-Identifier: Apache-2.0
"""The kernel's resctrl file system, as tests look at it."""

import os

import pytest

ROOT = "/sys/fs/resctrl"
HERE = os.path.exists(f"{ROOT}/schemata")
NEEDED = pytest.mark.skipif(not HERE, reason="no resctrl: this host has no such file system mounted")
OWN_PLACES = ("info", "mon_data", "mon_groups")  # directories that are no groups


class Resctrl:
    """What is in it; groups are named as in a closID."""

    def __init__(self):
        self.made = []  # by the test

    def path(self, group, *names):
        return os.path.join(ROOT, "" if group == "/" else group, *names)

    def exists(self, group, *names):
        return os.path.exists(self.path(group, *names))

    def groups(self):
        """Those that somebody made, and the monitoring groups in all."""
        names = {entry.name for entry in os.scandir(ROOT) if entry.is_dir()} - set(OWN_PLACES)
        monitors = {f"{name}/{each}" for name in ["", *names] for each in os.listdir(self.path(name, "mon_groups"))}
        return names | monitors

    def make(self, group, *lines):
        os.mkdir(self.path(group))
        self.made.append(group)
        if lines:
            self.write(group, *lines)
        return group

    def write(self, group, *lines):
        with open(self.path(group, "schemata"), "w", encoding="utf-8") as file:
            file.write("".join(f"{line}\n" for line in lines))

    def remove(self, group):
        os.rmdir(self.path(group))
        self.made.remove(group)

    def tasks(self, group, *names):
        with open(self.path(group, *names, "tasks"), encoding="utf-8") as file:
            return {int(line) for line in file}

    def schemata(self, group):
        """{"L3": {"0": 0xfffff}, "MB": {"0": 100}}"""
        found = {}
        with open(self.path(group, "schemata"), encoding="utf-8") as file:
            for line in file:
                resource, _, domains = line.strip().partition(":")
                base = 10 if resource in ("MB", "SMBA") else 16
                pairs = (domain.split("=") for domain in domains.split(";"))
                found[resource] = {domain.strip(): int(value, base) for domain, value in pairs}
        return found

    def cache(self, group):
        """The mask that a group has of the cache, the same in every domain."""
        masks = set(self.schemata(group)["L3"].values())
        assert len(masks) == 1, masks
        return masks.pop()

    def line(self, mask):
        """The line that gives a group such a mask, in every domain."""
        return "L3:" + ";".join(f"{domain}={mask:x}" for domain in self.schemata("/")["L3"])
