"""`evaluation.json`: one condition's episodes of one trained policy."""

from pathlib import PurePosixPath

from vla.files.described import File
from vla.records.base import Content, named_files
from vla.records.circumstances import Determinism, JobRecord
from vla.records.film import FilmedEpisode
from vla.records.part import Part


class EvaluationFiles(Part):
    """What an evaluation gave."""

    episodes: File
    """`episodes.parquet`: one row an episode, what was planned and what came of it."""
    crashes: File | None = None
    """`crashes.json`: texts of the errors of episodes that crashed; null without any."""
    patch: File | None = None
    """`uncommitted.patch`: brings uncommitted code back on the commit; null without any."""


def _named(content: Content) -> Content:
    """Version 1 listed files, filmed episodes among them, and named the policy as a file."""
    content = {name: value for name, value in content.items() if name != "kind"}
    films = []
    for file in content["files"]:
        path = PurePosixPath(file["path"])
        if path.suffix == ".gif":
            task, episode, outcome = path.stem.rsplit("-", 2)
            film = {"task": task, "episode": int(episode), "outcome": outcome, "file": file}
            films.append(film)
    listed = {"episodes": "episodes.parquet", "patch": "uncommitted.patch"}
    content |= {"films": films, "files": named_files(content, listed)}
    content["policy_sha256"] = content.pop("policy")["sha256"]
    return content


class EvaluationRecord(JobRecord):
    """One condition's episodes of one trained policy, in simulation."""

    KIND = "evaluation"
    VERSION = 2
    UPGRADES = (_named,)
    LEVELS = 3

    condition: str
    """`instructed`, `held_out` or `no_instruction`."""
    run: str
    """Key of the run whose policy was evaluated."""
    policy_sha256: str
    """SHA-256 of the weights that acted."""
    device: str
    """PyTorch's name of it, such as `cuda:0`."""
    determinism: Determinism
    renderer: dict[str, str]
    """What drew the pictures that the policy saw."""
    episodes: int
    """Number of episodes."""
    outcomes: dict[str, int]
    """Episodes that ended in `success`, `failure` and `crash`; those without any are left out."""
    episode_seconds: float
    """Wall time of all episodes together."""
    films: tuple[FilmedEpisode, ...] = ()
    """Of evaluations that filmed by themselves, as those before version 2 did."""
    files: EvaluationFiles
