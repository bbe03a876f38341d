"""Again in each job: what decides its result is committed, however long ago the check was."""

from pathlib import Path
from typing import Any

import yaml

from vla.errors import UserError
from vla.records.circumstances import GitState
from vla.source.git import committed_text


def require_committed(git: GitState, code: dict[str, str], experiment: str, root: Path) -> None:
    """`UserError` when a file that decides the result is not as it was committed.

    `code`: by path, as in a key's identity. What decides nothing, a
    note that is being written or the next experiment, may be uncommitted meanwhile.
    """
    config, script = (f"experiments/{experiment}/{name}" for name in ("config.yaml", "train.py"))
    deciding = {*code, script}
    uncommitted = [path for path in git.dirty if path in deciding]
    if config in git.dirty and _settings((root / config).read_text()) != _settings(
        committed_text(root, config)
    ):
        uncommitted.append(config)
    if uncommitted:
        raise UserError(
            f"{', '.join(uncommitted)}: uncommitted, though the result depends on it.",
            "git commit it; or set allow_dirty: true in config/config.yaml, and the record keeps a "
            "patch. Then run snakemake again.",
        )


def _settings(text: str | None) -> dict[str, Any] | None:
    """Without what is written for people: hypothesis, outcome, findings."""
    if text is None:
        return None
    config = yaml.safe_load(text)
    return config | {"experiment": config["experiment"].get("seed")}
