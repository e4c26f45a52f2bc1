"""Tokens join to the text they came from, and brackets match."""

# Kernels and tables of results read better on long lines.
# ruff: noqa: E501

from hypothesis import given, settings
from hypothesis import strategies as st

from xpiler.platforms._simt.dialects import CUDA, HIP
from xpiler.platforms._simt.lexer import join, lex, match_angle_open, match_close
from xpiler.platforms._simt.rewrite import rewrite

_PIECES = st.sampled_from(
    ["__shared__ ", "float ", "x", "[4]", "(", ")", "{", "}", ";", "<<<", ">>>", "<", ">", ",", "\n", "#define ",
     "\\\n", '"a', '"', "//", "/*", "*/", "asm ", "volatile", ":", "extern ", "template", "__global__ ", "= ", "::",
     "hipLaunchKernelGGL", "HIP_DYNAMIC_SHARED", "typedef ", "__attribute__((ext_vector_type(4)))", "R\"(", "'", "using "]
)  # fmt: skip


@given(st.text())
def test_join_gives_the_text_back(text: str) -> None:
    assert join(lex(text)) == text


@settings(max_examples=300)
@given(st.lists(_PIECES, max_size=30).map("".join))
def test_any_text_is_rewritten_without_losing_lines(text: str) -> None:
    for dialect in (CUDA, HIP):
        after = rewrite(text, dialect).split('#line 1 "unit"\n', 1)[1]
        assert after.count("\n") >= text.count("\n")


def test_comments_strings_and_raw_strings_are_one_token() -> None:
    texts = [t.text for t in lex('a /* <<< */ "x\\"<<<" R"p(\n)<<<)p" // k<<<\n<<<')]
    assert texts.count("<<<") == 1
    assert 'R"p(\n)<<<)p"' in texts


def test_preprocessor_lines_are_numbered_with_their_continuations() -> None:
    tokens = lex("#define A \\\n  b\nc # d\n#if 1")
    assert {t.text: t.directive for t in tokens if t.kind == "name"} == {
        "define": 1,
        "A": 1,
        "b": 1,
        "c": 0,
        "d": 0,
        "if": 2,
    }


def test_brackets() -> None:
    tokens = [t for t in lex("k<T, (a > b), f<2>()>(x[1])") if not t.blank]
    last = max(i for i, t in enumerate(tokens) if t.text == ">")
    assert match_angle_open(tokens, last) == 1
    assert match_close(tokens, last + 1) == len(tokens) - 1
