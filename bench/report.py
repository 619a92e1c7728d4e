# SPDX-License-Identifier: Apache-2.0
"""The figures as text."""

import statistics

TIMES = (("run", "run /bin/true"), ("life", "create + start + delete"), ("exec", "exec /bin/true"))
PARTS = ("create", "start", "delete")
MEMORY = (
    ("peak-run", "peak of run"),
    ("peak-create", "peak of create"),
    ("peak-exec", "peak of exec"),
    ("waiting", "first process, waiting for its start"),
    ("left-created", "left per created container"),
    ("left-running", "left per running container"),
)
ONCE = (
    ("peak-all", "peak of all processes of a create together", "KiB"),
    ("limit", "smallest memory limit that starts", "KiB"),
    ("kept", "private memory of a kept monitor", "KiB"),
    ("per-second", "containers a second, 8 at once", "1/s"),
    ("exit", "from the program's end to run's", "ms"),
    ("oom", "from a kill for memory to its report", "ms"),
    ("trace", "run with --trace", "ms"),
)


def summary(values):
    ordered = sorted(values)
    return {
        "median": statistics.median(ordered),
        "min": ordered[0],
        "p90": ordered[min(len(ordered) - 1, int(len(ordered) * 0.9))],
        "runs": len(ordered),
    }


class Report:
    def __init__(self, samples, names):
        self.values, self.names = samples.values, names

    def median(self, label, measure, name):
        values = self.values.get((label, measure, name))
        return statistics.median(values) if values else None

    def _ratio(self, label, measure, name, to):
        ours, theirs = self.median(label, measure, name), self.median(label, measure, to)
        return f"{ours / theirs:7.2f}" if ours is not None and theirs else "      -"

    def times(self, label):
        lines = [f"{'':24} {'':12} {'median':>8} {'min':>8} {'p90':>8}  ms    ×crun   ×runc  ×floor"]
        for measure, title in TIMES:
            for name in self.names:
                values = self.values.get((label, measure, name))
                if not values:
                    continue
                result = summary(values)
                line = (
                    f"{title:24} {name:12} {result['median']:8.2f} {result['min']:8.2f} {result['p90']:8.2f}"
                    f"     {self._ratio(label, measure, name, 'crun')} {self._ratio(label, measure, name, 'runc')}"
                    f" {self._ratio(label, measure, name, 'floor')}"
                )
                if measure == "life":
                    parts = (self.median(label, part, name) for part in PARTS)
                    line += "   = " + " + ".join(f"{part:.2f}" for part in parts)
                lines.append(line)
                title = ""
        return lines

    def memory(self, label):
        lines = [f"{'KiB':37}" + "".join(f" {name:>12}" for name in self.names)]
        for measure, title in MEMORY:
            cells = [self.median(label, measure, name) for name in self.names]
            if any(cell is not None for cell in cells):
                lines.append(
                    f"{title:37}" + "".join(" " * 12 + "-" if cell is None else f" {cell:12.0f}" for cell in cells)
                )
        return lines

    def markdown(self, label):
        """times() and memory() as docs/performance.md has them."""
        head = f"| median (minimum), ms | {' | '.join(self.names)} | × crun | × runc | × floor |"
        lines = [head, "|---" * (len(self.names) + 4) + "|"]
        for measure, title in TIMES:
            cells = [self._markdown_cell(label, measure, name, "{median:.1f} ({min:.1f})") for name in self.names]
            cells += [self._ratio(label, measure, "runlxc", to).strip() for to in ("crun", "runc", "floor")]
            lines.append(f"| {title} | {' | '.join(cells)} |")
        lines += ["", f"| KiB | {' | '.join(self.names)} |", "|---" * (len(self.names) + 1) + "|"]
        for measure, title in MEMORY:
            cells = [self._markdown_cell(label, measure, name, "{median:.0f}") for name in self.names]
            lines.append(f"| {title} | {' | '.join(cells)} |")
        return lines

    def _markdown_cell(self, label, measure, name, form):
        values = self.values.get((label, measure, name))
        return form.format(**summary(values)) if values else "-"

    def once(self, label):
        """What was measured with one bundle only, for everybody who can do it."""
        lines = []
        for measure, title, unit in ONCE:
            cells = [(name, self.median(label, measure, name)) for name in self.names]
            cells = [f"{name} {value:.{0 if unit == 'KiB' else 2}f}" for name, value in cells if value is not None]
            if cells:
                lines.append(f"{title}, {unit}: {', '.join(cells)}")
        for verb in ("state", "ps", "stats", "kill", "delete", "list"):
            cells = [self.median(label, f"{verb}-{when}", "runlxc") for when in ("alone", "crowd")]
            if None not in cells:
                lines.append(f"{verb}, ms: {cells[0]:.2f} with one container, {cells[1]:.2f} with many")
        return lines

    def as_json(self):
        result = {}
        for (label, measure, name), values in self.values.items():
            entry = dict(summary(values), values=values)
            result.setdefault(label, {}).setdefault(measure, {})[name] = entry
        return result
