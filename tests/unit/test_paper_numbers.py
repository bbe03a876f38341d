"""A paper prints numbers of records, and its source is told where it types one."""

import pytest
import typst

from vla.package.numbers import PaperNumbers, Row
from vla.package.paper import check_paper
from vla.package.typesetting import escape, latex
from vla.package.typesetting import typst as typst_text
from vla.records.rates import Rate

RATE = Rate(successes=93, episodes=100, crashes=0, rate=0.93, low=0.8625, high=0.9657)
NAME = "exp_001/success_rate/instructed"
VALUES = {
    NAME: "93",
    f"{NAME}/successes": "93",
    f"{NAME}/episodes": "100",
    "exp_001/final_loss/seed1": "0.0421",
    "exp_001/statement": "a & b_c: 5 % \\ “quoted” – done",
}
NUMBERS = PaperNumbers(
    experiment="exp_001",
    values=VALUES,
    conditions=("instructed", "held_out"),
    rows=(Row("all tasks", (RATE, None)), Row("faucet_open & close", (RATE, RATE))),
    source="summary-0123456789ab",
)


def test_typst_compiles_and_knows_every_number(tmp_path):
    (tmp_path / "results.typ").write_text(typst_text([NUMBERS]), encoding="utf-8")
    calls = "\n".join(
        f'#assert(vla("{name}") == {_typst(value)})' for name, value in VALUES.items()
    )
    paper = tmp_path / "paper.typ"
    paper.write_text(
        f'#import "results.typ": vla, vla-table\n{calls}\n'
        f'#vla("{NAME}") % of the episodes.\n#vla-table("exp_001")\n',
        encoding="utf-8",
    )
    assert typst.compile(str(paper)).startswith(b"%PDF")
    paper.write_text('#import "results.typ": vla\n#vla("exp_001/other")\n')
    with pytest.raises(typst.TypstError, match="No record has the number"):
        typst.compile(str(paper))


def _typst(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def test_latex_defines_every_number_and_escapes_what_it_would_read():
    text = latex([NUMBERS])
    for name, value in VALUES.items():
        assert f"\\csname vla@{name}\\endcsname{{{escape(value)}}}\n" in text
    assert r"a \& b\_c: 5 \% \textbackslash{} “quoted” -- done" in text
    assert r"{faucet\_open \& close} & {93 [86, 97]} & {93 [86, 97]} \\" in text
    assert r"{all tasks} & {93 [86, 97]} & {--} \\" in text
    assert text.count("{") == text.count("}")


GOOD_TEX = rf"""\documentclass[11pt]{{article}}
\input{{results.tex}}
\begin{{document}}
Four tasks, Section~\ref{{sec:1.2}}, \cite{{kim2024}}. % it was 87.5 % once
We reach \vla{{{NAME}}}\,\% in \vla{{{NAME}/episodes}} episodes of 150 steps.
\includegraphics[width=0.9\textwidth]{{curve.pdf}}\vspace{{0.5em}}
With $\alpha = 0.05$ as usual. % vla: not a result
\vlatable{{exp_001}}
\end{{document}}
"""
GOOD_TYP = f"""#import "results.typ": vla, vla-table
#set page(margin: 1.5cm)
= Results
#vla("{NAME}") % of 4 tasks, see @fig-1.2. // was 87.5 %
#vla-table("exp_001")
"""


@pytest.mark.parametrize(("ending", "text"), [(".tex", GOOD_TEX), (".typ", GOOD_TYP)])
def test_paper_that_uses_records_passes(ending, text, tmp_path):
    paper = tmp_path / f"paper{ending}"
    paper.write_text(text)
    assert check_paper(paper, VALUES) == []


@pytest.mark.parametrize(
    ("ending", "line", "told"),
    [
        (".tex", r"We reach 93\,\% of them.", f"93 is typed; a record has it as {NAME}"),
        (".tex", r"We reach 93\% of them.", f"93 is typed; a record has it as {NAME}"),
        (".tex", r"We reach 94\% of them.", "94 is typed; no record has it"),
        (
            ".tex",
            "A loss of 0.0421.",
            "0.0421 is typed; a record has it as exp_001/final_loss/seed1",
        ),
        (".tex", "In 93/100 episodes.", f"93/100 is typed; a record has it as {NAME}{{/successes"),
        (".tex", "12 points better.", "12 is typed"),
        (".tex", r"\vla{exp_001/success_rate/instructe}", f"did you mean '{NAME}'"),
        (".typ", "We reach 93 % of them.", f"93 is typed; a record has it as {NAME}"),
        (".typ", '#vla("exp_002/success_rate")', "no record has exp_002/success_rate"),
    ],
)
def test_number_that_is_typed_is_told_with_its_line(ending, line, told, tmp_path):
    paper = tmp_path / f"paper{ending}"
    paper.write_text(f"First line.\n{line}\n")
    (problem,) = check_paper(paper, VALUES)
    assert problem.startswith(f"{paper}:2: ")
    assert told in problem
