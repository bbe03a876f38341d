"""Run VLA experiments that anyone can reproduce."""

import gc
import sys

import typer
from rich.markup import escape

from vla.cli import before, during, packages, pinning, results, submit, sync
from vla.cli.shared import console
from vla.errors import UserError

EXAMPLES = """Run VLA experiments that anyone can reproduce.

[bold]One experiment, from idea to conclusion[/]

  vla new exp_005_wider --from exp_001_baseline --hypothesis "A wider trunk helps."
  $EDITOR experiments/exp_005_wider/config.yaml      [dim]# the plan, and what differs[/]
  vla check exp_005_wider                            [dim]# what is missing before it can run[/]
  git add -A && git commit -m "exp_005: wider"
  snakemake                                          [dim]# train, evaluate, report[/]
  vla watch                                          [dim]# in another terminal[/]
  vla compare exp_001_baseline exp_005_wider
  vla note exp_005_wider --outcome confirmed --finding "Twice the width, +4 points."

Everything here reads and writes plain files; Snakemake alone does the same work.
"""

app = typer.Typer(
    help=EXAMPLES,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
BEFORE, DURING, AFTER = "Before a run", "While it runs", "Afterwards"
SHARE = "For others"

app.command("new", rich_help_panel=BEFORE)(before.new)
app.command("check", rich_help_panel=BEFORE)(before.check)
app.command("pin", rich_help_panel=BEFORE)(pinning.pin)
app.command("submit", context_settings=submit.PASSED_ON, rich_help_panel=DURING)(submit.submit)
app.command("status", rich_help_panel=DURING)(during.status)
app.command("watch", rich_help_panel=DURING)(during.watch)
app.command("compare", rich_help_panel=AFTER)(results.compare)
app.command("note", rich_help_panel=AFTER)(results.note)
app.command("list", rich_help_panel=AFTER)(results.list_experiments)
app.command("explain", rich_help_panel=AFTER)(results.explain)
app.command("verify", rich_help_panel=AFTER)(results.verify)
app.command("published", rich_help_panel=AFTER)(results.published)
app.command("replay", rich_help_panel=AFTER)(results.replay)
app.command("sync", rich_help_panel=AFTER)(sync.sync)
app.command("archive", rich_help_panel=AFTER)(results.archive)
app.command("package", rich_help_panel=SHARE)(packages.package)
app.command("reproduce", rich_help_panel=SHARE)(packages.reproduce)
app.command("numbers", rich_help_panel=SHARE)(packages.numbers)
app.command("release", rich_help_panel=SHARE)(packages.release)
app.command("site", rich_help_panel=SHARE)(packages.site)
app.command("clean", rich_help_panel=AFTER)(results.clean)


def main() -> None:
    """The command of this process."""
    try:
        run()
    finally:
        gc.freeze()  # the process ends; the collector would look through all that was imported


def run(arguments: list[str] | None = None) -> None:
    """Run one command, by default that of this process. Raises `SystemExit` with its exit code."""
    try:
        app(arguments)
    except UserError as error:
        console.print(f"[red]{escape(error.problem)}[/]\n  → {escape(error.way_out)}")
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
