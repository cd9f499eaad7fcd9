# SPDX-License-Identifier: MIT
"""The sections of the report: for each question its picture, its table and what to mind."""

import figures
import plots
from plots import human, size_text

METHOD = (
    "Contestants of one group run one after another in every round, in rotating order, each for "
    "15 to 40 ms in fresh processes. Every word of every message is written by the sender and "
    "compared by the receiver, for all alike. Before and after each round stand four anchors, which "
    "no queue can beat: the round trip of one cache line, blocks of 256 lines per line (chunk256), "
    "a locked read-modify-write, and the round trip of two threads through raw futexes. A round "
    "around which the first three moved by more than a quarter is dropped. A round is near if a line "
    "comes back in under 200 ns, else far. Times are medians over the rounds of the more frequent "
    "placement, cycles are those of the time-stamp counter; x columns are medians of quotients that "
    "were formed inside each round, in brackets from the 25th to the 75th percentile. "
    "docs/benchmarking.md has the rest.")


def spread_text(spread):
    return f"{spread.median:.2f} ({spread.low:.2f}-{spread.high:.2f})" if spread else "-"


def spread_times(spread):
    low, high, middle = human(spread.low), human(spread.high), human(spread.median)
    return middle if low == high else f"{middle} ({low} - {high})"


def note_rounds(report, group):
    text = f"{group.name}: {group.rounds_text()}."
    lost = [s.series for s in group.slices if s.good and not s.clean]
    if lost:
        text += " Lost their CPU to others in every round, and are shown all the same: " + \
            ", ".join(lost) + "."
    report.note(text)


def bad_row(entry, width):
    text = entry.fate if entry.fate != "unfit" else "not possible here"
    if entry.reason:
        text += f": {entry.reason}"
    return ("bad", [entry.series, text] + [""] * (width - 2))


def picture(report, name, svg, alt):
    if svg is not None:
        report.picture(name, svg, alt)


def first_ours(group):
    """What the last column of a table divides by, and the head of that column."""
    found = next((s for s in group.slices if s.role == "ours" and s.good), None)
    return found, f"x {found.series}" if found else "x exo"


def write_machine(report, results):
    machine = results.machine
    report.heading("Machine and method")
    total, kept = results.round_counts()
    rows = [("cpu", machine["cpu"] + (", under a hypervisor" if machine["virtual"] else "")),
            ("CPUs usable", f"{machine['cpus']}; used: {machine['placement']}"),
            ("time-stamp counter", f"{1 / machine['ns_per_tick']:.3f} GHz"),
            ("kernel", machine["kernel"]), ("compiler", machine["compiler"]),
            ("flags", machine["flags"] + ", release build"),
            ("rounds", f"{total} run, {kept} kept, {total - kept} dropped as disturbed"),
            ("took", f"{results.seconds:.0f} s")]
    report.table(["", "value"], [("", list(row)) for row in rows])
    report.text(METHOD)
    anchors = results.anchors()
    names = {"line": "one-line round trip", "chunk": "chunk256, per line",
             "rmw": "locked read-modify-write", "futex": "futex round trip"}
    report.table(["anchor"] + [f"{place}, ns (p25-p75)" for place in anchors],
                 [("", [text] + [f"{a[key].median:.4g} ({a[key].low:.4g}-{a[key].high:.4g})"
                                 for a in anchors.values()]) for key, text in names.items()])


def write_sweep(report, results, pictures):
    section = results.sections["sweep"]
    report.heading("Payload sweep")
    report.text("Time for one message that is written in full, handed over and read in full, "
                "between processes unless it says otherwise, as a stream. Inline: slots of 56 bytes, "
                "several for a larger message. Copy: exo_send and exo_recv. Zero-copy: exo_loan, filled "
                "in place, and exo_view, read in place.")
    marks = []
    for rival in ("exo inline", "exo copy"):
        x = figures.crossover(section, rival, "exo zero-copy")
        if x:
            marks.append((x, f"zero-copy beats {rival.split()[1]} from about {size_text(x)}"))
    if pictures:
        picture(report, "sweep", plots.lines(
            section, "Time per message by payload", "payload", "time per message", marks=marks,
            x_sizes=True), "time per message by payload")
        picture(report, "sweep-rate", plots.lines(
            section, "Payload per second", "payload", "GiB/s",
            value=lambda x, ns: x / ns * 1e9 / 2 ** 30, marks=marks, x_sizes=True),
            "payload per second")
    for _, text in marks:
        report.text(text[0].upper() + text[1:] + ".")
    write_matrix(report, section, size_text, "payload")


def write_matrix(report, section, x_text, x_name):
    """Groups down, series across."""
    names = section.series()
    rows = []
    for group in section.groups:
        cells = [x_text(group.x) if x_text else group.name]
        for name in names:
            found = group.find(name)
            cells.append(spread_times(found.time()) + ("" if found.clean else " !") if found else "-")
        rows.append(("", cells + [f"{group.kept}/{len(group.rounds)} {group.placement}"]))
    report.table([x_name] + names + ["rounds"], rows)
    report.note("In brackets p25-p75; !: lost its CPU to others in every round.")
    write_failures(report, section)


def write_failures(report, section):
    bad = [(g, s) for g in section.groups for s in g.slices
           if s.fate not in ("good", "unfit")]
    for group, entry in bad:
        report.note(f"{group.name}, {entry.series}: {entry.fate} ({entry.reason}).")


def stream_table(report, results, group, anchor, anchor_text):
    ours, over_ours = first_ours(group)
    head = ["contestant", "ns", "p25-p75", "cycles", "messages/s", f"x {anchor_text}", over_ours]
    rows = []
    for entry in group.slices:
        if not entry.good:
            rows.append(bad_row(entry, len(head)))
            continue
        time = entry.time()
        rows.append((entry.role, [
            entry.series, f"{time.median:.1f}", f"{time.low:.1f}-{time.high:.1f}",
            f"{results.cycles(time.median):.0f}", f"{1e9 / time.median:,.0f}",
            spread_text(entry.over_anchor(anchor)), spread_text(entry.over(ours) if ours else None)]))
    report.table(head, rows)
    note_rounds(report, group)


def trip_table(report, results, group, floor):
    """floor: the anchor, or the series, that the trip is divided by, and its name."""
    ours, over_ours = first_ours(group)
    head = ["contestant", "mean", "p50", "p99", "p99.9", "max", "cycles (mean)", "trips",
            f"mean x {floor[1]}", "mean " + over_ours]
    rows = []
    for entry in group.slices:
        if not entry.good or not entry.tail:
            rows.append(bad_row(entry, len(head)))
            continue
        tail, mean = entry.tail, entry.time().median
        base = group.find(floor[0])
        over = entry.over(base) if base else entry.over_anchor(floor[0]) if floor[0] == "line" else None
        rows.append((entry.role, [
            entry.series, human(mean), human(tail["p50"]), human(tail["p99"]), human(tail["p999"]),
            human(tail["max"]), f"{results.cycles(mean):.0f}", f"{tail['count']:,}",
            spread_text(over), spread_text(entry.over(ours) if ours else None)]))
    report.table(head, rows)
    note_rounds(report, group)


def write_throughput(report, results, pictures):
    report.heading("Throughput against every peer")
    report.text("One message after the other in one direction, each published by itself; lower is "
                "better. exo between processes is crash-safe unless it says hostile, and spins "
                "unless it says asleep. Bars in blue are exo_ipc, in orange peers.")
    for number, group in enumerate(results.sections["throughput"].groups):
        good = [s for s in group.slices if s.good]
        if pictures:
            picture(report, f"throughput-{number}", plots.bars(
                good, f"Time per message: {group.name}",
                "ns per message (logarithmic; whiskers: p25-p75)"), group.name)
        stream_table(report, results, group, "chunk", "chunk256")


def write_tails(report, results, pictures, name, heading, text, floor):
    report.heading(heading)
    report.text(text)
    for number, group in enumerate(results.sections[name].groups):
        good = [s for s in group.slices if s.good]
        if pictures:
            picture(report, f"{name}-{number}", plots.tails(good, f"Round trip: {group.name}"),
                    group.name)
        trip_table(report, results, group, floor)


def write_scaling(report, results, pictures):
    report.heading("Scaling")
    report.text("Over the batch: so many messages handed over in one call where the contestant has "
                "such a call, between threads, the pipe between processes; 8-byte messages of exo "
                "are packed seven to a slot. Over the ring: a 56-byte stream through rings of 2 to "
                "65536 slots. Over producers and consumers: threads on two CPUs, all messages over "
                "all time.")
    plans = (("batch", "messages a call", "Time per message by batch"),
             ("ring", "slots", "Time per 56-byte message by ring size"))
    for name, label, title in plans:
        section = results.sections.get(name)
        if section is None:
            continue
        if pictures:
            picture(report, name, plots.lines(section, title, label, "time per message"), title)
        write_matrix(report, section, "{:g}".format, label)
    section = results.sections.get("many")
    if section is None:
        return
    if pictures:
        picture(report, "many", plots.columns(
            section, ("1x1", "2x2", "3x3", "4x4", "4x1", "1x4"),
            "Many producers and consumers, 56 bytes, two CPUs", "ns per message"), "many")
    write_matrix(report, section, None, "P x C")


def write_price(report, results, pictures):
    report.heading("The price of crash-safe and of hostile")
    report.text("The same ring and calls in the three profiles, among threads, where nothing else "
                "differs, and between processes.")
    for number, group in enumerate(results.sections["price"].groups):
        good = [s for s in group.slices if s.good]
        if pictures:
            picture(report, f"price-{number}", plots.bars(
                good, group.name, "ns per message (logarithmic; whiskers: p25-p75)"), group.name)
        stream_table(report, results, group, "chunk", "chunk256")
        price_lines(report, group)
    if "price-trip" in results.sections:
        for group in results.sections["price-trip"].groups:
            trip_table(report, results, group, ("line", "one line"))
            price_lines(report, group)


def price_lines(report, group):
    pairs = (("crash-safe over threads, among threads", "crash-safe, among threads", "threads profile"),
             ("hostile over crash-safe, among threads", "hostile, among threads",
              "crash-safe, among threads"),
             ("hostile over crash-safe, between processes", "hostile", "crash-safe"))
    for text, a, b in pairs:
        ours, base = group.find(a), group.find(b)
        if ours and base:
            report.text(f"{group.name}: {text}: x {spread_text(ours.over(base))}.")


def write_footprint(report, results, _pictures):
    report.heading("Memory and code")
    report.text("Bytes of code of an inlined send and receive at -O2, with a length known at run "
                "time, and (-56) a constant one; memory of an idle default ring, all told.")
    for group in results.sections["footprint"].groups:
        report.table(["item", "bytes"], [("ours", [s.series, f"{s.time().median:.0f}"])
                                         for s in group.slices if s.good])


def write_all(report, results, pictures):
    write_machine(report, results)
    tail_text = ("A 56-byte message there and another one back; every trip is timed, and the trips "
                 "of all rounds in that placement lie in one histogram. Each trip bears one reading of the "
                 "clock (10 to 20 ns). Mean: without the slowest hundredth. The tail is the machine's as "
                 "much as the contestant's: compare it within a table.")
    slow_text = ("Both sides sleep whenever they wait. One pair: a wake-up of an idle CPU. Several "
                 "pairs: more parties than CPUs, always somebody else to run. Raw futex: one slot and the "
                 "two system calls; with several pairs it often finds the answer there and does not "
                 "sleep at all. Each party is pinned, "
                 "but those of zeromq and nng.")
    writers = {
        "sweep": write_sweep, "throughput": write_throughput,
        "latency": lambda r, d, p: write_tails(r, d, p, "latency", "Latency and its tail", tail_text,
                                               ("line", "one line")),
        "batch": write_scaling,
        "asleep": lambda r, d, p: write_tails(r, d, p, "asleep", "The slow path", slow_text,
                                              ("raw futex", "raw futex")),
        "price": write_price, "footprint": write_footprint}
    for name, writer in writers.items():
        parts = ("batch", "ring", "many") if name == "batch" else (name,)
        if any(part in results.sections for part in parts):
            writer(report, results, pictures)
