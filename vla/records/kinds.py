"""All kinds of records, and where each lies."""

from pathlib import Path

from vla.errors import UserError
from vla.records.anonymity import AnonymityRecord
from vla.records.archives import ArchiveEntry
from vla.records.attempts import Attempt
from vla.records.base import Record
from vla.records.check import CheckRecord
from vla.records.checkpoint import CheckpointRecord
from vla.records.claims import ClaimsRecord
from vla.records.comparison import ComparisonRecord
from vla.records.crashes import CrashesRecord
from vla.records.evaluation import EvaluationRecord
from vla.records.events import Event
from vla.records.fetch import FetchRecord
from vla.records.figures import FiguresRecord
from vla.records.film import FilmRecord
from vla.records.halving import HalvingRecord
from vla.records.manifest import Manifest
from vla.records.models import ModelsRecord
from vla.records.package import PackageRecord, SourceRecord
from vla.records.part import Part
from vla.records.policy import PolicyDescription
from vla.records.prepared import PreparedRecord, ShardRecord
from vla.records.publication import PublicationRecord
from vla.records.removals import RemovalEntry
from vla.records.reproduction import ReproductionRecord
from vla.records.run import RunRecord
from vla.records.rung import RungRecord
from vla.records.site import SiteRecord
from vla.records.snapshot import SnapshotRecord
from vla.records.summary import SummaryRecord
from vla.records.sweep import SweepRecord
from vla.records.unsent import UnsentRecord
from vla.records.validation import ValidationRecord
from vla.records.verification import StoreVerification, VerificationRecord
from vla.records.weights import WeightsRecord

RECORDS: dict[str, type[Record]] = {
    "data/*.manifest.json": Manifest,
    "data/.state/*/*.fetched.json": FetchRecord,
    "data/.state/*/*.verified.json": VerificationRecord,
    "data/.prepared/*/prepared.json": PreparedRecord,
    "data/.prepared/*/parts/*.json": ShardRecord,
    "data/.prepared/*/verified.json": StoreVerification,
    "weights/.state/*/*.fetched.json": FetchRecord,
    "weights/.state/*/*.weights.json": WeightsRecord,
    "experiments/*/results/*/check.json": CheckRecord,
    "experiments/*/results/*/run.json": RunRecord,
    "experiments/*/results/*/*/evaluation.json": EvaluationRecord,
    "experiments/*/results/*/*/crashes.json": CrashesRecord,
    "experiments/*/results/*/*/film-*/film.json": FilmRecord,
    "experiments/*/results/*/validation-*/validation.json": ValidationRecord,
    "experiments/*/results/*/rung-*/rung.json": RungRecord,
    "experiments/*/results/*/halving.json": HalvingRecord,
    "experiments/*/results/*/sweep.json": SweepRecord,
    "experiments/*/results/*/summary.json": SummaryRecord,
    "experiments/*/results/*/figures.json": FiguresRecord,
    "experiments/*/results/*/models.json": ModelsRecord,
    "experiments/*/logs/*/unsent.json": UnsentRecord,
    "experiments/*/checkpoints/*/step_*.json": CheckpointRecord,
    "experiments/*/checkpoints/*/policy.json": PolicyDescription,
    "results/*/comparison.json": ComparisonRecord,
    "results/.published/*.json": PublicationRecord,
    ".snapshots/*/snapshot.json": SnapshotRecord,
    "PACKAGE/package.json": PackageRecord,
    "PACKAGE/claims.json": ClaimsRecord,
    "PACKAGE/anonymous.json": AnonymityRecord,
    "PACKAGE/source/packed-source.json": SourceRecord,
    "REPRODUCTION/reproduction-*.json": ReproductionRecord,
    "SITE/site.json": SiteRecord,
}
"""Pattern of the path, from the project's root -> model."""

LEDGERS: dict[str, type[Part]] = {
    "experiments/*/logs/*/attempts.jsonl": Attempt,
    "experiments/*/logs/*/events.jsonl": Event,
    "experiments/*/archive/archives.jsonl": ArchiveEntry,
    "results/removed.jsonl": RemovalEntry,
}
"""Files of one line an entry."""


def record_model(path: Path) -> type[Record]:
    """The model of a record, by the names of its file and folder; `UserError` for other files."""
    for pattern, model in RECORDS.items():
        if path.match("/".join(pattern.split("/")[-2:])):
            return model
    raise UserError(f"{path} is no record.", "docs/records.md names all records.")
