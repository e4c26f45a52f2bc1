"""From code addresses of a built program to lines of the user's text, by its debug information."""

from __future__ import annotations

import bisect
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from elftools.elf.elffile import ELFFile


@dataclass(frozen=True, slots=True)
class _Row:
    address: int
    file: str
    line: int


@dataclass(frozen=True, slots=True)
class _Inlined:
    """A function that was inlined: where its code lies, and the call that it replaced."""

    low: int
    high: int
    file: str
    line: int
    depth: int


class LineTable:
    """Looks up addresses, counted from the program's load address, in units made of `filename`."""

    def __init__(self, program: Path, filename: str) -> None:
        self._filename = filename
        self._rows: list[_Row] = []
        self._inlined: list[_Inlined] = []
        with program.open("rb") as stream:
            elf = ELFFile(stream)
            loads = [s for s in elf.iter_segments() if s["p_type"] == "PT_LOAD"]
            self._base = min((int(s["p_vaddr"]) for s in loads), default=0)
            if elf.has_dwarf_info():
                self._read(elf.get_dwarf_info())
        self._rows.sort(key=lambda row: row.address)
        self._addresses = [row.address for row in self._rows]

    def _read(self, dwarf: Any) -> None:
        for unit in dwarf.iter_CUs():
            program = dwarf.line_program_for_CU(unit)
            if program is None:
                continue
            names = _file_names(program)
            if not any(_same_file(name, self._filename) for name in names):
                continue
            self._rows += _rows(program, names)
            self._inlined += _inlined(dwarf, unit, names)

    def frames(self, site: int) -> Iterator[tuple[str, int]]:
        """(file, line) of the code at offset `site`, innermost first, then the calls that were
        inlined around it."""
        address = site + self._base - 1  # a return address: the call is what stands before it
        at = bisect.bisect_right(self._addresses, address) - 1
        if at < 0 or self._rows[at].line == 0:
            return
        yield self._rows[at].file, self._rows[at].line
        around = [f for f in self._inlined if f.low <= address < f.high]
        for frame in sorted(around, key=lambda f: -f.depth):
            yield frame.file, frame.line

    def line(self, site: int) -> int:
        """The line of the text at `site`, or that of the call inlined around it; 0 if none."""
        found = (line for file, line in self.frames(site) if _same_file(file, self._filename))
        return next(found, 0)


def _same_file(found: str, wanted: str) -> bool:
    return found == wanted or Path(found).name == Path(wanted).name


def _text(value: object) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def _file_names(program: Any) -> list[str]:
    header = program.header
    names = [_text(entry.name) for entry in header["file_entry"]]
    return names if header["version"] >= 5 else ["", *names]


def _rows(program: Any, names: list[str]) -> Iterator[_Row]:
    for entry in program.get_entries():
        state = entry.state
        if state is None:
            continue
        name = names[state.file] if state.file < len(names) else ""
        yield _Row(int(state.address), name, 0 if state.end_sequence else int(state.line))


def _inlined(dwarf: Any, unit: Any, names: list[str]) -> Iterator[_Inlined]:
    ranges = dwarf.range_lists()
    stack: list[tuple[Any, int]] = [(unit.get_top_DIE(), 0)]
    while stack:
        die, depth = stack.pop()
        if die.tag == "DW_TAG_inlined_subroutine":
            file = _attribute(die, "DW_AT_call_file")
            name = names[file] if file < len(names) else ""
            line = _attribute(die, "DW_AT_call_line")
            for low, high in _pieces(die, unit, ranges):
                yield _Inlined(low, high, name, line, depth)
        stack += [(child, depth + 1) for child in die.iter_children()]


def _attribute(die: Any, name: str) -> int:
    found = die.attributes.get(name)
    return int(found.value) if found is not None else 0


def _pieces(die: Any, unit: Any, ranges: Any) -> Iterator[tuple[int, int]]:
    if "DW_AT_low_pc" in die.attributes and "DW_AT_high_pc" in die.attributes:
        low, high = _attribute(die, "DW_AT_low_pc"), die.attributes["DW_AT_high_pc"]
        yield low, int(high.value) if high.form == "DW_FORM_addr" else low + int(high.value)
    elif "DW_AT_ranges" in die.attributes and ranges is not None:
        yield from _listed(die, unit, ranges)


def _listed(die: Any, unit: Any, ranges: Any) -> Iterator[tuple[int, int]]:
    base = _attribute(unit.get_top_DIE(), "DW_AT_low_pc")
    found = die.attributes["DW_AT_ranges"]
    try:
        offset = found.value
        entries = ranges.get_range_list_at_offset(offset, cu=unit)
    except Exception:  # a form that the reader does not know: the line alone must do
        return
    for entry in entries:
        if hasattr(entry, "base_address"):
            base = entry.base_address
        elif getattr(entry, "is_absolute", False):
            yield entry.begin_offset, entry.end_offset
        else:
            yield base + entry.begin_offset, base + entry.end_offset


@lru_cache(maxsize=32)
def line_table(program: Path, filename: str) -> LineTable:
    """The table of `program`, read when it is first asked for."""
    return LineTable(program, filename)
