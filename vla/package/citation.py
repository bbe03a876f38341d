"""How a package is cited: CITATION.cff (1.2.0), and what Zenodo asks for at deposit."""

import json
from pathlib import Path
from typing import Any

import yaml

from vla.errors import UserError
from vla.files.yaml import read_yaml
from vla.records.package import Author, PackageRecord

KEYWORDS = ("robot learning", "vision-language-action", "reproducibility")


def read_citation(root: Path) -> dict[str, Any]:
    """The project's CITATION.cff; `UserError` without authors."""
    content = read_yaml(root / "CITATION.cff")
    if not content.get("authors"):
        raise UserError(f"{root / 'CITATION.cff'} names no authors.", "Name them there.")
    return content


def authors(citation: dict[str, Any]) -> tuple[Author, ...]:
    return tuple(
        Author(
            name=_name(author),
            person="family-names" in author,
            orcid=author.get("orcid"),
            affiliation=author.get("affiliation"),
            website=author.get("website"),
        )
        for author in citation["authors"]
    )


def _name(author: dict[str, str]) -> str:
    """'Family, Given' of a person, the name of another."""
    parts = [author[part] for part in ("family-names", "given-names") if part in author]
    return ", ".join(parts) or author.get("name") or author["alias"]


def citation_cff(citation: dict[str, Any], record: PackageRecord) -> str:
    """CITATION.cff of the package: the project's authors and identifiers, the experiment's title."""
    kept = ("authors", "doi", "identifiers", "repository-code", "url")
    content = {
        "cff-version": "1.2.0",
        "message": "If you use these results, please cite them.",
        "title": _title(record),
        "type": "dataset",
        **{name: citation[name] for name in kept if name in citation},
        "version": record.version,
        "commit": record.commit,
        "date-released": record.committed[:10],
        "keywords": list(KEYWORDS),
    }
    content |= {"license": record.licence} if record.licence else {}
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True)


def zenodo_json(record: PackageRecord, description: str) -> str:
    """Metadata of a deposit at Zenodo."""
    content = {
        "title": _title(record),
        "upload_type": "dataset",
        "description": description or record.title,
        "creators": [
            {"name": author.name}
            | ({"orcid": author.orcid.rsplit("/", 1)[-1]} if author.orcid else {})
            | ({"affiliation": author.affiliation} if author.affiliation else {})
            for author in record.authors
        ],
        "version": record.version,
        "publication_date": record.committed[:10],
        "access_right": "open",
        "keywords": list(KEYWORDS),
    }
    content |= {"license": record.licence.lower()} if record.licence else {}
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _title(record: PackageRecord) -> str:
    return f"Reproduction package: {record.title}"
