"""What a run reported, as findings with the user's line and a sentence a person can act on."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xpiler.diagnostics import Diagnostic, SourceLoc
from xpiler.verify.driver import DRIVER_FILE
from xpiler.verify.invocation import Finding, Triple
from xpiler.verify.lines import line_table

_LINE_TAG = 0x80000000

CODES = {
    "oob_read": "XP0501", "oob_write": "XP0502", "use_after_free": "XP0503", "bad_free": "XP0504",
    "array_bounds": "XP0505", "null_pointer": "XP0506", "misaligned": "XP0507",
    "wrong_space": "XP0508", "constant_write": "XP0509", "race": "XP0510",
    "same_value_race": "XP0511", "atomic_race": "XP0512", "atomic": "XP0513",
    "divergent_barrier": "XP0520", "divergent_collective": "XP0521", "deadlock": "XP0522",
    "early_exit": "XP0523", "missing_wait": "XP0524", "uninitialised_read": "XP0530",
    "uninitialised": "XP0531", "unstable": "XP0532", "division": "XP0540", "shift": "XP0541",
    "float_to_int": "XP0542", "stack_overflow": "XP0543", "shared_capacity": "XP0544",
    "launch": "XP0545", "leak": "XP0546", "assert": "XP0550", "abort": "XP0551",
    "crash": "XP0552", "timeout": "XP0553", "resources": "XP0554",
    "unsupported": "XP0556", "capacity": "XP0557", "operand": "XP0558", "deprecated": "XP0559",
    "domain": "XP0560",
}  # fmt: skip
"""The code of the long text that explains each kind of finding."""

_OTHER = "XP0555"


def code_of(kind: str) -> str:
    """The diagnostic code of a kind of finding."""
    return CODES.get(kind, _OTHER)


def as_diagnostic(finding: Finding, filename: str, text: str = "") -> Diagnostic:
    """The finding as a numbered diagnostic at its line of the user's `text`."""
    lines = text.splitlines()
    known = 0 < finding.line <= len(lines)
    return Diagnostic(
        code_of(finding.kind),
        finding.message,
        finding.severity,
        SourceLoc(filename, finding.line) if finding.line else None,
        lines[finding.line - 1] if known else "",
    )


@dataclass(frozen=True, slots=True)
class Places:
    """Turns the places of raw records into lines of one program's text."""

    program: Path
    filename: str

    def line(self, record: dict[str, Any]) -> int:
        """The user's line that a record is about; 0 where it is not known."""
        told = int(record.get("line", 0))
        if told and record.get("file") == self.filename:
            return told
        return self.of_sites(record.get("sites", ()))

    def of_sites(self, sites: Sequence[int]) -> int:
        """The first line among code places, each an offset or a tagged line."""
        for site in sites:
            if site & _LINE_TAG:
                return site & ~_LINE_TAG
            if site and (line := line_table(self.program, self.filename).line(site)):
                return line
        return 0


def _triple(value: object) -> Triple | None:
    return (value[0], value[1], value[2]) if isinstance(value, list) and len(value) == 3 else None


def _who(record: dict[str, Any]) -> str:
    block, thread = _triple(record.get("block")), _triple(record.get("thread"))
    if block is None or thread is None:
        return ""
    return f" (block {_short(block)}, thread {_short(thread)})"


def _short(place: Triple) -> str:
    return str(place[0]) if place[1:] == (0, 0) else str(place)


def _element(record: dict[str, Any]) -> tuple[str, int | None]:
    """Which element of which memory: ("x", 7); shared arrays have no element size: in bytes."""
    if "offset" not in record:
        return "", None
    size = max(int(record.get("element", 1)), 1)
    if record["space"] != "buffer":
        size = max(int(record.get("bytes", 1)), 1)
        size = size if size in (1, 2, 4, 8) else 4
    return str(record["name"]), int(record["offset"]) // size


def _born(record: dict[str, Any], places: Places) -> str:
    line = 0 if record["space"] == "buffer" else places.of_sites(record.get("born", ()))
    return f" allocated at line {line}" if line else ""


def _memory(record: dict[str, Any], places: Places) -> str:
    name, index = _element(record)
    where = f"{name} ({record['space']})" if name and record["space"] not in name else name
    what = _WHERE.get(where) or where or record["space"]
    return f"element {index} of {what}{_born(record, places)}"


_WHERE = {"malloc (host memory)": "host memory", "operator new (host memory)": "host memory"}


def _extent(record: dict[str, Any]) -> str:
    element = max(int(record.get("element", 1)), 1)
    if record["space"] == "buffer":
        return f"which has {int(record['extent']) // element} elements"
    return f"which is {record['extent']} bytes long"


def _bounds_message(record: dict[str, Any], places: Places) -> str:
    verb = "reads" if record["kind"] == "oob_read" else "writes"
    if "offset" not in record:
        return f"{verb} memory that is not the program's{_who(record)}"
    return f"{verb} {_memory(record, places)}, {_extent(record)}{_who(record)}"


def _race_message(record: dict[str, Any], places: Places) -> str:
    other = record.get("other_thread")
    by = f"thread {other} of the block" if other is not None else "another thread"
    other_block = _triple(record.get("other_block"))
    if other_block is not None and record.get("other_block") != record.get("block"):
        by = f"block {_short(other_block)}"
    line = places.of_sites([record.get("other_site", 0)])
    at = f" at line {line}" if line else ""
    return (
        f"{record['message']}: {_memory(record, places)} is also touched by {by}{at}, "
        f"and nothing orders the two{_who(record)}"
    )


def _message(record: dict[str, Any], places: Places) -> str:
    kind = record["kind"]
    if kind in {"oob_read", "oob_write"} and not (record["message"] and "offset" not in record):
        text = _bounds_message(record, places)
        text += f" ({record['message']})" if record["message"] else ""
    elif kind == "leak":
        text = f"{record['extent']} bytes{_born(record, places)}: {record['message']}"
    elif kind in {"race", "same_value_race", "atomic_race"}:
        text = _race_message(record, places)
    else:
        text = str(record["message"])
        text += f": {_memory(record, places)}" if "offset" in record else ""
        text += _who(record)
    count = int(record.get("count", 1))
    return f"{text}; {count} times" if count > 1 else text


def _finding(record: dict[str, Any], places: Places) -> Finding:
    name, index = _element(record)
    return Finding(
        kind=str(record["kind"]),
        message=_message(record, places),
        line=places.line(record),
        severity="error" if record.get("severity") == "error" else "note",
        buffer=name,
        index=index,
        block=_triple(record.get("block")),
        thread=_triple(record.get("thread")),
    )


def parse_records(data: bytes) -> Iterator[dict[str, Any]]:
    """The JSON lines that a run left; a line that was cut off is skipped."""
    for line in data.splitlines():
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if isinstance(record, dict) and "kind" in record:
            yield record


_NO_FINDING = {"end", "counters"}
Seconds = tuple[float, float]
"""Wall time and processor time."""


def read_findings(data: bytes, places: Places) -> tuple[list[Finding], Seconds | None]:
    """A run's findings, errors first, and what it took; None: it ended before it could tell."""
    records = list(parse_records(data))
    ends = [r for r in records if r["kind"] == "end"]
    found = _merged([_finding(r, places) for r in records if r["kind"] not in _NO_FINDING])
    found.sort(key=lambda f: (f.severity != "error", f.line, f.kind, f.message))
    if not ends:
        return found, None
    return found, (float(ends[-1].get("seconds", 0.0)), float(ends[-1].get("cpu_seconds", 0.0)))


def read_counters(data: bytes) -> dict[str, int]:
    """What a run counted, by name."""
    told = [r.get("values") for r in parse_records(data) if r["kind"] == "counters"]
    return {
        str(k): int(v) for values in told if isinstance(values, dict) for k, v in values.items()
    }


def _merged(findings: list[Finding]) -> list[Finding]:
    """One finding for each kind at each line: compilers copy code, the user wrote it once."""
    kept: dict[tuple[str, int, str, str], Finding] = {}
    for finding in findings:
        kept.setdefault((finding.kind, finding.line, finding.buffer, finding.severity), finding)
    return list(kept.values())


__all__ = [
    "CODES",
    "DRIVER_FILE",
    "Places",
    "as_diagnostic",
    "code_of",
    "read_counters",
    "read_findings",
]
