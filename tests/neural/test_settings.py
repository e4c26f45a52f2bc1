"""Where settings come from, what they may say, and where keys may go."""

from __future__ import annotations

from pathlib import Path

import pytest

from xpiler.diagnostics import XpilerError
from xpiler.neural.choose import asker
from xpiler.neural.settings import Settings, settings


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def test_stronger_sources_win(tmp_path: Path) -> None:
    write(tmp_path / "home/.config/xpiler/xpiler.toml", "model = 'openai:a'\nsamples = 2")
    write(tmp_path / "p/pyproject.toml", "[tool.xpiler]\nmodel = 'openai:b'\nask-again = 1")
    env = {"HOME": str(tmp_path / "home"), "XPILER_ASK_AGAIN": "3"}
    folder = tmp_path / "p" / "deep"
    folder.mkdir()
    found = settings({"max_tokens": 99}, folder, env)
    assert (found.model, found.samples, found.ask_again, found.max_tokens) == ("openai:b", 2, 3, 99)


def test_a_model_is_asked_where_the_passes_fail_unless_told_otherwise(tmp_path: Path) -> None:
    env = {"HOME": str(tmp_path)}
    assert settings({}, tmp_path, env).proposer == "symbolic"
    assert settings({"model": "openai:a"}, tmp_path, env).proposer == "both"
    assert settings({"model": "noisy:0.5"}, tmp_path, env).proposer == "model"
    stated = settings({"model": "openai:a", "proposer": "model"}, tmp_path, env)
    assert stated.proposer == "model"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("key = 'sk-1'", "XP1509"),
        ("api-key = 'sk-1'", "XP1509"),
        ("modell = 'openai:a'", "XP1502"),
        ("samples = 0", "XP1502"),
        ("budget = 'euro=3'", "XP1502"),
        ("budget = 'tokens=-3'", "XP1502"),
        ("repair = 'perhaps'", "XP1502"),
        ("[prices.x]\ninput = 1", "XP1502"),
        ("url = 'https://example.org/v1'", "XP1510"),
        ("url = 'https://localhost.example.org/v1'", "XP1510"),
        ("key_env = 'HOME'", "XP1510"),
        ("samples =", "XP1502"),
    ],
)
def test_bad_settings(tmp_path: Path, text: str, code: str) -> None:
    write(tmp_path / "xpiler.toml", text)
    with pytest.raises(XpilerError) as found:
        settings({}, tmp_path, {"HOME": str(tmp_path)})
    assert found.value.diagnostics[0].code == code


def test_a_project_may_name_a_server_on_this_machine(tmp_path: Path) -> None:
    write(tmp_path / "xpiler.toml", "url = 'http://127.0.0.1:8000/v1'")
    assert settings({}, tmp_path, {"HOME": str(tmp_path)}).url == "http://127.0.0.1:8000/v1"


def test_the_vendors_key_goes_to_the_vendor_only() -> None:
    env = {"OPENAI_API_KEY": "sk-1"}
    own = asker(Settings(model="openai:gpt-5"), environment=env).provider
    other = asker(Settings(model="openai:m", url="https://example.org/v1"), environment=env)
    assert own.key == "sk-1"  # type: ignore[attr-defined]
    assert other.provider.key is None  # type: ignore[attr-defined]
    assert "sk-1" not in repr(own)


@pytest.mark.parametrize(
    ("model", "code"),
    [
        ("openai:gpt-5", "XP1503"),
        ("anthropic:x", "XP1503"),
        ("gpt-5", "XP1501"),
        ("litellm:x", "XP1501"),
        ("server:x", "XP1501"),
        ("noisy:2", "XP1501"),
        ("noisy:x", "XP1501"),
        ("replay:/nowhere.json", "XP1501"),
        ("openai:", "XP1501"),
    ],
)
def test_models_that_are_not_to_be_had(model: str, code: str) -> None:
    with pytest.raises(XpilerError) as found:
        asker(Settings(model=model), lambda *_: "", {})
    assert found.value.diagnostics[0].code == code


def test_prices() -> None:
    assert asker(Settings(model="ollama:llama"), environment={}).price is not None
    unknown = asker(Settings(model="server:m", url="https://example.org"), environment={})
    assert unknown.price is None
    env = {"OPENAI_API_KEY": "k"}
    mini = asker(Settings(model="openai:gpt-5-mini-2026"), environment=env).price
    assert mini is not None
    assert (mini.input, mini.output) == (0.25, 2.0)
