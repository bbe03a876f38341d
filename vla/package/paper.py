"""Does a paper's source use only numbers of a record?

Results in a paper are rates, losses and counts: numbers with a decimal point, with a percent sign or
`points` behind them, or as 93/100. Each of these that is typed is told, with the name under which a
record holds that value; a line that ends with the comment `vla: not a result` is left out. So is what
prints nothing of its own: comments, lengths, references, labels, options.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from vla.errors import UserError, nearest

RESULT = re.compile(
    r"(?<![\w.\\])(\d+\s?/\s?\d+|\d+\.\d+|\d+(?=\s*(?:\\?%|\\,\\%|~\\%|percent\b|points\b)))(?![\w.]*\d)"
)
LENGTH = re.compile(r"\d*\.?\d+\s*(?:pt|em|ex|cm|mm|in|bp|fr|\\\w*(?:width|height|skip)\b)")
EXEMPT = "vla: not a result"
LATEX_NAME = re.compile(r"\\vla(?:table)?\{([^}]*)\}")
LATEX_SILENT = re.compile(
    r"\\(?:\w*ref|cite\w*|label|input|include\w*|usepackage|documentclass|bibliography\w*|url|begin|"
    r"vla|vlatable|vspace|hspace)\*?(?:\[[^]]*\])*(?:\{[^}]*\})?"
)
LATEX_COMMENT = re.compile(r"(?<!\\)%.*")
TYPST_NAME = re.compile(r"#?vla(?:-table)?\(\"([^\"]*)\"\)")
TYPST_SILENT = re.compile(
    r"#?vla(?:-table)?\(\"[^\"]*\"\)|#(?:import|include|set|show|image|cite|ref|link)\b.*|@[\w:-]+|<[\w:-]+>"
)
TYPST_COMMENT = re.compile(r"(?<!:)//.*")


@dataclass(frozen=True)
class Language:
    """How a paper is written."""

    name: re.Pattern
    silent: re.Pattern
    comment: re.Pattern


LANGUAGES = {
    ".tex": Language(LATEX_NAME, LATEX_SILENT, LATEX_COMMENT),
    ".typ": Language(TYPST_NAME, TYPST_SILENT, TYPST_COMMENT),
}


def check_paper(path: Path, values: dict[str, str]) -> list[str]:
    """What in a paper's source is not of a record, one line each.

    `values`: name -> text, of every experiment that the paper may use.
    """
    if path.suffix not in LANGUAGES:
        raise UserError(f"{path} is neither LaTeX nor Typst.", "Name a .tex or a .typ.")
    if not path.is_file():
        raise UserError(f"{path} is missing.", "Name the paper's source.")
    language = LANGUAGES[path.suffix]
    tables = {name.split("/")[0] for name in values}
    problems = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        text = language.comment.sub("", line)
        for name in language.name.findall(text):
            if name not in values and name not in tables:
                hint = nearest(name, [*values])
                problems.append(f"{path}:{number}: no record has {name}; {hint[:200]}")
        if line.rstrip().endswith(EXEMPT):
            continue
        text = LENGTH.sub("", language.silent.sub("", text))
        problems += [f"{path}:{number}: {_typed(found, values)}" for found in RESULT.findall(text)]
    return problems


def _typed(found: str, values: dict[str, str]) -> str:
    named = [name for name, value in values.items() if value == found]
    if "/" in found:
        one, _, other = found.replace(" ", "").partition("/")
        ends = ("/successes", "/episodes")
        named = [
            f"{name.removesuffix(ends[0])}{{{','.join(ends)}}}"
            for name, value in values.items()
            if name.endswith(ends[0])
            and (value, values[name.removesuffix(ends[0]) + ends[1]]) == (one, other)
        ]
    known = f"; a record has it as {', '.join(named[:3])}" if named else "; no record has it"
    return f"{found} is typed{known}"
