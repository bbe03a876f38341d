"""Every record is read as it was written, those of before too, and shows when it was changed."""

import json
from pathlib import Path

import pytest
from jsonschema import validate

from tests.project import ROOT
from tests.records import make_job, make_run_record
from tools import record_docs
from vla.errors import UserError
from vla.files.described import File
from vla.files.sealed import read_sealed, write_sealed
from vla.files.states import FileState
from vla.records.anonymity import AnonymityRecord
from vla.records.archives import ArchiveEntry
from vla.records.attempts import read_attempts
from vla.records.base import Record
from vla.records.check import CheckRecord
from vla.records.claims import ClaimsRecord
from vla.records.comparison import ComparisonRecord
from vla.records.crashes import Crash, CrashesRecord
from vla.records.evaluation import EvaluationRecord
from vla.records.events import read_events
from vla.records.figures import FiguresRecord
from vla.records.film import FilmedEpisode, FilmFiles, FilmRecord
from vla.records.halving import Candidate, HalvingRecord
from vla.records.kinds import RECORDS, record_model
from vla.records.manifest import Manifest
from vla.records.models import ModelsRecord
from vla.records.package import PackageRecord, SourceRecord
from vla.records.policy import PolicyDescription
from vla.records.prepared import ShardRecord
from vla.records.publication import PublicationRecord, View
from vla.records.rates import Rate
from vla.records.removals import RemovalEntry
from vla.records.reproduction import ReproductionRecord
from vla.records.run import RunRecord
from vla.records.rung import RungRecord
from vla.records.site import SiteRecord
from vla.records.snapshot import SnapshotRecord
from vla.records.summary import SummaryRecord
from vla.records.sweep import StoppedCombination, SweepRecord, SweptCombination, SweptRun
from vla.records.unsent import UnsentRecord
from vla.records.validation import ValidationRecord
from vla.records.verification import StoreVerification
from vla.records.weights import WeightsRecord

BEFORE = ROOT / "tests/data/records"  # as the project wrote them at version 1, with fewer packages
MANIFEST = ROOT / "data/metaworld-4tasks.manifest.json"


def records_of_before() -> list[Path]:
    return [*sorted(BEFORE.glob("*.json")), MANIFEST]


def sweep_records() -> list[Record]:
    rate = Rate(successes=1, episodes=2, crashes=0, rate=0.5, low=0.1, high=0.9)
    loss = {"validation_loss": float("inf")}  # of a run that diverged
    combination = SweptCombination(
        label="width=16",
        values={"model.fusion.width": 16, "training.betas": [0.9, 0.99]},
        runs=("seed1-k",),
        validation_spread=None,
        rate=rate,
        **loss,
    )
    rates = {"instructed": rate}
    run = {"run": "seed1-k", "combination": "width=16", "seed": 1, "training_loss": 0.5}
    file = File("sweep.csv", 1, "0" * 64)
    sweep = SweepRecord(
        experiment="e",
        parameters=("model.fusion.width", "training.betas"),
        chosen=combination,
        chosen_by="the lowest loss",
        validation="d",
        validation_content="f" * 64,
        combinations=(combination,),
        runs=(SweptRun(**run, **loss, rates=rates),),
        stopped=(
            StoppedCombination(
                label="width=32",
                values={"model.fusion.width": 32},
                runs=("seed1-l",),
                step=2,
                validation_loss=float("inf"),
                losses=(float("inf"),),
                rank=2,
                candidates=2,
            ),
        ),
        decisions=(file,),
        **dict.fromkeys(("table", "picture", "print"), file),
    )
    validation = ValidationRecord(
        **make_job(identity={}),
        run="k",
        policy_sha256="0" * 64,
        dataset="d",
        content="f" * 64,
        loss=0.25,
        samples=8,
    )
    rung = RungRecord(
        **make_job(identity={}),
        run="k",
        step=2,
        policy_sha256=None,
        dataset="d",
        content="f" * 64,
        loss=float("inf"),
        samples=0,
        diverged="Training went wrong.",
    )
    candidate = Candidate(
        label="width=16", runs=("seed1-k",), losses=(0.5,), loss=0.5, rank=1, goes_on=True
    )
    halving = HalvingRecord(
        experiment="e",
        step=2,
        last_step=6,
        keep=1,
        validation="d",
        candidates=(candidate,),
        measured=(file,),
    )
    return [sweep, validation, rung, halving]


def made_since() -> list[Record]:
    """Of the kinds that there were not at version 1."""
    film = FilmedEpisode(task="t", episode=3, outcome="failure", file=File("t.gif", 1, "0" * 64))
    job = make_job(run="k", evaluation="e", condition="instructed", identity={})
    job = {name: value for name, value in job.items() if name in FilmRecord.model_fields}
    view = View(original="results/a.md", bytes=1, modified_ns=2, sha256="0" * 64)
    return [
        FilmRecord(**job, films=(film,), files=FilmFiles()),
        *sweep_records(),
        CrashesRecord(crashes=[Crash(task="t", episode=0, seed=1, error="Traceback")]),
        PublicationRecord(views={"a.md": view}),
        *package_records(),
        ShardRecord(
            source="0" * 64,
            range=(0, 2, 30),
            pictures=File("pictures-00000.npy", 1, "0" * 64),
            columns=File("parts/00000.npz", 1, "0" * 64),
            seeds=(7,),
            episodes=[("0" * 64, {"frames": 30})],
        ),
        WeightsRecord(
            name="vit",
            source="somewhere",
            licence="MIT",
            content="0" * 64,
            files={"model.safetensors": FileState(1, 2, 3, 4)},
        ),
        SnapshotRecord(commit="0" * 40, dirty=("vla/words.py",), files={"vla/words.py": "0" * 64}),
        UnsentRecord(
            trackers=("mlflow",),
            **{"experiment": "e", "name": "seed1-k", "key": "k", "description": "why"},
            parameters={"training.num_steps": 6},
            tags={"vla.key": "k"},
            settings={"mlflow_uri": "http://host"},
            status="FINISHED",
            facts={"final_loss": 0.5},
        ),
        SiteRecord(complete=True, files={"index.html": "0" * 64}),
        AnonymityRecord(
            replaced=(
                {"kind": "host name", "values": 2, "stand_in": "anonymous-host", "files": 1},
            ),
            rewritten=("outputs/experiments/e/results/seed1-k/run.json",),
            resealed=("outputs/experiments/e/results/seed1-k/run.json",),
            left_out=(),
            searched=9,
        ),
        StoreVerification(prepared="0" * 64, files={"a.npy": FileState(1, 2, 3, 4)}),
    ]


def package_records() -> list[Record]:
    """Those of a package and of its reproduction."""
    evaluation = {"name": "instructed-e", "key": "e", "condition": "instructed", "film": "film-f"}
    run = {"name": "seed1-k", "key": "k", "seed": 1, "evaluations": [evaluation]}
    claim = {"name": "target", "says": "The target", "tolerance": 0.0}
    published = {"published": "met", "published_low": None, "published_high": None}
    reproduced = {"reproduced": "met", "reproduced_low": None, "reproduced_high": None}
    verdict = {"verdict": "identical", "why": "the same"}
    return [
        PackageRecord(
            title="t",
            version="1.0.0",
            commit="0" * 40,
            committed="2026-01-01T00:00:00+00:00",
            authors=[{"name": "Doe, Jo", "person": True}],
            licence="MIT",
            deployment="host",
            accelerator="cpu",
            weights=True,
            layout={"experiment": "e", "runs": [run], "documents": {"summary": "summary-s"}},
            datasets=(),
        ),
        SourceRecord(commit="0" * 40, files={"vla/words.py": "0" * 64}),
        ClaimsRecord(
            experiment="e",
            target=0.9,
            claims=[
                claim
                | {"kind": "verdict", "value": "met", "levels": ["retrain"], "command": "python"}
                | {"seconds": 1.0, "hardware": "EPYC", "source": "outputs/x"}
            ],
        ),
        ReproductionRecord(
            experiment="e",
            package="0" * 64,
            level="retrain",
            changed=(),
            time="2026-01-01T00:00:00+00:00",
            claims=[claim | published | reproduced | verdict],
            verdict="identical",
            differences={"machine": ("CPU EPYC → Xeon",)},
        ),
    ]


def records() -> list[Record]:
    """One of every kind."""
    return [*(record_model(path).read(path) for path in records_of_before()), *made_since()]


def test_there_is_an_example_of_every_kind():
    assert {type(record) for record in records()} == set(RECORDS.values())


@pytest.mark.parametrize("record", records(), ids=lambda record: record.KIND)
def test_record_is_read_as_it_was_written(record, tmp_path):
    record.write(tmp_path / "record.json")
    assert type(record).read(tmp_path / "record.json") == record


@pytest.mark.parametrize("record", records(), ids=lambda record: record.KIND)
def test_any_changed_byte_is_found(record, tmp_path):
    path = tmp_path / "record.json"
    record.write(path)
    whole = path.read_bytes()
    step = max(1, len(whole) // 300)
    for position in [*range(0, len(whole), step), *range(len(whole) - 80, len(whole))]:
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 1]) + whole[position + 1 :])
        with pytest.raises(UserError, match=r"record\.json"):
            type(record).read(path)


@pytest.mark.parametrize("path", records_of_before(), ids=lambda path: path.name)
def test_record_of_before_names_every_file_it_named(path):
    def listed(value: object) -> set[tuple]:
        if isinstance(value, dict):
            if {"path", "bytes", "sha256"} <= value.keys():
                return {(value["path"], value["bytes"], value["sha256"])}
            value = list(value.values())
        return set().union(*map(listed, value)) if isinstance(value, list) else set()

    content = json.loads(path.read_text())
    if path == MANIFEST:
        found = {(file.path, file.bytes, file.sha256) for file in Manifest.read(path).files}
    else:
        content.pop("policy", None)  # an evaluation's: made by its run
        files = record_model(path).read(path).all_files()
        found = {(file.path, file.bytes, file.sha256) for file in files}
    assert found == listed(content)


def test_run_of_before_keeps_its_facts():
    content, run = read_sealed(BEFORE / "run.json"), RunRecord.read(BEFORE / "run.json")
    assert run.files.policy.path.endswith("policy.safetensors")
    assert run.files.description.path.endswith("policy.json")
    assert run.files.metrics.path.endswith("metrics.csv")
    assert run.files.configuration.path.endswith("config.resolved.json")
    assert run.files.patch.path.endswith("uncommitted.patch")
    assert [a.outcome for a in run.attempts] == [a["how"] for a in content["attempts"]]
    assert [event.kind for event in run.events] == ["divergence"]
    (store,) = run.stores
    assert store == content["identity"]["data"]["store"] | {"share": 1.0}
    kept = run.model_dump(mode="json")
    assert kept["datasets"] == [content["dataset"]]
    for name in content.keys() - {"schema", "kind", "files", "attempts", "dataset"}:
        same = content[name]
        if name == "environment":
            same = same | {"name": None, "lock": None, "conda_packages": {}, "libc": None}
            same["torch"] = same["torch"] | {"libraries": {}}
        if name == "determinism":
            same = same | {"cpu_capability": None, "denormals": None}
        assert kept[name] == same, name


def test_evaluation_of_before_keeps_its_facts():
    content = read_sealed(BEFORE / "evaluation.json")
    evaluation = EvaluationRecord.read(BEFORE / "evaluation.json")
    assert evaluation.files.episodes.path.endswith("episodes.parquet")
    assert evaluation.policy_sha256 == content["policy"]["sha256"]
    (film,) = evaluation.films
    assert (film.task, film.episode, film.outcome) == ("button-press-topdown-v3", 0, "failure")
    for name in ("key", "condition", "run", "outcomes", "renderer", "identity", "started"):
        assert getattr(evaluation, name) == content[name]


def test_documents_of_before_keep_their_facts():
    summary = SummaryRecord.read(BEFORE / "summary.json")
    assert summary.conditions["instructed"].by_seed["2"].episodes == 2
    comparison = ComparisonRecord.read(BEFORE / "comparison.json")
    assert (comparison.experiments, comparison.pairs) == (("a", "b"), 2)
    figures = FiguresRecord.read(BEFORE / "figures.json")
    assert [figure.name for figure in figures.figures] == ["learning_curve", "success_by_task"]
    assert all(figure.picture.path.endswith(f"{figure.name}.svg") for figure in figures.figures)
    models = ModelsRecord.read(BEFORE / "models.json")
    assert models.version == "1.0.0", "of the models, not of the record"
    assert models.recipe.data["contents"] == [dataset.content for dataset in models.datasets]
    assert [policy.weights.name for policy in models.policies] == ["policy.safetensors"] * 2
    assert CheckRecord.read(BEFORE / "check.json").checks[5].status == "warn"
    policy = PolicyDescription.read(BEFORE / "policy.json")
    assert policy.tasks[0].held_out == ("turn the tap handle on",)


def test_ledgers_of_before_keep_their_facts(tmp_path):
    attempts = read_attempts(BEFORE / "attempts.jsonl", tmp_path / "none")
    assert [a.outcome.partition(":")[0] for a in attempts] == ["stopped", "finished"]
    assert [event.step for event in read_events(BEFORE / "events.jsonl")] == [1]
    line = {"time": "t", "folder": "f", "files": ["a"], "bytes": 1, "why": "w"}
    (tmp_path / "removed.jsonl").write_text(json.dumps(line) + "\n")
    (entry,) = RemovalEntry.read_all(tmp_path / "removed.jsonl")
    assert entry.model_dump(mode="json") == line


def test_ledger_keeps_its_entries_though_the_last_line_was_cut_off(tmp_path):
    values = {"time": "t", "experiment": "e", "version": "1.0.0", "pointer": "p.dvc"}
    entry = ArchiveEntry(**values, bytes=1, files=2, remote=None)
    ledger = tmp_path / "archives.jsonl"
    entry.append_to(ledger)
    entry.append_to(ledger)
    ledger.write_text(ledger.read_text() + '{"time')
    assert ArchiveEntry.read_all(ledger) == (entry, entry)
    ledger.write_text('{"time\n' + ledger.read_text())
    with pytest.raises(UserError, match=r"archives\.jsonl, line 1 is damaged"):
        ArchiveEntry.read_all(ledger)


def test_newer_record_is_refused(tmp_path):
    path = tmp_path / "run.json"
    write_sealed(path, {"record": "training", "schema": 99})
    with pytest.raises(UserError, match=r"run\.json has schema 99; this code knows it up to \d"):
        RunRecord.read(path)


def test_record_of_another_kind_is_refused(tmp_path):
    make_run_record().write(tmp_path / "evaluation.json")
    with pytest.raises(UserError, match="is a record of training, not of evaluation"):
        EvaluationRecord.read(tmp_path / "evaluation.json")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"sead": 2}, "sead: unknown field; did you mean 'seed'?"),
        ({"seed": "one"}, "seed: input should be a valid integer"),
        ({"git": {"commit": None}}, "git.dirty: missing"),
        ({"schema": "two"}, "states no version"),
        ({"schema": 1, "record": None}, "cannot be read as schema 1"),
        ({"files": {"policy": {"path": "p", "bytes": 1, "sha256": "0", "md5": "0"}}}, "md5"),
    ],
)
def test_what_does_not_fit_is_named_with_its_file(tmp_path, change, words):
    path = tmp_path / "run.json"
    make_run_record().write(path)
    content = read_sealed(path) | change
    write_sealed(path, {name: value for name, value in content.items() if value is not None})
    with pytest.raises(UserError) as caught:
        RunRecord.read(path)
    assert words in caught.value.problem
    assert str(path) in caught.value.problem
    assert caught.value.way_out


def test_seal_cannot_be_left_out_where_earlier_versions_had_none(tmp_path):
    path = tmp_path / "policy.json"
    PolicyDescription.read(BEFORE / "policy.json").write(path)
    content = read_sealed(path)
    path.write_text(json.dumps(content))
    with pytest.raises(UserError, match="is damaged"):
        PolicyDescription.read(path)


def test_numbers_that_json_does_not_know_are_kept(tmp_path):
    path = tmp_path / "run.json"
    make_run_record(final_loss=float("inf")).write(path)
    assert RunRecord.read(path).final_loss == float("inf")


def test_files_are_relative_to_a_folder_that_the_record_knows():
    path = Path("/p/experiments/e/results/seed1-k/instructed-e/evaluation.json")
    assert EvaluationRecord.folder_of(path) == Path("/p/experiments/e")
    assert RunRecord.folder_of(path.parents[1] / "run.json") == Path("/p/experiments/e")
    assert RunRecord.folder_of(Path("/run.json")) == Path("/")


def test_documentation_and_schemas_are_those_of_the_models():
    """`make config-docs` writes them."""
    assert (ROOT / "docs/records.md").read_text() == record_docs.document()
    folder = ROOT / "config/schemas/records"
    assert {path.name: path.read_text() for path in folder.iterdir()} == record_docs.schemas()


@pytest.mark.parametrize("record", records(), ids=lambda record: record.KIND)
def test_record_as_it_is_written_fits_its_schema(record, tmp_path):
    record.write(tmp_path / "record.json")
    schema = json.loads(record_docs.schemas()[f"{record.KIND.replace(' ', '-')}.schema.json"])
    validate(json.loads((tmp_path / "record.json").read_text()), schema)
