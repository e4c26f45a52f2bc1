"""The neural half: a language model proposes the text after a pass; only a check accepts it."""
