"""The life of a package: packed here, reproduced in an empty folder without Git by who knows nothing."""

import json
import zipfile
from dataclasses import replace

import pytest

from tests.packages import FIGURES, RATES, build, run, verdicts
from tests.project import SECRET
from tools.crate_contexts import documents
from vla.errors import UserError
from vla.files.hashing import sha256_file
from vla.package.anonymous import Wish
from vla.package.building import Options
from vla.package.checking import SUMS
from vla.package.numbers import paper_numbers
from vla.package.releasing import release
from vla.package.reproducing import Request, reproduce
from vla.package.results import Results, layout_of
from vla.package.writing import PackedFile, with_sums
from vla.plan.deployment import Deployment
from vla.plan.plan import Plan
from vla.records.anonymity import AnonymityRecord
from vla.records.run import RunRecord

pytestmark = pytest.mark.xdist_group("chain")


def test_same_results_give_the_same_bytes_anywhere(archive, finished, tmp_path):
    again = build(finished.copy(tmp_path / "elsewhere"))
    assert again.path.read_bytes() == archive.read_bytes()


def test_package_is_checked_by_bare_python_and_a_changed_byte_is_found(package):
    code, printed = run(package, "-S", "reproduce.py")
    assert (code, printed[:6]) == (0, "Intact")
    assert not list(package.rglob("__pycache__"))
    code, printed = run(package, "-S", "reproduce.py", "--level", "figures", "--work", "again")
    assert (code, (package / "again").exists()) == (1, False)
    assert "again lies in the package" in printed
    episodes = next(package.rglob("episodes.parquet"))
    episodes.write_bytes(episodes.read_bytes()[:-1] + b"?")
    code, printed = run(package, "-S", "reproduce.py", "--level", "retrain", "--here")
    assert code == 1
    assert f"{episodes.name} has other bytes" in printed
    assert not (package / "reproduction").exists()


def test_figures_and_rates_come_out_identical_from_what_is_shipped(package):
    code, printed = run(package, "reproduce.py", "--here", "--level", "figures")
    assert code == 0, printed
    found = verdicts(package / "reproduction", "figures")
    assert {name for name, verdict in found.items() if verdict == "identical"} == RATES | FIGURES
    assert found["policy/seed1"] == "not tested"


def test_record_that_names_files_outside_is_refused(package, tmp_path):
    """All hashes are right: whoever packed it meant it."""
    (run_json,) = package.glob("outputs/experiments/b/results/seed1-*/run.json")
    run = RunRecord.read(run_json)
    evil = replace(run.files.policy, path="../../../../../evil.safetensors")
    files = run.files.model_copy(update={"policy": evil})
    run.model_copy(update={"files": files}).write(run_json)
    names = [p.relative_to(package).as_posix() for p in package.rglob("*") if p.is_file()]
    content = {name: PackedFile((package / name).read_bytes()) for name in names if name != SUMS}
    (package / SUMS).write_bytes(with_sums(content)[SUMS].content)
    for level in ("check", "evaluate"):
        with pytest.raises(UserError, match=r"names '\.\./\.\./\.\./\.\./\.\./evil"):
            reproduce(package, Request(level, tmp_path / "work", here=True), print)
    assert not (tmp_path / "work").exists()


def test_unfinished_experiment_is_refused(finished, tmp_path):
    project = finished.copy(tmp_path / "project")
    project.change("b", "training", num_steps=7)
    project.commit()
    with pytest.raises(UserError, match="not finished"):
        build(project)


def test_uncommitted_code_is_refused(finished, tmp_path):
    project = finished.copy(tmp_path / "project")
    (project.root / "vla/words.py").write_text((project.root / "vla/words.py").read_text() + "# x")
    with pytest.raises(UserError, match=r"Uncommitted: vla/words\.py"):
        build(project)


def test_output_that_changed_is_refused(finished, tmp_path):
    project = finished.copy(tmp_path / "project")
    policy = project.one("experiments/b/checkpoints/*/policy.safetensors")
    content = policy.read_bytes()
    policy.unlink()
    policy.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(UserError, match="has changed since it was recorded"):
        build(project)


def test_secret_in_a_log_is_refused_and_not_shown(finished, tmp_path, monkeypatch):
    monkeypatch.setenv("WANDB_API_KEY", SECRET)
    project = finished.copy(tmp_path / "project")
    log = project.one("experiments/b/logs/seed1-*/train.log")
    log.write_text(f"key {SECRET}\n")
    with pytest.raises(
        UserError, match=r"train\.log: holds the value of \$WANDB_API_KEY"
    ) as refusal:
        build(project)
    assert SECRET not in str(refusal.value)


def test_without_weights_their_hash_is_packed_and_evaluation_says_so(finished, tmp_path):
    archive = build(finished.copy(tmp_path / "project"), Options(weights=False)).path
    with zipfile.ZipFile(archive) as content:
        assert not [name for name in content.namelist() if name.endswith(".safetensors")]
    code, printed = run(
        tmp_path, "-m", "vla", "reproduce", str(archive), "--here", "--level", "evaluate"
    )
    assert code == 1
    assert "policy.safetensors: only its hash" in printed


CITATION = """\
cff-version: 1.2.0
message: Cite it.
title: Policies
authors:
  - family-names: Quillfeather
    given-names: Zoë
    orcid: https://orcid.org/0000-0002-1825-0097
    affiliation: Institute of Owls
repository-code: https://github.com/quillfeather/owls
"""


def test_anonymous_package_tells_nobody_and_is_reproduced_all_the_same(finished, tmp_path):
    project = finished.copy(tmp_path / "project")
    (project.root / "CITATION.cff").write_text(CITATION, encoding="utf-8")
    (project.root / "docs/team.md").write_text("The NightOwls, led by Zoë Quillfeather.\n", "utf-8")
    project.git("remote", "add", "origin", "git@github.com:quillfeather/owls.git")
    log = project.one("experiments/b/logs/seed1-*/train.log")
    log.write_text(f"{log.read_text()}started by zoe@owls.example in {project.root}\n")
    project.git("add", "-A")
    author = ("-c", "user.name=Zoe Quillfeather", "-c", "user.email=zoe@owls.example")
    project.git(*author, "commit", "-q", "-m", "team")
    packed = build(project, Options(anonymous=Wish(hide=("NightOwls",))))
    package = tmp_path / "package"
    with zipfile.ZipFile(packed.path) as content:
        content.extractall(package)
    everything = b"".join(p.read_bytes() for p in package.rglob("*") if p.is_file())
    commits = project.git("log", "--format=%H").split()
    for telling in ("quillfeather", "NightOwl", "0000-0002-1825-0097", str(project.root), *commits):
        assert telling.encode() not in everything
    told = AnonymityRecord.read(package / "anonymous.json")
    kinds = {replaced.kind: replaced.files for replaced in told.replaced}
    assert kinds["project folder"] == kinds["e-mail address"] == kinds["further word"] == 1
    assert any(name.endswith("/run.json") for name in told.resealed)
    code, printed = run(package, "-S", "reproduce.py")
    assert (code, printed[:6]) == (0, "Intact")
    code, printed = run(package, "reproduce.py", "--here", "--level", "figures")
    assert code == 0, printed
    found = verdicts(package / "reproduction", "figures")
    assert {name for name, verdict in found.items() if verdict == "identical"} == RATES | FIGURES


def test_terms_of_the_crate_are_those_of_the_contexts_that_the_validator_is_given(package):
    graph = json.loads((package / "ro-crate-metadata.json").read_text())["@graph"]
    crate, runs = (content["@context"] for content in documents().values())
    used = {name for entity in graph for name in entity} - {"@id", "@type"}
    for entity in graph:
        kinds = entity["@type"]
        used |= set(kinds if isinstance(kinds, list) else [kinds])
    assert used <= crate.keys() | runs.keys()
    assert "resourceUsage" in used & runs.keys(), "what the context of RO-Crate alone has not"


def test_numbers_of_a_paper_are_those_of_the_records(finished):
    plan = Plan(finished.root, {"experiments": ["a"]}, Deployment(False, "cpu"))
    results = Results(finished.root, layout_of(plan.find_experiment("a")))
    values = paper_numbers(results).values
    assert values["a/seeds"] == "2"
    assert values["a/success_rate/instructed/episodes"] == "4"
    assert values["a/final_loss/seed1"] == f"{results.runs[1].final_loss:.4g}"


def test_release_tags_code_data_models_and_package_as_one(finished, tmp_path, monkeypatch):
    for name in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{name}_NAME", "t")
        monkeypatch.setenv(f"GIT_{name}_EMAIL", "t@example.org")
    project = finished.copy(tmp_path / "project")
    plan = Plan(project.root, {"experiments": ["b"]}, Deployment(False, "cpu"))
    experiment = plan.find_experiment("b")
    tag, package = release(plan, experiment, "1.2.0")
    text = project.git("tag", "--list", "--format=%(contents)", tag)
    policy = project.one("experiments/b/checkpoints/*/policy.safetensors")
    assert f"package sha256:{package.sha256}\n" in text
    assert f"policy seed1 sha256:{sha256_file(policy)}\n" in text
    assert "dataset metaworld-4tasks 2.0.0 content:4a401c4e7c62" in text
    with pytest.raises(UserError, match=r"b-v1\.2\.0 exists"):
        release(plan, experiment, "1.2.0")
    data = next(project.root.glob("data/metaworld-4tasks/meta/*.json"))
    data.write_text("changed")
    with pytest.raises(UserError, match="not those that were verified"):
        release(plan, experiment, "1.2.1")
    assert project.git("tag").split() == [tag]
