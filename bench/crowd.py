# SPDX-License-Identifier: Apache-2.0
"""Many containers: made side by side, and what a verb costs while many are there."""

import bundles
import measure

AT_ONCE = 8
ROUNDS = 3
VERBS = (
    ("state", ("state", "{}")),
    ("ps", ("ps", "{}")),
    ("stats", ("events", "--stats", "{}")),
    ("kill", ("kill", "{}", "CONT")),
)


def measure_throughput(timer, runtimes, label, count, samples):
    """Containers a second: `count` of them, AT_ONCE side by side, each a whole `run /bin/true`."""
    runtimes = [runtime for runtime in runtimes if runtime.has_life]
    commands = {}
    for runtime in runtimes:
        bundle, name = runtime.numbered(label, count, bundles.TRUE)
        commands[runtime.name] = runtime.verb("run", "--bundle", bundle, name)
    for number in range(-1, ROUNDS):
        for runtime in runtimes:
            seconds = timer.many(count, AT_ONCE, commands[runtime.name])
            timer.drain()
            if number >= 0:
                samples.add(label, "per-second", runtime, count / seconds)


class _Crowd:
    def __init__(self, timer, ours, label, runs, samples):
        self.timer, self.ours, self.label, self.runs, self.samples = timer, ours, label, runs, samples

    def verbs(self, when):
        """Every verb on the container "one"; a delete on one that was made for it."""
        add = self.samples.add
        for number in range(-2, self.runs):
            values = {}
            for name, words in VERBS:
                command = self.ours.verb(*(word.format("one") for word in words))
                values[name], _ = self.timer.run(command)
            values["list"], _ = self.timer.run(self.ours.verb("list"))
            self.timer.run(self.ours.create(self.label, "gone"))
            self.timer.run(self.ours.start("gone"))
            self.timer.reap(self.ours.first_process("gone"))
            values["delete"], _ = self.timer.run(self.ours.delete("gone"))
            for name, value in values.items():
                if number >= 0:
                    add(self.label, f"{name}-{when}", self.ours, value)

    def measure(self, count):
        bundle, name = self.ours.numbered(self.label, count - 1, bundles.TRUE)
        self.timer.run(self.ours.separate(self.label, "one", 0))
        self.timer.run(self.ours.start("one"))
        try:
            self.verbs("alone")
            self.timer.many(count - 1, 2, self.ours.verb("create", "--bundle", bundle, name))
            self.verbs("crowd")
        finally:
            self.timer.many(count - 1, 2, self.ours.verb("delete", "--force", name))
            self.timer.drain()
            measure.stop(self.timer, self.ours, "one")


def measure_crowd(timer, ours, label, count, runs, samples):
    """What one verb costs with one container present, and with `count`."""
    _Crowd(timer, ours, label, runs, samples).measure(count)
