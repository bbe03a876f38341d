"""A package in the hands of a stranger, who evaluates its policy, or trains with another seed."""

import shutil
import subprocess

from tests.packages import RATES, run, verdicts
from vla.package.writing import PackedFile, with_sums, write_archive
from vla.records.circumstances import GitState
from vla.records.claims import ClaimsRecord
from vla.records.evaluation import EvaluationRecord
from vla.records.package import PackageRecord


def test_shipped_policy_does_the_same_again(archive, tmp_path):
    """By `vla`, from the archive, in a folder that lies in somebody else's repository."""
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    shutil.copy(archive, tmp_path / "b.zip")
    code, printed = run(
        tmp_path, "-m", "vla", "reproduce", "b.zip", "--here", "--level", "evaluate"
    )
    assert code == 0, printed
    work = tmp_path / "b.reproduction"
    found = verdicts(work, "evaluate")
    assert {name for name, verdict in found.items() if verdict == "identical"} == RATES
    record = next((work / "evaluate").glob("experiments/b/results/seed1-*/*/evaluation.json"))
    published = work / "package/outputs" / record.relative_to(work / "evaluate")
    assert published.is_file()  # the same key: code, software and policy
    write_archive(with_sums({"README.md": PackedFile(b"another")}), tmp_path / "b.zip")
    code, printed = run(tmp_path, "-m", "vla", "reproduce", "b.zip")
    assert code == 1 and "holds another package" in printed
    packed = PackageRecord.read(work / "package/package.json")
    assert EvaluationRecord.read(record).git == GitState(commit=packed.commit, dirty=())
    for claim in ClaimsRecord.read(work / "package/claims.json").claims:
        assert (work / "package" / claim.source).is_file()


def test_other_seed_does_not_reproduce_it_and_is_said_to_explain_it(package):
    changed = ("--set", "experiment.seed=7", "--set", "training.num_steps=3")
    code, printed = run(package, "reproduce.py", "--here", "--level", "retrain", *changed)
    assert code == 12, printed
    assert verdicts(package / "reproduction", "retrain")["policy/seed1"] == "not reproduced"
    assert "No policy was trained with seed 1" in printed
    assert "seed 1 → 7" in printed
    assert "training.num_steps 6 → 3" in printed
