"""Build a package of a finished experiment: one archive, the same bytes whenever it is built."""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vla.errors import UserError
from vla.files.hashing import sha256_file
from vla.package.actions import list_actions
from vla.package.anonymous import RECORD as ANONYMITY
from vla.package.anonymous import Veil, Wish
from vla.package.citation import authors, citation_cff, read_citation, zenodo_json
from vla.package.claims import list_claims
from vla.package.contents import data_files, output_files, require_committed, source_files
from vla.package.crate import METADATA, crate_metadata
from vla.package.numbers import paper_numbers
from vla.package.project import OUTPUTS, SOURCE, published
from vla.package.results import Results, layout_of
from vla.package.secrets import require_no_secrets
from vla.package.texts import package_texts
from vla.package.typesetting import latex, typst
from vla.package.writing import (
    Files,
    PackedFile,
    packed_record,
    packed_text,
    with_sums,
    write_archive,
)
from vla.plan.items import Experiment
from vla.plan.plan import Plan
from vla.records.models import ModelsRecord
from vla.records.package import PackageRecord
from vla.source.tracked import commit_time

FOLDER = "results/packages"
REPRODUCE = '''"""Check this package, and reproduce what it claims: python reproduce.py --help"""

import sys
from pathlib import Path

sys.dont_write_bytecode = True  # the package stays as it was packed
if sys.version_info < (3, 11):
    sys.exit("Python 3.11 or newer is needed: start this with python3.11, 3.12 or 3.13.")
PACKAGE = Path(__file__).resolve().parent
sys.path.insert(0, str(PACKAGE / "source"))

from vla.package.standalone import main  # noqa: E402

main(PACKAGE)
'''


@dataclass(frozen=True)
class Options:
    """`data`: pack datasets of any size; `weights`: pack the trained policies; `anonymous`: tell nobody
    who made it."""

    data: bool = False
    weights: bool = True
    anonymous: Wish | None = None


@dataclass(frozen=True)
class Package:
    """A package that was built."""

    path: Path
    sha256: str
    files: int
    record: PackageRecord
    not_searched: tuple[str, ...] = ()
    """Of an anonymous one: names that are too short or too common to be looked for."""


def build_package(plan: Plan, experiment: Experiment, options: Options) -> Package:
    """Write `results/packages/<experiment>-<version>.zip`.

    `UserError` when code is uncommitted, the experiment is not finished, a file is not as its record
    says, or a secret would be packed.
    """
    if "sweep" in experiment.documents:
        raise UserError(
            f"{experiment.name} is a sweep: a package would claim the chosen combination alone, and ask for every run.",
            "Write the chosen values into config.yaml in place of the sweep: its runs are found again, and "
            "can be packed (docs/sweeps.md).",
        )
    place = plan.root / FOLDER
    place.mkdir(parents=True, exist_ok=True)
    # Beside the package, whose disk has room for what is packed; /tmp may lie in memory.
    with tempfile.TemporaryDirectory(prefix=".", suffix=".part", dir=place) as folder:
        return _build(plan, experiment, options, Path(folder))


def _build(plan: Plan, experiment: Experiment, options: Options, work: Path) -> Package:
    """`work`: an empty folder, of which nothing is kept."""
    root = plan.root
    commit = require_committed(root)
    source = source_files(root, commit, work / SOURCE)
    outputs = output_files(plan, experiment, options.weights)
    data, datasets = data_files(plan, experiment, options.data, source)
    citation = read_citation(root)
    models = ModelsRecord.read(experiment.document("models", "models.json"))
    about = experiment.config.experiment
    record = PackageRecord(
        title=about.title or about.name,
        version=models.version,
        commit=commit,
        committed=commit_time(root),
        deployment="conda" if plan.deployment.use_conda else "host",
        accelerator=experiment.accelerator,
        weights=options.weights,
        layout=layout_of(experiment),
        datasets=datasets,
        licence=models.licence or citation.get("license", ""),
        authors=authors(citation),
        repository=citation.get("repository-code", ""),
    )
    files = source | outputs | data
    veil = None
    if options.anonymous:
        veil = Veil(root, files, citation, options.anonymous, work / "anonymous")
        files, citation, record = veil.files(files), veil.citation, veil.package_record(record)
    # As a stranger will read them: from what is packed.
    results = _lay_out(files, record, work)
    described = _described(experiment, record, citation, results, bool(veil))
    files |= veil.texts(described) if veil else described
    if veil:
        files[ANONYMITY] = veil.described(files)
    files[METADATA] = packed_text(crate_metadata(files, list_actions(results, record), record))
    require_no_secrets((name, file.blocks()) for name, file in files.items())
    whole = with_sums(files)
    if veil:
        veil.require(whole)
    name = f"{experiment.name}-{record.version}{'-anonymous' if veil else ''}.zip"
    path = root / FOLDER / name
    write_archive(whole, path)
    not_searched = veil.not_searched if veil else ()
    return Package(path, sha256_file(path), len(whole), record, not_searched)


def _described(
    experiment: Experiment,
    record: PackageRecord,
    citation: dict[str, Any],
    results: Results,
    anonymous: bool,
) -> dict[str, PackedFile]:
    """What the package says of itself: claims, citation, texts, numbers for papers."""
    about = experiment.config.experiment
    licence = experiment.root / "LICENSE"
    if not licence.is_file():
        raise UserError(f"{licence} is missing.", "State under which licence others may use it.")
    claims = list_claims(results, about.targets.success_rate, about.outcome.findings)
    numbers = paper_numbers(results)
    texts = package_texts(experiment, record, results, claims, anonymous)
    return {
        "package.json": packed_record(record),
        "claims.json": packed_record(claims),
        "reproduce.py": packed_text(REPRODUCE),
        "LICENSE": PackedFile(licence.read_bytes()),
        "CITATION.cff": packed_text(citation_cff(citation, record)),
        ".zenodo.json": packed_text(zenodo_json(record, about.description)),
        "paper/results.tex": packed_text(latex([numbers])),
        "paper/results.typ": packed_text(typst([numbers])),
        **{name: packed_text(text) for name, text in texts.items()},
    }


def _lay_out(files: Files, record: PackageRecord, folder: Path) -> Results:
    """The results as they lie in the package, by links."""
    for name, file in files.items():
        if not name.startswith(f"{OUTPUTS}/"):
            continue
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(file.content)
    return published(folder, record)
