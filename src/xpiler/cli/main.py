"""`xpiler`: the group of commands, with lazy loading so that start-up stays instant."""

from __future__ import annotations

import importlib
import os
import sys

import click

COMMANDS = {
    "translate": "translate kernels to another platform and verify the result",
    "verify": "compare a kernel with its translation by running both",
    "locate": "say where a translation goes wrong",
    "repair": "mend a wrong translation by the smallest change",
    "run": "run a kernel on this machine's emulator",
    "audit": "look for faults in a kernel before anyone translates it",
    "prompt": "print the prompt by which a model is asked for a pass",
    "explain": "say more about a diagnostic (XP0304)",
    "doctor": "what this machine has, and what that enables",
    "platforms": "the platforms and what they can do",
    "passes": "the passes that schedules are made of, by hand",
    "bench": "translate a folder of kernels and print a table",
}


class LazyGroup(click.Group):
    """A group whose commands live in modules of their own."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"xpiler.cli.{cmd_name}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """`xpiler FILE --to c` means `xpiler translate FILE --to c`, for folders as well."""
        if args and args[0] not in COMMANDS and _is_path(args[0]):
            args = ["translate", *args]
        return super().resolve_command(ctx, args)


def _is_path(word: str) -> bool:
    return word == "-" or "." in word or "/" in word or os.path.exists(word)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="xpiler")
def cli() -> None:
    """Translate tensor programs between CUDA C, HIP, BANG C and C with AVX-512/VNNI."""


def _told(why: Exception) -> str:
    """What stopped a command, as diagnostics."""
    from dataclasses import replace

    from xpiler.containment import internal_error
    from xpiler.diagnostics import XpilerError

    if isinstance(why, XpilerError):
        return "\n".join(d.render() for d in why.diagnostics)
    return replace(internal_error(why, ""), loc=None).render()


def main() -> None:
    """Run the command line; exit codes: 0 verified, 1 not verified or partial, 2 error.

    130 after Ctrl-C. A failure of ours is told in a line, too; `XPILER_DEBUG=1` shows it whole.
    """
    try:
        code = cli.main(standalone_mode=False)
    except click.exceptions.Abort:
        sys.stderr.write("error[XP0907]: interrupted\n")
        code = 130
    except click.ClickException as why:
        why.show()
        code = 2
    except BrokenPipeError:
        sys.stderr.close()
        code = 2
    except Exception as why:
        if os.environ.get("XPILER_DEBUG"):
            raise
        sys.stderr.write(_told(why) + "\n")
        code = 2
    sys.exit(code if isinstance(code, int) else 0)


if __name__ == "__main__":
    main()
