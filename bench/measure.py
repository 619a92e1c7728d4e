# SPDX-License-Identifier: Apache-2.0
"""The measurements. Every time is one of timer.c's; see there for what is in it."""

import os
import subprocess
import time

import bundles

ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root"}
RESIDENT_CONTAINERS = 5  # memory that they share is counted once, and divided among them


class Failure(Exception):
    """A command that should have succeeded did not."""


class Timer:
    """A running timer.c."""

    def __init__(self, program, errors_path, idle):
        self.errors_path, self.idle = errors_path, idle
        with open(errors_path, "wb") as errors:
            # A session of its own: a ^C is for bench/run, which then stops what it started.
            self.process = subprocess.Popen(
                [program],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,
                env=ENVIRONMENT,
            )

    def _ask(self, *words):
        self.process.stdin.write(b"".join(os.fsencode(word) + b"\0" for word in words) + b"\0")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().split()
        if not answer:
            raise Failure("timer ended: " + self._errors())
        return [int(word) for word in answer]

    def _errors(self):
        with open(self.errors_path, "rb") as file:
            return file.read()[-1000:].decode(errors="replace").strip()

    def run(self, command):
        """Runs a command: (milliseconds, peak KiB)."""
        if self.idle:
            time.sleep(self.idle)
        nanoseconds, peak, status = self._ask("run", *command)
        if status != 0:
            raise Failure(f"{' '.join(command)}: wait status {status}\n{self._errors()}")
        return nanoseconds / 1e6, peak

    def peak(self, command, cgroup):
        """Runs a command in a cgroup."""
        _, _, status = self._ask("in", f"{cgroup}/cgroup.procs", *command)
        if status != 0:
            raise Failure(f"{' '.join(command)}: wait status {status}\n{self._errors()}")

    def since_end(self, command):
        """Milliseconds from the end of the program, which is stamp.c, until the command has returned."""
        if self.idle:
            time.sleep(self.idle)
        nanoseconds, status = self._ask("stamp", *command)
        if status != 0:
            raise Failure(f"{' '.join(command)}: wait status {status}\n{self._errors()}")
        return nanoseconds / 1e6

    def many(self, count, at_once, command):
        """Runs a command so often, with a number in place of each "{}"; the seconds it took."""
        nanoseconds, failed = self._ask("many", str(count), str(at_once), *command)
        if failed:
            raise Failure(f"{' '.join(command)}: {failed} of {count} failed\n{self._errors()}")
        return nanoseconds / 1e9

    def reap(self, pid):
        """Waits until a container's first process, which must have become the timer's child, has ended."""
        if self._ask("reap", str(pid))[0] == -1:
            raise Failure(f"process {pid} did not become the child of its nearest subreaper")

    def drain(self):
        self._ask("drain")

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Samples:
    """Values by (bundle, measure, runtime)."""

    def __init__(self):
        self.values = {}

    def add(self, label, measure, runtime, value):
        self.values.setdefault((label, measure, runtime.name), []).append(value)


def in_turn(runtimes, runs, one, progress):
    """A B C D A B C D …, after three rounds that aren't counted: they fill the page cache and the runtimes'
    own caches."""
    for number in range(-3, runs):
        for runtime in runtimes:
            one(runtime, number >= 0)
        progress()


def measure_run(timer, runtimes, label, runs, samples, progress):
    def one(runtime, counts):
        milliseconds, peak = timer.run(runtime.run(label, "run"))
        timer.drain()
        if counts:
            samples.add(label, "run", runtime, milliseconds)
            samples.add(label, "peak-run", runtime, peak)

    in_turn(runtimes, runs, one, progress)


def measure_life(timer, runtimes, label, runs, samples, progress):
    """create + start + delete. The container's end is waited for between start and delete, and that wait
    isn't counted, so that nobody's way to wait for it is."""

    def one(runtime, counts):
        create, peak = timer.run(runtime.create(label, "life"))
        start, _ = timer.run(runtime.start("life"))
        timer.reap(runtime.first_process("life"))
        delete, _ = timer.run(runtime.delete("life"))
        timer.drain()
        if counts:
            samples.add(label, "life", runtime, create + start + delete)
            samples.add(label, "create", runtime, create)
            samples.add(label, "start", runtime, start)
            samples.add(label, "delete", runtime, delete)
            samples.add(label, "peak-create", runtime, peak)

    in_turn([runtime for runtime in runtimes if runtime.has_life], runs, one, progress)


def stop(timer, runtime, name):
    kill, delete = runtime.long_stop(name)
    for command in kill:
        timer.run(command)
    if runtime.is_reaped:
        timer.reap(runtime.first_process(name))
    for command in delete:
        timer.run(command)
    timer.drain()


def measure_exec(timer, runtimes, label, runs, samples, progress):
    started = []
    try:
        runtimes = [runtime for runtime in runtimes if runtime.has_exec]
        for runtime in runtimes:
            for command in runtime.long_start(label, "exec"):
                timer.run(command)
            started.append(runtime)

        def one(runtime, counts):
            milliseconds, peak = timer.run(runtime.exec(label, "exec"))
            if counts:
                samples.add(label, "exec", runtime, milliseconds)
                samples.add(label, "peak-exec", runtime, peak)

        in_turn(runtimes, runs, one, progress)
    finally:
        for runtime in started:
            stop(timer, runtime, "exec")


# ---- resident memory ----


def descendants(of):
    """Every living process below `of`, as pid → argv."""
    parents, found = {}, {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat", encoding="utf-8", errors="replace") as file:
                fields = file.read().rpartition(")")[2].split()
        except OSError:
            continue
        if fields[0] not in "ZX":
            parents[int(name)] = int(fields[1])
    for pid in parents:
        above = parents[pid]
        while above in parents and above != of:
            above = parents[above]
        if above == of:
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as file:
                    found[pid] = os.fsdecode(file.read()).split("\0")[:-1]
            except OSError:
                pass
    return found


def kib_of(pids, kinds=("Pss:",)):
    """Their memory; by default of pages shared with others their part (PSS)."""
    total = 0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
                total += sum(int(line.split()[1]) for line in file if line.startswith(kinds))
        except OSError:
            pass  # it ended meanwhile
    return total


def _settled(timer, of):
    """What `of` makes of the processes that are there; commands of a moment ago may still be on their way out."""
    figures = []
    for _ in range(3):
        timer.drain()
        there = descendants(timer.process.pid)
        figures.append(kib_of(of(there)))
        time.sleep(0.02)
    return min(figures) / RESIDENT_CONTAINERS


def measure_resident(timer, runtimes, label, samples):
    """What is in memory besides the user's own program: per container that was created and waits for its
    start, and per container that runs."""
    for runtime in runtimes:
        if not runtime.has_many:
            continue
        names = [f"resident-{number}" for number in range(RESIDENT_CONTAINERS)]
        started = []
        try:
            for number, name in enumerate(names):
                commands = (
                    [runtime.separate(label, name, number)] if runtime.has_life else runtime.long_start(label, name)
                )
                for command in commands:
                    timer.run(command)
                started.append(name)
            if runtime.has_life:
                waiting = {runtime.first_process(name) for name in names}
                left = _settled(timer, lambda there, waiting=waiting: set(there) - waiting)
                samples.add(label, "left-created", runtime, left)
                samples.add(label, "waiting", runtime, kib_of(waiting) / len(names))
                for name in names:
                    timer.run(runtime.start(name))
            left = _settled(timer, lambda there: [pid for pid, argv in there.items() if argv != bundles.LONG])
            samples.add(label, "left-running", runtime, left)
        finally:
            for name in started:
                stop(timer, runtime, name)
