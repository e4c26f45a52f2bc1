"""Buffers of structs: as bytes for a program, and as what lies in them for everybody else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from xpiler.verify.dtypes import storage
from xpiler.verify.invocation import BufferArg, Finding, Invocation, RecordArg, RunResult

Bytes = NDArray[np.uint8]
Marks = NDArray[np.bool_]


def packed(name: str, size: int, count: int, parts: Sequence[tuple[int, BufferArg]]) -> RecordArg:
    """`count` structs of `size` bytes with `parts` in them, zeros between the fields.

    An output where no part has data.
    """
    rows = np.zeros((count, size), np.uint8)
    for offset, part in parts:
        if part.data is not None:
            data = np.ascontiguousarray(part.data).reshape(-1).astype(storage(part.dtype))
            width = part.count // count * data.dtype.itemsize
            rows[:, offset : offset + width] = data.view(np.uint8).reshape(count, width)
    given = any(part.data is not None for _, part in parts)
    held = rows.reshape(-1) if given else None
    return RecordArg(name, "", "uint8", count * size, held, size, tuple(parts))


def unpacked(call: Invocation, run: RunResult) -> RunResult:
    """What a run of the call left, by the parts of structs."""
    records = {a.name: a for a in call.args if isinstance(a, RecordArg)}
    if not records:
        return run
    outputs = {name: data for name, data in run.outputs.items() if name not in records}
    for arg in (records[name] for name in run.outputs if name in records):
        whole = run.outputs[arg.name].view(np.uint8)
        for offset, part in arg.parts:
            data = _part(whole, arg, offset, part)
            outputs[part.name] = data.view(storage(part.dtype)).reshape(-1)
    return replace(
        run,
        outputs=outputs,
        written=_marked(run.written, records),
        read=_marked(run.read, records),
        findings=tuple(_of_struct(f, records) for f in run.findings),
    )


def _part(data: Bytes, arg: RecordArg, offset: int, part: BufferArg) -> Bytes:
    """The bytes of a part, a row for each of its elements."""
    size = storage(part.dtype).itemsize
    width = part.count // arg.structs * size
    rows = data.reshape(arg.structs, arg.size)[:, offset : offset + width]
    return np.ascontiguousarray(rows).reshape(-1, size)


def _marked(marks: Mapping[str, Marks], records: Mapping[str, RecordArg]) -> dict[str, Marks]:
    """Which elements of parts are meant where bytes of structs are marked."""
    found = {name: bits for name, bits in marks.items() if name not in records}
    for name in marks.keys() & records.keys():
        whole = marks[name].view(np.uint8)
        for offset, part in records[name].parts:
            found[part.name] = np.asarray(
                _part(whole, records[name], offset, part).any(axis=1), np.bool_
            )
    return found


def _of_struct(f: Finding, records: Mapping[str, RecordArg]) -> Finding:
    """The finding with the number of the struct in place of that of its byte."""
    if f.buffer not in records or f.index is None:
        return f
    return replace(f, index=f.index // records[f.buffer].size)
