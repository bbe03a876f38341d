"""A paper prints numbers of records, and its source is told where it types one."""

import shutil
import subprocess

import pytest
import typst

from tests.records import NOWHERE
from vla.package.numbers import PaperNumbers, Row, comparison_numbers, condition_numbers
from vla.package.paper import check_paper
from vla.package.pdf_text import text_of_pdf
from vla.package.typesetting import escape, latex
from vla.package.typesetting import typst as typst_text
from vla.records.comparison import ComparisonRecord
from vla.records.rates import ChainRates, ConditionRates, PairedRates, Rate

RATE = Rate(successes=93, episodes=100, crashes=0, rate=0.93, low=0.8625, high=0.9657)
EVERY = Rate(successes=100, episodes=100, crashes=0, rate=1.0, low=0.9637, high=1.0)
NAME = "exp_001/success_rate/instructed"
VALUES = {
    NAME: "93",
    f"{NAME}/successes": "93",
    f"{NAME}/episodes": "100",
    "exp_001/final_loss/seed1": "0.0421",
    "exp_001/against/exp_000/held_out/difference": "−14",
    "exp_001/against/exp_000/held_out/p": "p < 0.001",
    "exp_001/statement": "a & b_c: 5 % \\ “quoted” – done",
}
NUMBERS = PaperNumbers(
    experiment="exp_001",
    values=VALUES,
    conditions=("instructed", "held_out", "no_instruction"),
    rows=(
        Row("all tasks", (RATE, None, RATE)),
        Row("faucet_open & close", (RATE, RATE, RATE)),
        Row("button press topdown", (EVERY, EVERY, EVERY)),
    ),
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
    assert r"{faucet\_open \& close} & {93 [86, 97]} & {93 [86, 97]} & {93 [86, 97]} \\" in text
    assert r"{all tasks} & {93 [86, 97]} & {--} & {93 [86, 97]} \\" in text
    assert text.count("{") == text.count("}")


PAPER = rf"""\documentclass[twocolumn]{{article}}
\usepackage{{hyperref}}
\setlength{{\textwidth}}{{516pt}} % of a paper of IEEE's, in two columns
\setlength{{\oddsidemargin}}{{-0.5in}}
\input{{results.tex}}
\title{{We reach \vla{{{NAME}}}\,\%}}
\begin{{document}}
\maketitle
\tableofcontents
\section{{Of \vla{{{NAME}/episodes}} episodes \vla{{{NAME}/successes}} succeeded}}
Said: \vla{{exp_001/statement}}; \vla{{exp_001/against/exp_000/held_out/difference}} points,
\vla{{exp_001/against/exp_000/held_out/p}}.
\begin{{table}}
\centering\footnotesize
\caption{{A loss of \vla{{exp_001/final_loss/seed1}}.}}
\vlatable{{exp_001}}
\end{{table}}
\end{{document}}
"""


def compile_paper(folder, source: str) -> subprocess.CompletedProcess:
    if shutil.which("pdflatex") is None:
        pytest.skip("pdflatex is not installed: sh tools/system_packages.sh test")
    (folder / "results.tex").write_text(latex([NUMBERS]), encoding="utf-8")
    (folder / "paper.tex").write_text(source, encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-no-shell-escape", "paper.tex"]
    for _ in range(2):  # the second time with the table of contents
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
    return done


def test_latex_compiles_in_titles_captions_and_a_table_that_fits_a_column(tmp_path):
    done = compile_paper(tmp_path, PAPER)
    assert done.returncode == 0, done.stdout
    assert "Overfull" not in done.stdout
    shown = b"\n".join(text_of_pdf((tmp_path / "paper.pdf").read_bytes()))
    for text in (
        b"Wereach93%",
        b"Of100episodes93succeeded",
        b"Alossof0.0421.",
        b"14points,p<0.001.",
        b"buttonpresstopdown100[96,100]",
    ):
        assert text in shown.replace(b" ", b"")


def test_latex_stops_at_a_number_that_no_record_has(tmp_path):
    done = compile_paper(tmp_path, PAPER.replace(f"vla{{{NAME}}}", "vla{exp_001/other}"))
    assert done.returncode
    assert "! No record has the number exp_001/other" in done.stdout


def test_difference_to_a_baseline_is_a_number_under_every_condition():
    paired = PairedRates(
        **dict.fromkeys(("baseline", "candidate"), RATE),
        **dict.fromkeys(("both_succeed", "only_baseline", "only_candidate", "both_fail"), 1),
        pairs=100,
        p_value=0.0191,
        difference=-0.031,
        difference_low=-0.062,
        difference_high=0.004,
        by_task={},
        statement="",
    )
    names = ("exp_000", "exp_001")
    hidden = paired.model_copy(update={"p_value": 1e-9})
    record = ComparisonRecord(
        experiments=names,
        names=names,
        figure=NOWHERE,
        others={"no_instruction": hidden},
        **dict(paired),
    )
    values = comparison_numbers(record)
    assert values["against/exp_000/instructed/difference"] == "−3"
    assert values["against/exp_000/instructed/interval"] == "[−6, +0]"
    assert values["against/exp_000/instructed/p"] == "p = 0.019"
    assert values["against/exp_000/no_instruction/p"] == "p < 0.001"
    assert values["against/exp_000/no_instruction/pairs"] == "100"


def test_numbers_of_a_condition_have_its_tasks_spread_and_chains():
    chains = ChainRates(
        chains=50, in_a_row=(EVERY, RATE), average_length=1.9313, low=1.8, high=1.99
    )
    rates = ConditionRates(
        overall=RATE,
        by_task={"lift": EVERY},
        by_seed={},
        mean_over_seeds=0.93,
        spread_between_seeds=0.021,
        chains=chains,
    )
    values = condition_numbers("instructed", rates)
    expected = {
        "success_rate/instructed": "93",
        "success_rate/instructed/lift/interval": "[96, 100]",
        "spread/instructed": "2",
        "chains/instructed/count": "50",
        "chains/instructed/average_length": "1.93",
        "chains/instructed/average_length/interval": "[1.80, 1.99]",
        "chains/instructed/in_a_row_1": "100",
        "chains/instructed/in_a_row_2/high": "97",
    }
    assert expected.items() <= values.items()


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
