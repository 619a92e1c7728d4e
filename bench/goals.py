# SPDX-License-Identifier: Apache-2.0
"""What is to be reached, and whether it is."""

OURS = "runlxc"


class Goals:
    def __init__(self, figures, label, count):
        """`label`: the bundle that was measured for what was measured for one only."""
        self.figures, self.label, self.count = figures, label, count

    def _median(self, label, measure, name=OURS):
        return self.figures.median(label, measure, name)

    def _ratio(self, label, measure, to):
        ours, theirs = self._median(label, measure), self._median(label, measure, to)
        return None if ours is None or not theirs else ours / theirs

    def _starts(self):
        for label, words, crun, runc in (("docker", "Docker's", 0.6, 0.2), ("default", "runc's", 1.0, 0.4)):
            yield f"run /bin/true, {words} config", "× crun", self._ratio(label, "run", "crun"), crun
            yield "", "× runc", self._ratio(label, "run", "runc"), runc
            yield "", "× floor", self._ratio(label, "run", "floor"), 1.5
            yield f"create + start + delete, {words}", "× crun", self._ratio(label, "life", "crun"), 0.6
            yield f"exec /bin/true, {words}", "× crun", self._ratio(label, "exec", "crun"), 0.7
            yield "", "× lxc-attach", self._ratio(label, "exec", "lxc-execute"), 0.3

    def _memory(self):
        label = self.label
        for bundle, words in (("docker", "Docker's"), ("default", "runc's")):
            peak = self._ratio(bundle, "peak-create", "crun")
            yield f"memory, largest process of a create, {words}", "× crun", peak, 1.0
        yield "memory, peak of all processes of a create", "× crun", self._ratio(label, "peak-all", "crun"), 1.0
        yield "smallest memory limit that starts", "KiB", self._median(label, "limit"), 512
        yield "left per created container", "KiB", self._median(label, "left-created"), 0
        yield "monitor kept, private memory", "KiB", self._median(label, "kept"), 1024

    def _many(self):
        per_second = self._ratio(self.label, "per-second", "crun")
        yield "containers a second, 8 at once", "× crun", per_second, -1.5
        for verb in ("state", "ps", "stats", "kill", "delete"):
            alone, crowd = (self._median(self.label, f"{verb}-{when}") for when in ("alone", "crowd"))
            yield f"{verb}, {self.count} containers there", "× one", alone and crowd and crowd / alone, 1.2
        alone, crowd = (self._median(self.label, f"list-{when}") for when in ("alone", "crowd"))
        each = None if crowd is None else max(0, crowd - alone) * 1000 / (self.count - 1)
        yield f"list, for each of {self.count} containers", "µs", each, 20

    def _rest(self):
        yield "from the program's end to run's", "ms", self._median(self.label, "exit"), 2
        yield "from a kill for memory to its report", "ms", self._median(self.label, "oom"), 2
        yield "the command, stripped", "KiB", self._median("all", "size-command"), 1024
        yield "init, stripped", "KiB", self._median("all", "size-init"), 100
        yield "run with --trace", "× without", self._ratio(self.label, "trace", "runlxc untraced"), 1.02

    def rows(self):
        """(what, unit, figure or None, limit); a negative limit is a least."""
        return [*self._starts(), *self._memory(), *self._many(), *self._rest()]

    def table(self, markdown=False):
        lines = ["| what | goal | figure | |", "|---|---|---|---|"] if markdown else []
        for what, unit, figure, limit in self.rows():
            sign, bound = ("≥", -limit) if limit < 0 else ("≤", limit)
            met = figure is not None and (figure >= bound if limit < 0 else figure <= bound)
            verdict = "no figure" if figure is None else "met" if met else "NOT MET"
            digits = 0 if unit == "KiB" else 1 if unit == "µs" else 2
            text = "-" if figure is None else f"{figure:.{digits}f}"
            goal = f"{sign} {bound:g} {unit}"
            lines.append(
                f"| {what} | {goal} | {text} | {verdict} |"
                if markdown
                else f"{what:44} {goal:20} {text:>9}  {verdict}"
            )
        if not markdown:
            lines.insert(0, f"{'goal':44} {'':20} {'figure':>9}")
        return lines
