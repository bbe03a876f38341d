"""Trackers that were away, and are back."""

import typer
from rich.markup import escape

from vla.cli.shared import console, find_root


def sync() -> None:
    """Send trackers (MLflow, W&B, TensorBoard) what they missed while they were away.

    Ends with exit code 1 when one is away still; nothing is lost then.
    """
    from vla.tracking.sending import send
    from vla.tracking.unsent import find_unsent

    root = find_root()
    notes = find_unsent(root)
    if not notes:
        console.print("Trackers hold everything.")
    away = False
    for note in notes:
        sent = send(note, root)
        if sent.busy:
            console.print(f"{sent.run}: goes on, and tells its trackers itself")
        for name, problem in sent.trackers.items():
            told = f"[red]{escape(problem)}[/]" if problem else "holds everything"
            console.print(f"{sent.run}: {name} {told}")
            away |= problem is not None
    if away:
        raise typer.Exit(1)
