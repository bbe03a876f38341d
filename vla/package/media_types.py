"""Media types of the files of a package (RFC 6838)."""

from pathlib import PurePosixPath

MEDIA_TYPES = {  # by ending, or by the name of a file that has none
    "LICENSE": "text/plain",
    "Snakefile": "text/x-python",
    ".cff": "application/yaml",
    ".csv": "text/csv",
    ".gif": "image/gif",
    ".html": "text/html",
    ".json": "application/json",
    ".jsonl": "application/jsonl",
    ".log": "text/plain",
    ".md": "text/markdown",
    ".pdf": "application/pdf",
    ".parquet": "application/vnd.apache.parquet",
    ".py": "text/x-python",
    ".safetensors": "application/octet-stream",
    ".svg": "image/svg+xml",
    ".tex": "application/x-tex",
    ".typ": "text/plain",
    ".tsv": "text/tab-separated-values",
    ".yaml": "application/yaml",
}


def media_type(name: str) -> str | None:
    """Of a file by that name; None where there is none for it."""
    path = PurePosixPath(name)
    return MEDIA_TYPES.get(path.suffix or path.name)
