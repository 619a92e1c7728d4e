# SPDX-License-Identifier: Apache-2.0
"""Memory: of all processes of a create together, under a limit, and of a kept monitor."""

import os

import floor
import measure

PARENT = f"{floor.PREFIX}memory"
LIMITS = (128, 192, 256, 320, 384, 448, 512, 640, 768, 1024, 1536, 2048, 3072, 4096, 6144, 8192, 16384)  # KiB
TRIES = 3  # of a limit
KEPT = 5


def _parent(cgroups, unified):
    """A cgroup with the memory controller, to make others in."""
    if not unified:
        parent = f"{cgroups}/memory/{PARENT}"
        os.makedirs(parent, exist_ok=True)
        return parent
    parent = f"{cgroups}/{PARENT}"
    os.makedirs(parent, exist_ok=True)
    for directory in (cgroups, parent):
        with open(f"{directory}/cgroup.subtree_control", "w", encoding="ascii") as file:
            file.write("+memory")
    return parent


def measure_peak(timer, runtimes, label, runs, samples, where):
    """The most that all processes of a `create` together were charged with, by the kernel's count for the cgroup
    that it is called in. The container's own processes count until they are in the container's cgroup."""
    cgroups, unified = where
    cgroup = f"{_parent(cgroups, unified)}/create"

    def one(runtime, counts):
        os.mkdir(cgroup)
        timer.peak(runtime.create(label, "peak"), cgroup)
        with open(f"{cgroup}/memory.{'peak' if unified else 'max_usage_in_bytes'}", encoding="ascii") as file:
            peak = int(file.read())
        timer.run(runtime.start("peak"))
        timer.reap(runtime.first_process("peak"))
        timer.run(runtime.delete("peak"))
        timer.drain()
        os.rmdir(cgroup)
        if counts:
            samples.add(label, "peak-all", runtime, peak / 1024)

    measure.in_turn([runtime for runtime in runtimes if runtime.has_life], runs, one, lambda: None)


def _starts(timer, runtime, label, kib):
    command = ["/usr/bin/timeout", "--foreground", "-k", "1", "10", *runtime.limited(label, kib)]
    try:
        for _ in range(TRIES):
            timer.run(command)
        return True
    except measure.Failure:
        try:
            timer.run(runtime.verb("delete", "--force", "limited"))
        except measure.Failure:
            pass  # it left nothing
        timer.drain()
        return False


def measure_limit(timer, runtimes, label, samples):
    """The smallest memory limit under which /bin/true runs, every time."""
    for runtime in runtimes:
        if not runtime.has_life:
            continue
        too_low, enough = -1, len(LIMITS) - 1
        if not _starts(timer, runtime, label, LIMITS[enough]):
            continue
        while enough - too_low > 1:
            middle = (too_low + enough) // 2
            if _starts(timer, runtime, label, LIMITS[middle]):
                enough = middle
            else:
                too_low = middle
        samples.add(label, "limit", runtime, LIMITS[enough])


def measure_kept(timer, ours, label, samples):
    """What `--lxc-monitor` leaves in memory for each container: pages that nobody else has."""
    started = []
    try:
        for number in range(KEPT):
            command = ours.separate(label, f"kept-{number}", number)
            command[command.index("create") : command.index("create") + 1] = ["run", "--detach", "--lxc-monitor"]
            timer.run(command)
            started.append(f"kept-{number}")
        first = {ours.first_process(name) for name in started}
        monitors = set(measure.descendants(timer.process.pid)) - first
        samples.add(label, "kept", ours, measure.kib_of(monitors, ("Private_Clean:", "Private_Dirty:")) / KEPT)
    finally:
        for name in started:
            timer.run(ours.verb("delete", "--force", name))
        timer.drain()
