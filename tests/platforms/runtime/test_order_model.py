"""The race detector against the definition of happens-before, on random programs."""

from __future__ import annotations

import numpy as np
import pytest
from bare_platform import Runner

THREADS, PHASES, CELLS = 64, 6, 24
NOTHING, READ, WRITE = range(3)
NO_SYNC, WARP_0, WARP_1, WARPS, BLOCK = range(5)

# Each thread does one access a phase, as the tables say; then the phase's synchronisation.
INTERPRETER = """
void k(const int* what, const int* where, const int* sync, int* y, int phases) {
  shared(int, s, 24);
  if (tid.x < 24) s[tid.x] = 0;
  barrier();
  int sum = 0;
  for (int p = 0; p < phases; p++) {
    int i = p * 64 + (int)tid.x;
    if (what[i] == 1) sum += s[where[i]];
    if (what[i] == 2) s[where[i]] = 1 + i;
    unsigned warp = tid.x / 32;
    if (sync[p] == 3 || sync[p] == (int)warp + 1) warp_sync(0xffffffffu);
    if (sync[p] == 4) barrier();
  }
  y[tid.x] = sum;
}
"""

Table = np.ndarray[tuple[int, ...], np.dtype[np.int32]]


def _ordered(t: int, p: int, u: int, q: int, sync: Table) -> bool:
    between = set(sync[min(p, q) : max(p, q)].tolist())
    if BLOCK in between:
        return True
    return t // 32 == u // 32 and bool(between & {WARPS, WARP_0 + t // 32})


def races(what: Table, where: Table, sync: Table) -> bool:
    """Two unordered accesses of one place by two threads, one of them a write?"""
    for cell in range(CELLS):
        hits = [(int(t), int(p)) for p, t in np.argwhere((what != NOTHING) & (where == cell))]
        for i, (t, p) in enumerate(hits):
            for u, q in hits[:i]:
                writes = WRITE in (what[p, t], what[q, u])
                if t != u and writes and not _ordered(t, p, u, q, sync):
                    return True
    return False


def program(seed: int) -> tuple[Table, Table, Table]:
    """Few enough accesses that about half of the programs are free of races."""
    rng = np.random.default_rng(seed)
    shape = (PHASES, THREADS)
    busy = rng.random(shape) < rng.choice([0.01, 0.03, 0.06])
    what = np.where(busy, rng.choice([READ, READ, WRITE], shape), NOTHING).astype(np.int32)
    where = rng.integers(0, CELLS, shape).astype(np.int32)
    sync = rng.choice([NO_SYNC, WARP_0, WARP_1, WARPS, BLOCK, BLOCK], PHASES).astype(np.int32)
    return what, where, sync


@pytest.mark.parametrize("chunk", range(4))
def test_a_race_is_told_exactly_where_there_is_one(run: Runner, chunk: int) -> None:
    seen = set()
    for seed in range(chunk * 40, chunk * 40 + 40):
        what, where, sync = program(seed)
        args = {"what": what.reshape(-1), "where": where.reshape(-1), "sync": sync}
        args |= {"y": ("int32", THREADS), "phases": PHASES}
        result = run(INTERPRETER, args, 1, THREADS, schedule=seed % 3)
        expected = races(what, where, sync)
        assert {f.kind for f in result.errors} == ({"race"} if expected else set()), seed
        seen.add(expected)
    assert seen == {True, False}
