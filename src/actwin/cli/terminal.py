"""How the commands speak: one console, text that every terminal can show, errors in one line."""

from __future__ import annotations

import codecs
import difflib
import io
import sys
import unicodedata
from typing import TYPE_CHECKING, Any, Final

from actwin.errors import ActwinError

if TYPE_CHECKING:
    from rich.console import Console

_PLAIN: Final = {
    "→": "->", "·": "-", "–": "-", "—": "-", "−": "-", "…": "...", "✓": "yes", "✗": "no", "°": "deg",
    "²": "2", "³": "3", "“": '"', "”": '"', "’": "'", "≥": ">=", "≤": "<=", "×": "x", "µ": "u",
}  # fmt: skip
"""What stands for a character that a terminal cannot show."""


_FILE_WIDTH: Final = 150


def prepare_streams() -> None:
    """Makes stdout and stderr write something readable for characters their encoding lacks, instead of failing.

    Windows consoles and pipes use code pages such as cp1252 or cp437 that lack most symbols.
    """
    codecs.register_error("actwin_plain", _plain_characters)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="actwin_plain")


def _plain_characters(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(_plain, error.object[error.start : error.end])), error.end


def _plain(character: str) -> str:
    known = _PLAIN.get(character)
    return known if known else unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode() or "?"


def console(stderr: bool = False) -> Console:
    """The console that commands print on; markup, names of emoji and highlighting are off: text is shown as it is."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    # A file or another program has no width of its own; narrow columns would only cut names.
    return Console(
        stderr=stderr, markup=False, emoji=False, highlight=False, width=None if stream.isatty() else _FILE_WIDTH
    )


def fail(message: str) -> None:
    """Prints an error: one line, red where colours are shown, on stderr."""
    console(stderr=True).print(f"Error: {' '.join(message.split())}", style="red", soft_wrap=True)


def explain(error: Exception) -> str | None:
    """What to tell the user about an error; None when it is a bug."""
    if isinstance(error, ActwinError):
        return str(error)
    if type(error).__name__ == "Abort":
        return "Stopped."
    # Usage errors; told by what they have, because typer kept click's classes under other names in its newer versions.
    if hasattr(error, "format_message") and hasattr(error, "exit_code"):
        return _usage_message(error)
    return None


def _usage_message(error: Any) -> str:
    message = str(getattr(error, "message", "") or error.format_message()).strip()
    if hasattr(error, "param_hint") or not message:
        message = str(error.format_message()).strip().replace("Value error, ", "")
    context = getattr(error, "ctx", None)
    if context is None:
        return message
    if "Did you mean" not in message:
        message = _with_nearest(message, error, context)
    return f"{message.rstrip('.?')}{'?' if 'Did you mean' in message else '.'} Help: {context.command_path} --help"


def _with_nearest(message: str, error: Any, context: Any) -> str:
    option = getattr(error, "option_name", None)
    if not option or "No such option" not in message:
        return message
    options = [name for parameter in context.command.params for name in getattr(parameter, "opts", ())]
    near = difflib.get_close_matches(option, [*options, "--help"], n=2, cutoff=0.5)
    return f"{message.rstrip('.')}. Did you mean {' or '.join(near)}?" if near else message


def table(*columns: str, numbers: tuple[int, ...] = (), title: str = "") -> Any:
    """A table in the style of the commands.

    Args:
        columns: Headings.
        numbers: Which columns stand to the right.
        title: Above the table.
    """
    from rich import box
    from rich.table import Table

    made = Table(
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        title=title or None,
        title_justify="left",
        title_style="bold",
        pad_edge=False,
    )
    for i, name in enumerate(columns):
        made.add_column(
            name, justify="right" if i in numbers else "left", no_wrap=i == 0 or i in numbers, overflow="fold"
        )
    return made
