"""One application of a step as data: its name and parameters, as Python, as TOML, as a dict."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Value = int | str | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Instance:
    """A step's name and its parameters, in the order of the step's own list of them."""

    step: str
    params: tuple[tuple[str, Value], ...] = ()

    def get(self, key: str) -> Value:
        """The value of a parameter; raises KeyError."""
        return dict(self.params)[key]

    def text(self, key: str, default: str = "") -> str:
        """A parameter that is a word."""
        return str(dict(self.params).get(key, default))

    def number(self, key: str, default: int = 0) -> int:
        """A parameter that is a number; raises ValueError for other values."""
        return int(dict(self.params).get(key, default))  # type: ignore[arg-type]

    def names(self, key: str) -> tuple[str, ...]:
        """A parameter that is a list of names."""
        value = dict(self.params).get(key, ())
        return value if isinstance(value, tuple) else (str(value),)

    def __str__(self) -> str:
        """As Python: `loop_split(loop="i", factor=32)`."""
        return f"{self.step}({', '.join(f'{k}={_literal(v)}' for k, v in self.params)})"

    def toml(self) -> str:
        """As one `[[step]]` of a schedule's file."""
        lines = ["[[step]]", f"pass = {_literal(self.step)}"]
        return "\n".join(lines + [f"{k} = {_toml(v)}" for k, v in self.params]) + "\n"


def instance(step: str, **params: int | str | Iterable[str]) -> Instance:
    """An instance from keyword arguments; lists of names become tuples."""
    return Instance(step, tuple((k, _value(v)) for k, v in params.items()))


def _value(v: object) -> Value:
    if isinstance(v, (bool, int)):
        return int(v)
    if isinstance(v, str):
        return v
    if isinstance(v, (list, tuple)):
        return tuple(map(str, v))
    raise ValueError(f"{v!r} is no number, word or list of names")


def _literal(v: Value) -> str:
    if isinstance(v, tuple):
        inner = ", ".join(map(_literal, v))
        return f"({inner},)" if len(v) == 1 else f"({inner})"
    return f'"{v}"' if isinstance(v, str) else str(v)


def _toml(v: Value) -> str:
    return f"[{', '.join(map(_literal, v))}]" if isinstance(v, tuple) else _literal(v)


def parse(text: str) -> Instance:
    """The instance that `text` writes as a call with literal arguments; raises ValueError."""
    try:
        call = ast.parse(text.strip(), mode="eval").body
    except SyntaxError as why:
        raise ValueError(f"{text}: {why.msg}") from why
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name) or call.args:
        raise ValueError(f"{text}: write it as NAME(key=value, ...)")
    given = {k.arg: ast.literal_eval(k.value) for k in call.keywords if k.arg}
    return instance(call.func.id, **given)


def from_mapping(data: Mapping[str, Any]) -> Instance:
    """The instance in one `[[step]]` table; raises ValueError."""
    if "pass" not in data:
        raise ValueError(f"a step needs the name of its pass: {dict(data)}")
    return instance(str(data["pass"]), **{k: v for k, v in data.items() if k != "pass"})


def read_toml(text: str) -> tuple[Instance, ...]:
    """The instances of a schedule's file, in order; raises ValueError."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as why:
        raise ValueError(f"not TOML: {why}") from why
    return tuple(from_mapping(item) for item in data.get("step", ()))


def read_python(text: str) -> tuple[Instance, ...]:
    """The instances of a Python text that is one call a line; other lines are passed over."""
    lines = (line.strip().rstrip(",") for line in text.splitlines())
    return tuple(parse(line) for line in lines if line.endswith(")") and "(" in line)
