# SPDX-License-Identifier: MIT
"""Pictures by gnuplot, as SVG. The colours are those of Okabe and Ito, which the colour-blind tell
apart; series differ in their points as well, and bars of ours are darker than those of the peers."""

import math
import re
import subprocess

COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#7F7F7F"]
ROLE_COLOURS = {"ours": "#0072B2", "peer": "#E69F00", "anchor": "#009E73"}
WIDTH = 960


def quoted(text):
    return '"' + text.replace('"', "'") + '"'


def human(value):
    """A time in ns with a unit that keeps it short."""
    for limit, factor, unit in ((1e3, 1, "ns"), (1e6, 1e3, "µs"), (1e9, 1e6, "ms")):
        if value < limit * 0.9995:
            scaled = value / factor
            return f"{scaled:.3g} {unit}" if scaled < 100 else f"{scaled:.0f} {unit}"
    return f"{value / 1e9:.3g} s"


def size_text(value):
    for limit, unit in ((1 << 20, "MiB"), (1 << 10, "KiB")):
        if value >= limit:
            return f"{value / limit:.3g} {unit}"
    return f"{value:.0f} B"


def time_tics(low, high):
    """Tics for a logarithmic axis of nanoseconds."""
    tics, decade = [], 1.0
    steps = (1, 2, 5) if high / low < 300 else (1,)
    while decade <= high * 10:
        tics += [f'"{human(decade * step)}" {decade * step:g}' for step in steps
                 if decade * step >= low / 10]
        decade *= 10
    return ", ".join(tics)


class Plot:
    """A gnuplot script in the making."""

    def __init__(self, title, height=460):
        self.lines = [
            f'set terminal svg size {WIDTH},{height} dynamic font "sans-serif,13" '
            'background "#ffffff"',
            "set encoding utf8", f"set title {quoted(title)} font 'sans-serif,15' noenhanced",
            "set grid xtics ytics lc rgb '#dddddd' lw 1", "set border 3 lc rgb '#666666'",
            "set tics nomirror", "set key noenhanced", "set ytics noenhanced",
            "set label font ',12'"]
        self.blocks = 0

    def add(self, *lines):
        self.lines += lines

    def data(self, rows):
        """A data block; returns its name."""
        self.blocks += 1
        self.add(f"$d{self.blocks} << EOD", *rows, "EOD")
        return f"$d{self.blocks}"

    def svg(self):
        script = "\n".join(self.lines) + "\n"
        done = subprocess.run(["gnuplot"], input=script, capture_output=True, text=True, check=False)
        if done.returncode != 0 or "<svg" not in done.stdout:
            raise RuntimeError("gnuplot: " + done.stderr.strip())
        return done.stdout


def inline(svg, prefix):
    """Without its head, and with names that no other picture of the page has."""
    svg = svg[svg.index("<svg"):]
    svg = re.sub(r"""\bid=(['"])""", rf"id=\1{prefix}", svg)
    svg = re.sub(r"""href=(['"])#""", rf"href=\1#{prefix}", svg)
    return svg.replace("url(#", f"url(#{prefix}")


def spaced(xs):
    """Those of some logarithmic positions whose labels do not touch."""
    ordered, least = sorted(xs), math.log(max(xs) / min(xs)) / 11
    chosen = [ordered[0]]
    for x in ordered[1:]:
        if math.log(x / chosen[-1]) >= least:
            chosen.append(x)
    return chosen


def lines(section, title, x_label, y_label, *, value=None, marks=(), x_sizes=False):
    """Series over the section's x, both axes logarithmic. marks: (x, text) of vertical lines."""
    value = value or (lambda x, ns: ns)
    plot = Plot(title, 520)
    commands, seen = [], []
    for number, name in enumerate(section.series()):
        points = [(g.x, g.find(name)) for g in section.groups]
        points = [(x, value(x, s.time().median)) for x, s in points if s]
        seen += [y for _, y in points]
        block = plot.data([f"{x:g} {y:g}" for x, y in points])
        dash = 2 if number >= len(COLOURS) else 1
        commands.append(f"{block} using 1:2 with linespoints lw 2 dt {dash} pt {number % 7 + 4} "
                        f"ps 0.8 lc rgb '{COLOURS[number % len(COLOURS)]}' title {quoted(name)}")
    if not seen:
        return None
    xs = [g.x for g in section.groups]
    text = size_text if x_sizes else "{:g}".format
    tics = spaced(xs)
    plot.add("set logscale xy", f"set xrange [{min(xs) / 1.15}:{max(xs) * 1.15}]",
             "set xtics (" + ", ".join(f'"{text(x)}" {x:g}' for x in tics) + ")",
             f"set xlabel {quoted(x_label)} noenhanced", f"set ylabel {quoted(y_label)} noenhanced",
             "set key outside right top vertical samplen 2")
    if value(1000, 7) == 7:
        plot.add(f"set ytics ({time_tics(min(seen), max(seen))})")
    for number, (x, label) in enumerate(marks):
        late = x > min(xs) * (max(xs) / min(xs)) ** 0.4
        side = "right offset -0.6,0" if late else "left offset 0.6,0"
        plot.add(f"set arrow from {x:g}, graph 0 to {x:g}, graph 1 nohead dt 3 lw 1.5 "
                 "lc rgb '#444444'",
                 f"set label {quoted(label)} at {x:g}, graph {0.97 - 0.05 * number:.2f} "
                 f"{side} noenhanced font ',11' tc rgb '#444444'")
    plot.add("plot " + ", \\\n ".join(commands))
    return plot.svg()


def bars(slices, title, x_label):
    """A horizontal bar for each slice, the fastest on top, with its time behind it."""
    ordered = sorted(slices, key=lambda s: -s.time().median)
    if not ordered:
        return None
    times = [s.time() for s in ordered]
    low = 10 ** (len(str(int(max(1, min(t.median for t in times))))) - 1) / 2
    high = max(t.high for t in times)
    plot = Plot(title, 110 + 26 * len(ordered))
    block = plot.data([f"{i} {t.median:g} {t.low:g} {t.high:g} {int(ROLE_COLOURS[s.role][1:], 16)} "
                       f"{quoted(human(t.median))}"
                       for i, (s, t) in enumerate(zip(ordered, times))])
    plot.add("set logscale x", f"set xrange [{low:g}:{high * 4:g}]", f"set yrange [-0.7:{len(ordered) - 0.3}]",
             "set style fill solid 0.85 noborder", "unset key", "set ytics scale 0", "set grid noytics xtics",
             "set ytics (" + ", ".join(f"{quoted(s.series)} {i}" for i, s in enumerate(ordered)) + ")",
             f"set xtics ({time_tics(low, high)})", f"set xlabel {quoted(x_label)}",
             f"plot {block} using ({low:g}):1:({low:g}):2:($1-0.36):($1+0.36):5 "
             "with boxxyerror lc rgb variable, "
             f"{block} using 2:1:3:4 with xerrorbars pt 0 lw 1.2 lc rgb '#333333', "
             f"{block} using 4:1:6 with labels left offset 0.8,0 font ',12'")
    return plot.svg()


def tails(slices, title):
    """For each slice its p50, p99, p99.9 and maximum as points on one logarithmic line."""
    ordered = sorted((s for s in slices if s.tail), key=lambda s: -s.tail["p50"])
    if not ordered:
        return None
    low = min(s.tail["p50"] for s in ordered)
    high = max(s.tail["max"] for s in ordered)
    plot = Plot(title, 140 + 26 * len(ordered))
    block = plot.data([f"{i} {s.tail['p50']:g} {s.tail['p99']:g} {s.tail['p999']:g} "
                       f"{s.tail['max']:g} {int(ROLE_COLOURS[s.role][1:], 16)}"
                       for i, s in enumerate(ordered)])
    points = [(2, 7, "p50"), (3, 9, "p99"), (4, 5, "p99.9"), (5, 2, "max")]
    plot.add("set logscale x", f"set xrange [{low / 2:g}:{high * 2:g}]",
             f"set yrange [-0.7:{len(ordered) - 0.3}]", "set key outside top right horizontal",
             "set ytics (" + ", ".join(f"{quoted(s.series)} {i}" for i, s in enumerate(ordered)) + ")",
             f"set xtics ({time_tics(low, high)})", "set xlabel 'round trip (logarithmic); blue: exo_ipc, orange: peers, green: raw futex' noenhanced",
             f"plot {block} using 2:1:2:5:6 with xerrorbars pt 0 lw 1.5 lc rgb variable notitle, " +
             ", ".join(f"{block} using {c}:1:6 with points pt {pt} ps 1.1 lc rgb variable notitle, "
                       f"NaN with points pt {pt} ps 1.1 lc rgb '#333333' title '{t}'"
                       for c, pt, t in points))
    return plot.svg()


def columns(section, names, title, y_label):
    """Clustered columns: a cluster for each group, a column for each series."""
    groups = [g for g in section.groups if g.name in names]
    plot = Plot(title, 420)
    rows = []
    for group in groups:
        found = [group.find(name) for name in section.series()]
        rows.append(" ".join([quoted(group.name)] +
                             [f"{s.time().median:g}" if s else "?" for s in found]))
    if not rows:
        return None
    block = plot.data(rows)
    plot.add("set style data histograms", "set style histogram clustered gap 1",
             "set style fill solid 0.9 noborder", "set logscale y", "set yrange [5:*]", "set datafile missing '?'",
             f"set ylabel {quoted(y_label)}", "set xlabel 'producers x consumers'",
             "set key outside right top vertical", "set grid noxtics ytics",
             "plot " + ", ".join(f"{block} using {i + 2}{':xtic(1)' if i == 0 else ''} "
                                 f"lc rgb '{COLOURS[i]}' title {quoted(name)}"
                                 for i, name in enumerate(section.series())))
    return plot.svg()
