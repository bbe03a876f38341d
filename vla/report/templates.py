"""Documents are rendered from the templates in `reports/templates/`."""

import re
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from vla.statistics.rates import describe, interval, percent
from vla.words import CONDITIONS, duration, short_task

TABULATOR = "reports/assets/tabulator-6.5.3.min"


def read_tabulator(root: Path) -> tuple[str, str]:
    """Script and style of the library that makes tables of a page sort."""
    script, style = (
        (root / f"{TABULATOR}.{ending}").read_text("utf-8") for ending in ("js", "css")
    )
    return script, style


def template_environment(root: Path) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(root / "reports/templates"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=lambda name: bool(name) and ".html" in name,  # noqa: S701 - Markdown stays as it is
    )
    environment.filters |= {
        "describe": describe,
        "percent": percent,
        "interval": interval,
        "duration": duration,
        "prose": prose,
        "short_task": short_task,
        "condition": CONDITIONS.__getitem__,
    }
    return environment


def prose(text: str) -> Markup:
    """Text from YAML as HTML: escaped, with `code` set as code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704
