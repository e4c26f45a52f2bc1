"""Small random programs as C text: nests, affine accesses, guards, temporaries."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

HEAD = (
    "void f(float *restrict a, const float *restrict b, float *restrict c, int *restrict d, int n)"
)
TRIPS = ("2", "3", "4", "6", "8", "16", "n", "n")
N = (5, 6, 7)
SIZE = 800


@dataclass
class Gen:
    """Draws one program; the names of loops are i, j, k, ... in order."""

    rng: random.Random
    lines: list[str] = field(default_factory=list)
    loops: list[str] = field(default_factory=list)
    count: int = 0

    def put(self, text: str) -> None:
        self.lines.append("    " * (len(self.loops) + 1) + text)

    def index(self) -> str:
        """A sum of multiples of the loops around, never negative."""
        terms = [f"{v} * {self.rng.choice((1, 1, 8, 12, 'n'))}"
                 for v in self.loops if self.rng.random() < 0.85]  # fmt: skip
        return " + ".join([*terms, str(self.rng.choice((0, 0, 1, 2)))])

    def value(self) -> str:
        kind = self.rng.randrange(5)
        if kind == 0:
            return f"b[{self.index()}]"
        if kind == 1:
            return f"(b[{self.index()}] * c[{self.index()}])"
        if kind == 2:
            return f"(a[{self.index()}] + 1.5f)"
        if kind == 3 and self.loops:
            return f"(float)({self.rng.choice(self.loops)} * 3)"
        return f"(b[{self.index()}] - 0.25f)"

    def store(self) -> None:
        op = self.rng.choice(("=", "=", "+="))
        if self.rng.random() < 0.15:
            self.put(f"d[{self.index()}] += {' + '.join([*self.loops, '1'])};")
            return
        self.put(f"{self.rng.choice('ac')}[{self.index()}] {op} {self.value()};")

    def statement(self, depth: int) -> None:
        roll = self.rng.random()
        if depth < 3 and roll < 0.45:
            self.loop(depth)
        elif roll < 0.6:
            t = self.name("t")
            self.put(f"float {t} = {self.value()};")
            self.store()
            self.put(f"{self.rng.choice('ac')}[{self.index()}] = {t} * 2.0f;")
        elif roll < 0.7 and self.loops:
            self.put(f"if ({self.rng.choice(self.loops)} < {self.rng.choice(('3', 'n - 1'))})")
            self.store()
        elif roll < 0.8:
            self.total()
        else:
            self.store()

    def total(self) -> None:
        s, v = self.name("s"), self.name("r")
        self.put(f"float {s} = 0.0f;")
        self.put(f"for (int {v} = 0; {v} < {self.rng.choice(TRIPS)}; {v}++)")
        self.loops.append(v)
        self.put(f"{s} += {self.value()};")
        self.loops.pop()
        self.put(f"a[{self.index()}] = {s};")

    def name(self, stem: str) -> str:
        self.count += 1
        return f"{stem}{self.count}"

    def loop(self, depth: int) -> None:
        v = self.name("i")
        start = self.rng.choice(("0", "0", "0", "1"))
        self.put(f"for (int {v} = {start}; {v} < {self.rng.choice(TRIPS)}; {v}++) {{")
        self.loops.append(v)
        for _ in range(self.rng.choice((1, 1, 2))):
            self.statement(depth + 1)
        self.loops.pop()
        self.put("}")

    def text(self) -> str:
        for _ in range(self.rng.choice((1, 2))):
            self.loop(0)
        return "\n".join([f"{HEAD} {{", *self.lines, "}", ""])


def program_text(seed: int) -> str:
    return Gen(random.Random(seed)).text()


def inputs(seed: int) -> list[object]:
    """Buffers and a size for one run."""
    rng = random.Random(seed)
    floats = [[rng.randrange(-64, 64) / 8 for _ in range(SIZE)] for _ in range(3)]
    return [*floats, [rng.randrange(100) for _ in range(SIZE)], rng.choice(N)]
