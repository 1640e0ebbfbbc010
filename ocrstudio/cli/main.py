"""The root of the command line, and the door at which every error becomes a sentence.

Importing this module must stay cheap: ``ocrstudio --help`` answers before a heavy library could be imported.
"""

import importlib
import io
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import click

from ocrstudio import __version__
from ocrstudio.domain.errors import OcrStudioError

EXIT_OK = 0
EXIT_ERROR = 1
EXIT_INTERRUPTED_BY_USER = 130

_DEBUG_VARIABLE = "OCRSTUDIO_DEBUG"


@dataclass(frozen=True)
class CommandEntry:
    """A command that is imported when it is called.

    Attributes:
        module: Module that exports ``command``.
        summary: Its line in ``ocrstudio --help``.
    """

    module: str
    summary: str


COMMANDS: dict[str, CommandEntry] = {
    "pdf2img": CommandEntry("ocrstudio.cli.pdf2img", "Convert PDF pages to images."),
    "synthesise": CommandEntry(
        "ocrstudio.cli.synthesise", "Write labelled pages in a vocabulary and fonts of your own."
    ),
    "infer": CommandEntry("ocrstudio.cli.infer", "Label images or PDF pages with a teacher."),
    "train": CommandEntry("ocrstudio.cli.train", "Fine-tune the student on a dataset."),
    "evaluate": CommandEntry("ocrstudio.cli.evaluate", "Measure the student on a dataset."),
    "dataset": CommandEntry("ocrstudio.cli.dataset", "List the forms of datasets, or convert one."),
    "runs": CommandEntry("ocrstudio.cli.runs", "Watch, stop or resume runs; export or merge adapters."),
    "inspect": CommandEntry("ocrstudio.cli.inspect", "Check this machine, the model and a dataset."),
    "workspace": CommandEntry("ocrstudio.cli.workspace", "Create, fill and export labelling workspaces."),
    "environment": CommandEntry(
        "ocrstudio.cli.environment", "Install what trains, for the installed program."
    ),
    "demo": CommandEntry("ocrstudio.cli.demo", "Run the whole loop on a bundled document."),
}


class LazyGroup(click.Group):
    """A group that knows its commands by name and summary and imports only the one that is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands in the order of the work."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command, or None when there is none of that name."""
        del ctx
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        command = importlib.import_module(entry.module).command
        if not isinstance(command, click.Command):
            raise TypeError(f"{entry.module}.command is not a click command")
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, with what was probably meant in the message."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            raise click.UsageError(_what_was_meant(args[0], error.message), ctx) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, without importing any."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.summary) for name, entry in COMMANDS.items()])


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Without a command the window opens. Exit status: 0 done, 1 error, 2 wrong usage, 3 run stopped, "
    "4 run interrupted, 130 Ctrl+C.",
)
@click.version_option(__version__, prog_name="ocrstudio", message="%(prog)s %(version)s")
@click.option(
    "--debug", is_flag=True, envvar=_DEBUG_VARIABLE, help="Show the traceback of an unexpected error."
)
def cli(debug: bool) -> None:
    """Label document pages, fine-tune DeepSeek-OCR on them, and measure what it learnt."""
    _show_log_warnings()
    if debug:
        os.environ[_DEBUG_VARIABLE] = "1"  # child processes and the door below read it


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        argv: Arguments without the program's name; None for those of this process.

    Returns:
        The exit status.
    """
    _print_anything()
    try:
        result = cli.main(
            args=None if argv is None else list(argv), prog_name="ocrstudio", standalone_mode=False
        )
    except click.ClickException as error:  # wrong usage has exit status 2
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("Interrupted.", err=True)
        return EXIT_INTERRUPTED_BY_USER
    except OcrStudioError as error:
        _show_error(error)
        return EXIT_ERROR
    except BrokenPipeError:
        # The reader of our output went away (``| head``); do not let Python complain again while it exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_ERROR
    except Exception as error:  # noqa: BLE001 - the door: nothing may reach the user as a traceback
        return _show_unexpected(error)
    return result if isinstance(result, int) else EXIT_OK


def _what_was_meant(word: str, otherwise: str) -> str:
    """What to say of a first word that is no command: a slip of the fingers, or a path.

    Nothing is made for a path that does not exist: a mistyped command would leave a folder behind.

    Args:
        word: As it was typed.
        otherwise: Click's own message.
    """
    import difflib
    import shlex
    from pathlib import PurePath

    from ocrstudio.domain.wording import printable, shortened

    near = difflib.get_close_matches(word, COMMANDS, n=1)
    if near:
        return f"{otherwise} Did you mean {near[0]!r}?"
    name = shortened(printable(word))
    if os.path.exists(word):  # noqa: PTH110 - False, where a path would raise, for a name too long
        return (
            f"{name} is no command.\nHint: To open it in the window, type it alone: ocrstudio "
            f"{shlex.quote(name)} — or name a command first, such as ocrstudio infer --pdf FILE."
        )
    if PurePath(word).suffix:
        return f"There is no file {name}.\nHint: Check its path; this is the folder {os.getcwd()}."  # noqa: PTH109
    return (
        f"There is no command, file or folder called {name}.\nHint: To begin a workspace there: ocrstudio "
        f"workspace new {shlex.quote(name)} — the commands are listed by ocrstudio --help."
    )


def _print_anything() -> None:
    """Escape what the encoding of a pipe or an old console cannot hold, instead of failing at it."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="backslashreplace")


def _show_log_warnings() -> None:
    """Let what a layer below can only log (a key in plain text, say) look like every other warning."""
    import logging

    from ocrstudio.cli.output import WarningLines

    log = logging.getLogger("ocrstudio")
    if not any(isinstance(handler, WarningLines) for handler in log.handlers):
        log.addHandler(WarningLines(logging.WARNING))


def _show_error(error: OcrStudioError) -> None:
    from ocrstudio.cli.output import echo_error

    echo_error(error)


def _show_unexpected(error: Exception) -> int:
    if os.environ.get(_DEBUG_VARIABLE, "") not in ("", "0"):
        raise error
    from ocrstudio.cli.output import write_crash_log

    log = write_crash_log(error)
    where = f" The details are in {log}." if log else ""
    click.echo(f"Error: An unexpected {type(error).__name__} happened: {error}.{where}", err=True)
    click.echo("Hint: Run the command again with `ocrstudio --debug …` to see where.", err=True)
    return EXIT_ERROR
