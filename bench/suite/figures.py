# SPDX-License-Identifier: MIT
"""From rounds to figures: medians, spreads and quotients of the results of the suite.

A quotient is formed inside each round, where both sides saw the same machine, and its median is
taken over the rounds. Absolute times come from the rounds of one placement, near or far, whichever
was more frequent in the section (of the other one for a group that has none of it). A group whose every round was disturbed is shown from those rounds, and marked.
"""

import json

DISTURBED = "all rounds disturbed"


def quantile(values, q):
    """The q-quantile, linear between the neighbours."""
    ordered = sorted(values)
    at = q * (len(ordered) - 1)
    low = int(at)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (at - low) * (ordered[high] - ordered[low])


class Spread:
    """A median with its quartiles."""

    def __init__(self, values):
        self.median, self.low, self.high = (quantile(values, q) for q in (0.5, 0.25, 0.75))


class Slice:
    """One contestant in one group."""

    def __init__(self, group, index, raw):
        self.group, self.index = group, index
        self.series, self.role, self.fate = raw["series"], raw["role"], raw["fate"]
        self.reason, self.preempted = raw["reason"], raw["preempted"]
        self.tail = raw.get(group.placement) or raw.get("disturbed")
        # A negative value: it spun and lost its CPU. Such ones count only where there is no other.
        self.clean = any(r["values"][index] > 0 for r in group.placed)

    @property
    def good(self):
        return self.fate == "good" and bool(self._values(self.group.placed))

    def value(self, r):
        """Its value in that round, or None."""
        value = r["values"][self.index]
        return value if value > 0 else -value if value < 0 and not self.clean else None

    def _values(self, rounds):
        return [v for v in map(self.value, rounds) if v]

    def time(self):
        """Nanoseconds (or bytes), in the group's placement."""
        return Spread(self._values(self.group.placed))

    def over_anchor(self, anchor):
        """Over the mean of that anchor before and after the round."""
        return Spread([self.value(r) / ((r["before"][anchor] + r["after"][anchor]) / 2)
                       for r in self.group.used if self.value(r)])

    def over(self, other):
        """Over another slice of the same group, round by round; None if there is no such round."""
        quotients = [self.value(r) / other.value(r) for r in self.group.used
                     if self.value(r) and other.value(r)]
        return Spread(quotients) if quotients else None


class Group:
    def __init__(self, raw, preferred):
        self.name, self.x, self.rounds = raw["name"], raw["x"], raw["rounds"]
        kept = [r for r in self.rounds if r["kept"]]
        near = [r for r in kept if r["near"]]
        far = [r for r in kept if not r["near"]]
        self.kept, self.near = len(kept), len(near)
        self.used = kept or self.rounds
        if not kept:
            self.placement, self.placed = "disturbed", self.rounds
        elif near and (preferred == "near" or not far):
            self.placement, self.placed = "near", near
        else:
            self.placement, self.placed = "far", far
        self.slices = [Slice(self, i, s) for i, s in enumerate(raw["slices"])]

    def find(self, series):
        """The slice of that name if it is there and good, else None."""
        return next((s for s in self.slices if s.series == series and s.good), None)

    def rounds_text(self):
        """How many rounds stand behind the figures."""
        far = self.kept - self.near
        text = f"{self.kept} of {len(self.rounds)} rounds kept ({self.near} near, {far} far)"
        return text if self.kept else f"{len(self.rounds)} rounds, {DISTURBED}"


class Section:
    def __init__(self, raw):
        self.name, self.unit, self.kind = raw["name"], raw["unit"], raw["kind"]
        kept = [r["near"] for g in raw["groups"] for r in g["rounds"] if r["kept"]]
        preferred = "near" if 2 * sum(kept) > len(kept) else "far"
        self.groups = [Group(g, preferred) for g in raw["groups"]]

    def series(self):
        """The names of all contestants, in the order of their appearance."""
        names = []
        for group in self.groups:
            names += [s.series for s in group.slices if s.series not in names]
        return names


class Results:
    def __init__(self, path):
        with open(path, encoding="utf-8") as file:
            raw = json.load(file)
        self.machine, self.quick, self.seconds = raw["machine"], raw["quick"], raw["seconds"]
        self.sections = {s["name"]: Section(s) for s in raw["sections"]}

    def cycles(self, ns):
        """Ticks of the time-stamp counter."""
        return ns / self.machine["ns_per_tick"]

    def anchors(self):
        """{placement: {anchor: Spread}} over all kept rounds."""
        found = {}
        for section in self.sections.values():
            for group in section.groups:
                for r in group.rounds:
                    if r["kept"]:
                        place = found.setdefault("near" if r["near"] else "far", {})
                        for name, value in r["before"].items():
                            place.setdefault(name, []).append(value)
        return {place: {name: Spread(values) for name, values in anchors.items()}
                for place, anchors in found.items()}

    def round_counts(self):
        """Rounds in all, and those of them that were kept."""
        groups = [g for s in self.sections.values() for g in s.groups if s.kind != "size"]
        return sum(len(g.rounds) for g in groups), sum(g.kept for g in groups)


def crossover(section, a, b):
    """The x from which series b is faster than a for good, between two points; None if never."""
    points = [(g.x, g.find(a), g.find(b)) for g in section.groups]
    points = [(x, p.time().median, q.time().median) for x, p, q in points if p and q]
    found = None
    for (x0, a0, b0), (x1, a1, b1) in zip(points, points[1:]):
        if a0 <= b0 and a1 > b1:
            found = (x0 * x1) ** 0.5
        elif a1 <= b1:
            found = None
    return found
