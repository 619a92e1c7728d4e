# SPDX-License-Identifier: Apache-2.0
"""The times as a chart, by gnuplot."""

import shutil
import subprocess

GROUPS = (
    ("docker", "run", "run\\n\\nDocker's config"),
    ("docker", "life", "create + start\\n+ delete\\nDocker's config"),
    ("docker", "exec", "exec\\n\\nDocker's config"),
    ("default", "run", "run\\n\\nrunc's default"),
    ("default", "life", "create + start\\n+ delete\\nrunc's default"),
    ("default", "exec", "exec\\n\\nrunc's default"),
)
# By hue and lightness, so that they can be told apart in print, too.
COLOURS = {"floor": "#bbbbbb", "runlxc": "#117733", "crun": "#88ccee", "runc": "#4477aa", "lxc-execute": "#ddcc77"}
TITLES = {"floor": "the kernel alone", "lxc-execute": "LXC's commands"}

SCRIPT = """\
set terminal svg size 960,420 dynamic font "sans-serif,13" background "white"
set output "{path}"
set style data histograms
set style histogram clustered gap 1.5
set style fill solid
set boxwidth 0.9
set key outside top center horizontal maxrows 1 noenhanced font ",11"
set ylabel "ms, median"
set yrange [0:*]
set grid y linecolor "#dddddd"
set border 3
set tics nomirror scale 0
set xtics font ",11"
set xrange [-0.6:{last}.6]
set bmargin 4.5
set title "{title}" font ",11" noenhanced
$times << EOD
{times}
EOD
plot {plots}
"""


def is_possible():
    return shutil.which("gnuplot") is not None


def draw(figures, header, path):
    """Draws the medians that there are into an SVG; without any, nothing."""
    names = [name for name in COLOURS if any(figures.median(label, what, name) for label, what, _ in GROUPS)]
    rows = []
    for label, what, title in GROUPS:
        values = [figures.median(label, what, name) for name in names]
        if any(values):
            rows.append(" ".join([f'"{title}"', *("NaN" if value is None else f"{value:.3f}" for value in values)]))
    if not rows:
        return
    plots = [
        f'$times using {number}:xtic(1) title "{TITLES.get(name, name)}" linecolor "{COLOURS[name]}"'
        for number, name in enumerate(names, 2)
    ]
    script = SCRIPT.format(
        path=path,
        title=header[0].replace('"', "'"),
        times="\n".join(rows),
        last=len(rows) - 1,
        plots=", \\\n     ".join(plots),
    )
    subprocess.run(["gnuplot"], input=script, text=True, check=True)
