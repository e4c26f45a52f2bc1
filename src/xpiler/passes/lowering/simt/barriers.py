"""What the threads of a block have touched since they last met, and who has to wait for whom."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Memory:
    """Names of arrays that are read and written; `anything`: also what has no name."""

    reads: frozenset[str] = frozenset()
    writes: frozenset[str] = frozenset()
    anything: bool = False


@dataclass
class Dirty:
    """What has been touched since the last barrier, by one thread (solo) or by all."""

    reads: dict[str, set[bool]] = field(default_factory=dict)
    writes: dict[str, set[bool]] = field(default_factory=dict)
    anything: bool = False

    def copy(self) -> Dirty:
        return Dirty({k: set(v) for k, v in self.reads.items()},
                     {k: set(v) for k, v in self.writes.items()}, self.anything)  # fmt: skip

    def clear(self) -> None:
        self.reads.clear()
        self.writes.clear()
        self.anything = False

    def add(self, m: Memory, solo: bool) -> None:
        for n in m.reads:
            self.reads.setdefault(n, set()).add(solo)
        for n in m.writes:
            self.writes.setdefault(n, set()).add(solo)
        self.anything |= m.anything

    def join(self, other: Dirty) -> None:
        for mine, theirs in ((self.reads, other.reads), (self.writes, other.writes)):
            for k, v in theirs.items():
                mine.setdefault(k, set()).update(v)
        self.anything |= other.anything

    def clashes(self, m: Memory, solo: bool) -> bool:
        """Whether `m`, done by one thread or all, has to wait for the others."""
        if m.anything or self.anything:
            return bool(self.writes or self.reads or self.anything) and bool(
                m.writes or self.writes or m.anything
            )

        def met(owners: set[bool]) -> bool:
            return not solo or owners != {True}

        after_write = any(met(self.writes[n]) for n in (m.reads | m.writes) & set(self.writes))
        return after_write or any(met(self.reads[n]) for n in m.writes & set(self.reads))
