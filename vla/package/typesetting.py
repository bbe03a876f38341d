"""Numbers as macros and tables of LaTeX and Typst.

LaTeX: `\\input{results.tex}`, then `\\vla{exp_001/success_rate/instructed}` and `\\vlatable{exp_001}`.
Typst: `#import "results.typ": vla, vla-table`, then `#vla("…")` and `#vla-table("…")`.
"""

import json
import re

from vla.package.numbers import PaperNumbers, cells, headings

# What LaTeX reads as more than a letter.
SPECIAL = {
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
    **{"~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "\\": r"\textbackslash{}"},
    **{"<": r"\textless{}", ">": r"\textgreater{}", "−": r"\ensuremath{-}", "–": "--"},
}
LATEX = r"""% Computed from records by vla numbers. Do not edit: run it again.
\makeatletter
\newcommand{\vla}[1]{\ifcsname vla@#1\endcsname\csname vla@#1\endcsname\else
  \errmessage{No record has the number #1}\fi}
\newcommand{\vlatable}[1]{\vla{#1/table}}
"""
TYPST = """// Computed from records by vla numbers. Do not edit: run it again.
#let vla(name) = {
  assert(name in vla-numbers, message: "No record has the number " + name)
  vla-numbers.at(name)
}
#let vla-table(name) = {
  assert(name in vla-tables, message: "No record has the table " + name)
  let content = vla-tables.at(name)
  let columns = content.first().len()
  table(
    columns: columns, stroke: none, align: (left,) + (right,) * (columns - 1),
    table.hline(), table.header(..content.first()), table.hline(),
    ..content.slice(1).flatten(), table.hline(),
  )
}
"""


def latex(experiments: list[PaperNumbers]) -> str:
    """The text of results.tex."""
    lines = [LATEX]
    for numbers in experiments:
        lines.append(f"% {numbers.experiment}: {numbers.source}\n")
        lines += [_define(name, escape(value)) for name, value in numbers.values.items()]
        lines.append(_define(f"{numbers.experiment}/table", _latex_table(numbers)))
    return "".join([*lines, "\\makeatother\n"])


def typst(experiments: list[PaperNumbers]) -> str:
    """The text of results.typ."""
    values = {name: value for numbers in experiments for name, value in numbers.values.items()}
    tables = {
        n.experiment: [headings(n), *([r.label, *cells(r)] for r in n.rows)] for n in experiments
    }
    comments = "".join(f"// {n.experiment}: {n.source}\n" for n in experiments)
    entries = "".join(f"  {_text(name)}: {_text(value)},\n" for name, value in values.items())
    described = "".join(f"  {_text(name)}: {_array(rows)},\n" for name, rows in tables.items())
    return f"{comments}#let vla-numbers = (\n{entries})\n#let vla-tables = (\n{described})\n{TYPST}"


def escape(text: str) -> str:
    """A text as LaTeX prints it."""
    return "".join(SPECIAL.get(letter, letter) for letter in text)


def _define(name: str, text: str) -> str:
    return f"\\expandafter\\def\\csname vla@{name}\\endcsname{{{text}}}\n"


def _latex_table(numbers: PaperNumbers) -> str:
    """Narrow enough for a column of two at \\footnotesize: words of a heading stand below each other."""
    head = [_stacked(heading) for heading in headings(numbers)]
    rows = [[f"{{{escape(cell)}}}" for cell in (row.label, *cells(row))] for row in numbers.rows]
    # Braces: a bracket after \\ would be read as the space below the row.
    first, *others = [" & ".join(line) + r" \\" for line in (head, *rows)]
    columns = "@{}l" + "r" * len(numbers.conditions) + "@{}"
    rule = r"\hline\noalign{\vskip 2pt}"  # without the skip it touches the letters below
    body = "\n".join([rule, first, rule, *others, r"\hline"])
    return f"{{\\tabcolsep=4pt\\begin{{tabular}}{{{columns}}}\n{body}\n\\end{{tabular}}}}"


def _stacked(heading: str) -> str:
    lines = r"\\".join(escape(word) for word in heading.split())
    return f"\\begin{{tabular}}[b]{{@{{}}r@{{}}}}{lines}\\end{{tabular}}"


def _text(value: str) -> str:
    """A string of Typst's, which writes other characters than JSON as \\u{…}."""
    return re.sub(r"\\u([0-9a-f]{4})", r"\\u{\1}", json.dumps(value))


def _array(rows: list[list[str]]) -> str:
    return "(" + ", ".join("(" + ", ".join(map(_text, row)) + ",)" for row in rows) + ",)"
