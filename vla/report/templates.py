"""Documents are rendered from the templates in `reports/templates/`."""

import re
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from vla.statistics.rates import describe, interval, percent
from vla.words import CONDITIONS, duration, short_task


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
