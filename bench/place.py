# SPDX-License-Identifier: Apache-2.0
"""Where the bench works: a mount namespace and cgroups of its own, which it clears away."""

import os
import signal
import subprocess
import sys
import time

import measure
import runtimes

CGROUPS = "/sys/fs/cgroup"
WORK = "/run/bench"  # on a tmpfs that this mount namespace alone sees


def mount(*words):
    subprocess.run(["mount", *words], check=True)


def prepare_mounts():
    """State, bundles and the root file system lie on a tmpfs over /run. crun 1.8 refuses the hybrid layout,
    the v2 tree beside v1 hierarchies: there everybody gets a /sys/fs/cgroup with the v1 hierarchies alone."""
    mount("-t", "tmpfs", "-o", "mode=755", "bench", "/run")
    os.makedirs(WORK)
    if not os.path.exists(f"{CGROUPS}/unified/cgroup.controllers"):
        return
    fresh = f"{WORK}/cgroup"
    os.mkdir(fresh)
    mount("-t", "tmpfs", "-o", "mode=755", "cgroup", fresh)
    for name in sorted(os.listdir(CGROUPS)):
        if os.path.islink(f"{CGROUPS}/{name}"):
            os.symlink(os.readlink(f"{CGROUPS}/{name}"), f"{fresh}/{name}")
        elif name != "unified":
            os.mkdir(f"{fresh}/{name}")
            mount("--bind", f"{CGROUPS}/{name}", f"{fresh}/{name}")
    subprocess.run(["umount", "--recursive", CGROUPS], check=True)
    mount("--move", fresh, CGROUPS)


def is_unified():
    return os.path.exists(f"{CGROUPS}/cgroup.controllers")


def our_cgroups():
    """Every cgroup directory of ours, children first. lxc.pivot is LXC's, and shared by all of its users."""
    tops = [CGROUPS] if is_unified() else [f"{CGROUPS}/{name}" for name in os.listdir(CGROUPS)]
    found = []
    for top in {os.path.realpath(top) for top in tops}:
        for directory, _, _ in os.walk(top, topdown=False):
            if any(runtimes.PREFIX in part for part in directory[len(top) :].split("/")):
                found.append(directory)
    return found


def pivots():
    tops = [CGROUPS] if is_unified() else [f"{CGROUPS}/{name}" for name in os.listdir(CGROUPS)]
    return {path for top in tops if os.path.isdir(path := f"{top}/lxc.pivot")}


def clean_up(timer, pivots_before):
    """Ends what still runs (after a failure), and removes the cgroups that were left."""
    deadline = time.monotonic() + 10
    while (left := measure.descendants(timer.process.pid)) and time.monotonic() < deadline:
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        time.sleep(0.01)
    timer.close()
    for directory in our_cgroups() + sorted(pivots() - pivots_before):
        while True:
            try:
                os.rmdir(directory)
                break
            except FileNotFoundError:
                break
            except OSError as failure:
                # The kernel lets go of a cgroup a moment after its last process.
                if time.monotonic() > deadline:
                    print(f"bench: left behind: {directory}: {failure.strerror}", file=sys.stderr)
                    break
                time.sleep(0.01)
