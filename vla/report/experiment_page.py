"""The report of one experiment as a page: one file, figures and films inside, to open without a network."""

from pathlib import Path

from vla.report.content import Content
from vla.report.inlining import inline, inline_bytes
from vla.report.rollouts import strip
from vla.report.templates import read_tabulator, template_environment
from vla.report.wording import energy_note, how_again

SHOWN_ROLLOUTS = 12  # at first; a click shows the others


def render_page(report: Content, root: Path) -> str:
    """HTML, with nothing outside of it."""
    environment = template_environment(root)
    environment.filters |= {
        "inline": inline,
        "strip": lambda film: inline_bytes(strip(film), ".jpg"),
    }
    script, style = read_tabulator(root)
    return environment.get_template("experiment.html.j2").render(
        report=report,
        shown_rollouts=SHOWN_ROLLOUTS,
        loading="eager",
        energy_note=energy_note(report.compute, report.footprint),
        again=how_again(report),
        tabulator_script=script,
        tabulator_style=style,
    )
