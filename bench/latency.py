# SPDX-License-Identifier: Apache-2.0
"""How long it takes until something that has happened is told."""

import os
import subprocess
import time

import bundles
import floor
import measure

MEMORY_LIMIT = 32 << 20


def measure_exit(timer, runtimes, label, runs, samples, progress):
    """From the end of the container's program until `run` has returned, its container removed."""

    def one(runtime, counts):
        milliseconds = timer.since_end(runtime.run(label, "stamp", "stamp"))
        timer.drain()
        if counts:
            samples.add(label, "exit", runtime, milliseconds)

    measure.in_turn([runtime for runtime in runtimes if runtime.has_life], runs, one, progress)


def _wait_line(stream, word):
    for line in stream:
        if word in line:
            return time.monotonic_ns()
    raise measure.Failure(f"`events` ended before it told of {word!r}")


def measure_oom(ours, label, runs, samples, environment):
    """From the moment when a process asks for the page for which the kernel kills it until the line of `events` is
    read."""
    bundle = f"{ours.work}/oom"
    bundles.write_bundle(bundle, ours.configs[label], bundles.OOM, f"/{floor.PREFIX}/oom", MEMORY_LIMIT)
    pid_file = f"{bundle}/pid"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "env": environment}
    with subprocess.Popen(ours.verb("run", "--bundle", bundle, "--pid-file", pid_file, "oom"), **pipes) as container:
        try:
            while not os.path.exists(pid_file) and container.poll() is None:
                time.sleep(0.01)
            command = ours.verb("events", "--interval", "100ms", "oom")
            with subprocess.Popen(command, **pipes, text=True) as events:
                # From its first line on it listens.
                _wait_line(events.stdout, '"type":"stats"')
                for _ in range(runs):
                    container.stdin.write(b".")
                    container.stdin.flush()
                    told = _wait_line(events.stdout, '"type":"oom"')
                    happened = int(container.stdout.readline())
                    samples.add(label, "oom", ours, (told - happened) / 1e6)
                container.stdin.close()
                container.wait()
        finally:
            container.kill()
            subprocess.run(ours.verb("delete", "--force", "oom"), env=environment, check=True)
