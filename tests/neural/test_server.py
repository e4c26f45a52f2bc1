"""A real server, friendly and hostile: each answer is survived, within the budget, and reported."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from model_server import (
    breaks_off,
    chunk,
    dribbles,
    endless,
    endless_line,
    fails,
    garbage,
    late,
    open_stream,
    raw,
    redirects,
    says,
    serving,
)

from xpiler.neural.asker import Asker, Patience
from xpiler.neural.budget import Budget, Limits
from xpiler.neural.clients import Anthropic, OpenAICompatible
from xpiler.neural.prices import Price
from xpiler.neural.provider import Message, ModelFault, Request

pytest.importorskip("openai")

QUESTION = Request((Message("system", "be brief"), Message("user", "a program, please")), 64)


def asker(url: str, **changes: object) -> Asker:
    server = OpenAICompatible("server:m", "m", url, "secret", bool(changes.pop("stream", True)))
    patience = Patience(seconds=float(changes.pop("seconds", 10)), again=2, pause=0.01)  # type: ignore[arg-type]
    return Asker(server, patience=patience, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("stream", [True, False])
def test_answer_with_tokens(stream: bool) -> None:
    with serving(says("int main;", (7, 3))) as server:
        answer = asker(server.url, stream=stream, price=Price(1e6, 2e6)).ask(QUESTION)
    assert (answer.text, answer.finish) == ("int main;", "stop")
    assert (answer.tokens_in, answer.tokens_out, answer.cost) == (7, 3, 13.0)
    assert server.asked[0]["messages"][1] == {"role": "user", "content": "a program, please"}
    assert server.asked[0]["max_tokens"] == 64
    assert server.headers[0]["authorization"] == "Bearer secret"


def test_answer_cut_at_its_longest() -> None:
    with serving(says("int", finish="length")) as server:
        assert asker(server.url).ask(QUESTION).finish == "length"


def test_rate_limit_is_waited_for() -> None:
    with serving(fails(429, Retry_After="0.4"), says("ok")) as server:
        found = asker(server.url).ask(QUESTION)
    assert found.text == "ok"
    assert server.times[1] - server.times[0] >= 0.4


def test_rate_limit_for_ever_is_given_up() -> None:
    with serving(fails(429)) as server, pytest.raises(ModelFault, match="rate limit: status 429"):
        asker(server.url).ask(QUESTION)
    assert len(server.asked) == 3


def test_a_wait_that_the_budget_has_no_time_for() -> None:
    with serving(fails(429, Retry_After="30"), says("ok")) as server:
        start = time.monotonic()
        with pytest.raises(ModelFault, match="budget"):
            asker(server.url, budget=Budget(Limits(seconds=5))).ask(QUESTION)
    assert time.monotonic() - start < 5
    assert len(server.asked) == 1


@pytest.mark.parametrize("status", [400, 401, 404])
def test_refusals_are_not_repeated(status: int) -> None:
    with serving(fails(status)) as server, pytest.raises(ModelFault, match=str(status)):
        asker(server.url).ask(QUESTION)
    assert len(server.asked) == 1


@pytest.mark.parametrize("reply", [fails(503), breaks_off("int x"), garbage])
def test_passing_faults_are_asked_again(reply: object) -> None:
    with serving(reply, says("ok")) as server:  # type: ignore[arg-type]
        assert asker(server.url).ask(QUESTION).text == "ok"
    assert len(server.asked) == 2


def test_garbage_without_a_stream() -> None:
    with serving(garbage) as server, pytest.raises(ModelFault, match="broken answer"):
        asker(server.url, stream=False).ask(QUESTION)


def test_what_came_before_a_break_is_paid_for() -> None:
    budget = Budget(Limits(tokens=10_000))
    with serving(breaks_off("x" * 300), says("ok", (10, 5))) as server:
        asker(server.url, budget=budget).ask(QUESTION)
    asked = -(-QUESTION.characters // 3)
    assert budget.spent.tokens == asked + 100 + 15


def test_a_late_answer_is_given_up() -> None:
    with serving(late(3, says("ok"))) as server:
        start = time.monotonic()
        with pytest.raises(ModelFault, match="timeout"):
            asker(server.url, seconds=0.3).ask(QUESTION)
    assert time.monotonic() - start < 2.5


@pytest.mark.parametrize("reply", [endless, endless_line])
def test_endless_answers_are_cut_off(reply: object) -> None:
    with serving(reply) as server, pytest.raises(ModelFault, match="too long"):  # type: ignore[arg-type]
        asker(server.url, seconds=60).ask(QUESTION)


def test_a_dribble_ends_with_its_time() -> None:
    with serving(dribbles) as server:
        start = time.monotonic()
        with pytest.raises(ModelFault, match="too long"):
            asker(server.url, seconds=0.5).ask(QUESTION)
    assert time.monotonic() - start < 3


def test_redirects_carry_no_prompt_elsewhere() -> None:
    with (
        serving(says("trap")) as other,
        serving(redirects(f"{other.url}/x")) as server,
        pytest.raises(ModelFault, match="307"),
    ):
        asker(server.url).ask(QUESTION)
    assert other.asked == []


def test_compressed_bodies_are_refused() -> None:
    def bomb(h: object, asked: object) -> None:
        raw(h, 200, b"\x1f\x8b" + b"\0" * 100, Content_Encoding="gzip")  # type: ignore[arg-type]

    with serving(bomb) as server, pytest.raises(ModelFault, match="compressed"):
        asker(server.url).ask(QUESTION)


def test_nobody_there() -> None:
    with serving(says("ok")) as server:
        url = server.url
    with pytest.raises(ModelFault, match="connection"):
        asker(url).ask(QUESTION)


def test_an_answer_is_paid_for_once(tmp_path: Path) -> None:
    budget = Budget(Limits(tokens=10_000))
    with serving(says("ok", (10, 5))) as server:
        first = asker(server.url, cache=tmp_path, budget=budget).ask(QUESTION)
        again = asker(server.url, cache=tmp_path, budget=budget).ask(QUESTION)
    assert (first.from_cache, again.from_cache) == (False, True)
    assert again.text == "ok"
    assert len(server.asked) == 1
    assert budget.spent.tokens == 15
    assert "secret" not in "".join(f.read_text() for f in tmp_path.glob("*.json"))


def test_one_question_at_once_is_asked_once(tmp_path: Path) -> None:
    with serving(late(0.3, says("ok"))) as server:
        found = list(asker(server.url, cache=tmp_path).ask_all([QUESTION] * 3))
    assert [getattr(a, "text", a) for a in found] == ["ok"] * 3
    assert len(server.asked) == 1


def test_several_questions_run_at_the_same_time() -> None:
    many = [Request(QUESTION.messages, 64, sample=k) for k in range(4)]
    with serving(late(0.4, says("ok"))) as server:
        assert len(list(asker(server.url, at_once=4).ask_all(many))) == 4
    assert server.most > 1


def test_no_more_than_so_many_questions_run_at_once() -> None:
    many = [Request(QUESTION.messages, 64, sample=k) for k in range(4)]
    with serving(late(0.2, says("ok"))) as server:
        assert len(list(asker(server.url, at_once=2).ask_all(many))) == 4
    assert server.most <= 2


def test_a_question_that_the_budget_cannot_bear_is_not_sent() -> None:
    with serving(says("ok")) as server, pytest.raises(ModelFault, match="budget"):
        asker(server.url, budget=Budget(Limits(tokens=50))).ask(QUESTION)
    assert server.asked == []


def test_money_needs_a_price() -> None:
    with serving(says("ok")) as server, pytest.raises(ModelFault, match="price"):
        asker(server.url, budget=Budget(Limits(usd=1.0)), price=None).ask(QUESTION)
    assert server.asked == []


def test_anthropic_stream() -> None:
    pytest.importorskip("anthropic")

    def reply(h: object, asked: object) -> None:
        open_stream(h)  # type: ignore[arg-type]
        h.wfile.write(MESSAGES)  # type: ignore[attr-defined]

    with serving(reply) as server:
        url = server.url.removesuffix("/v1")
        provider = Anthropic("anthropic:m", "m", url, "secret")
        answer = Asker(provider, patience=Patience(10, 0)).ask(QUESTION)
    assert (answer.text, answer.tokens_in, answer.tokens_out) == ("int x;", 9, 4)
    assert server.asked[0]["system"] == "be brief"
    assert [m["role"] for m in server.asked[0]["messages"]] == ["user"]
    assert any("secret" in v for v in server.headers[0].values())


MESSAGES = b"""\
event: message_start
data: {"type": "message_start", "message": {"id": "1", "type": "message", "role": "assistant", \
"content": [], "model": "m", "stop_reason": null, "stop_sequence": null, \
"usage": {"input_tokens": 9, "output_tokens": 1}}}

event: content_block_start
data: {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}

event: content_block_delta
data: {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "int x;"}}

event: content_block_stop
data: {"type": "content_block_stop", "index": 0}

event: message_delta
data: {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": null}, \
"usage": {"output_tokens": 4}}

event: message_stop
data: {"type": "message_stop"}

"""


def test_a_stream_without_a_reason_for_its_end_is_broken() -> None:
    def reply(h: object, asked: object) -> None:
        open_stream(h)  # type: ignore[arg-type]
        h.wfile.write(chunk("int x") + b"data: [DONE]\n\n")  # type: ignore[attr-defined]

    with serving(reply) as server, pytest.raises(ModelFault, match="broken answer"):
        asker(server.url).ask(QUESTION)
