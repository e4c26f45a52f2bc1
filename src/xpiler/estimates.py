"""What asking a model for a translation would take: the prompts, their sizes, the money."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from xpiler.diagnostics import Diagnostic, XpilerError
from xpiler.neural.choose import price_for
from xpiler.neural.prompts import again, messages, size
from xpiler.neural.provider import Message, estimate_tokens
from xpiler.neural.settings import Settings
from xpiler.neural.stages import Stage, stages
from xpiler.pipeline import Options, workbench
from xpiler.proposers import stages_for
from xpiler.workbench import Workbench


@dataclass(frozen=True, slots=True)
class Estimate:
    """One step: its prompt, in tokens; how many questions there can be; what they take together.

    `least` is one answer as long as the text before, `most` all questions with the longest answers.
    """

    step: str
    tokens_in: int
    questions: int
    least_tokens: int
    most_tokens: int
    least_usd: float | None
    most_usd: float | None


@dataclass(frozen=True, slots=True)
class Asked:
    """The prompt of one step, with the text that it is about."""

    stage: Stage
    before: str
    turns: tuple[Message, ...]


def prompts(bench: Workbench, listed: tuple[Stage, ...]) -> Iterator[Asked]:
    """The prompts of these steps; the symbolic texts stand in for answers that nobody gave yet."""
    text = bench.source_text
    for stage in listed:
        yield Asked(stage, text, messages(stage.name, bench.material(stage, text)))
        text = bench.symbolic(stage) or text


def estimate(text: str, file: str, options: Options, settings: Settings) -> list[Estimate]:
    """What a translation would take; raises XpilerError where the source cannot be read."""
    if not settings.model:
        hint = "name one with --model"
        raise XpilerError(Diagnostic("XP1501", "no model is named", help=hint))
    bench = workbench(text, file, options)
    return [_of(asked, settings) for asked in prompts(bench, stages_for(bench, settings))]


def one_prompt(text: str, file: str, options: Options, name: str) -> Asked:
    """The prompt of one pass on a file that is brought into the form that the pass takes.

    Raises XpilerError (XP1513) for a pass that the direction has no place for.
    """
    bench = workbench(text, file, options)
    stage, before = _place(bench, name)
    return Asked(stage, before, messages(stage.name, bench.material(stage, before)))


def _place(bench: Workbench, name: str) -> tuple[Stage, str]:
    """The step of one pass, and the text that it starts from."""
    from xpiler.neural.prompts import pass_name, pass_prompt
    from xpiler.neural.stages import sequential_platform

    part = pass_prompt(pass_name(name))
    source, target, plain = bench.source_platform, bench.target, sequential_platform()
    if part.takes == "source":
        return stages((name,), source, plain if part.gives == "sequential" else source)[0], (
            bench.source_text
        )
    if part.takes == "sequential":
        after = plain if part.gives == "sequential" else target
        own = source.name == plain.name
        text = bench.source_text if own else bench.drafted(plain, True).text
        return stages((name,), plain, after)[0], _given(text, part.title)
    text = bench.drafted(target, False).text
    return stages((name,), target, target)[0], _given(text, part.title)


def _given(text: str | None, title: str) -> str:
    if text is None:
        message = f"the symbolic passes do not bring this file to the form that {title} takes"
        raise XpilerError(Diagnostic("XP1513", message))
    return text


def _of(asked: Asked, settings: Settings) -> Estimate:
    """Answers are about as long as the text before, at most as long as they may be."""
    tokens_in = estimate_tokens(size(asked.turns))
    answer = min(settings.max_tokens, estimate_tokens(len(asked.before)))
    longest = settings.max_tokens
    questions = settings.samples + settings.ask_again
    turn = longest + estimate_tokens(len(again("").text))
    most_in = tokens_in * questions + turn * sum(range(settings.ask_again + 1))
    price = price_for(settings)
    return Estimate(
        asked.stage.title,
        tokens_in,
        questions,
        tokens_in + answer,
        most_in + longest * questions,
        None if price is None else round(price.of(tokens_in, answer), 6),
        None if price is None else round(price.of(most_in, longest * questions), 6),
    )
