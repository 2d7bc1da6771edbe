"""The command `actwin`: words in, one library call, words out."""

from __future__ import annotations

import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the command line and leaves the process with its exit code.

    What the user can mend (an `ActwinError`, a wrong command or option) is one red line on stderr and exit code 1; only
    bugs show a traceback.

    Args:
        arguments: Words after `actwin`; None takes them from the process.
    """
    from actwin.cli.terminal import explain, fail, prepare_streams

    prepare_streams()
    from typer.main import get_command

    from actwin.cli.app import app

    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        code = get_command(app).main(args=words, prog_name="actwin", standalone_mode=False)
    except Exception as error:
        message = explain(error)
        if message is None:
            raise
        fail(message)
        code = 1
    sys.exit(code if isinstance(code, int) else 0)
