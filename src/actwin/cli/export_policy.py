"""`actwin export-policy`: a trained driver as an ONNX file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from actwin.cli.options import JsonOption
from actwin.cli.terminal import console

EXAMPLES = (
    "Examples: actwin export-policy runs/demo --to demo.onnx · "
    "actwin export-policy runs/monza/last.pt · actwin drive demo.onnx --source app"
)


def export_policy(
    checkpoint: Annotated[Path, typer.Argument(help="A checkpoint, or the folder of a run.")],
    to: Annotated[
        Path | None, typer.Option(help="File to write.", show_default="the checkpoint's name with .onnx")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Write a trained driver as one ONNX graph from observation to action, which drives without torch."""
    from actwin.driving.policy_export import export_checkpoint
    from actwin.training.runs import checkpoint_path

    path = checkpoint_path(checkpoint)
    done = export_checkpoint(path, to or path.with_suffix(".onnx"))
    if as_json:
        typer.echo(json.dumps(done._asdict() | {"path": str(done.path)}))
        return
    console().print(
        f"Written: {done.path} ({done.kind}, {done.observations} numbers seen, {done.actions} decided; "
        f"differs from the network by {done.difference:.1g} at most)",
        soft_wrap=True,
    )
