"""Long work tells how far it is: a bar for people at a terminal, plain lines in logs."""

import os
import pty
import subprocess
import sys

CODE = """
from types import SimpleNamespace
from vla.workflow.job import start_job
from vla.process.progress import Progress

context = {"root": ".", "command": "", "use_conda": False, "accelerator": "cpu"}
snakemake = SimpleNamespace(
    log=["job.log"], config={"context": context}, rule="train", resources={}, wildcards={}
)
with start_job(snakemake, "exp seed1"):
    progress = Progress("train", 4, "step", interval=0)
    for _ in range(2):
        progress.update(loss=0.25)
"""


def test_bar_on_a_terminal_and_plain_lines_in_the_log(tmp_path):
    terminal, end = pty.openpty()
    subprocess.run([sys.executable, "-c", CODE], stderr=end, cwd=tmp_path, check=True)
    os.close(end)
    shown = os.read(terminal, 65536).decode()
    assert "[exp seed1] ━━━━━╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌  25 % train: step 1/4" in shown
    assert "[exp seed1] ━━━━━━━━━━╌╌╌╌╌╌╌╌╌╌  50 % train: step 2/4" in shown
    log = (tmp_path / "job.log").read_text()
    assert "train: step 2/4" in log
    assert "loss 0.25" in log
    assert "━" not in log


def test_no_bar_where_no_terminal_is(tmp_path):
    finished = subprocess.run(
        [sys.executable, "-c", CODE], capture_output=True, text=True, cwd=tmp_path, check=True
    )
    assert "[exp seed1] train: step 1/4" in finished.stderr
    assert "━" not in finished.stderr
