"""`film.json`: a few filmed episodes of one evaluation."""

from vla.files.described import File
from vla.records.circumstances import JobRecord
from vla.records.part import Part


class FilmedEpisode(Part):
    """One episode as a moving picture."""

    task: str
    episode: int
    """Number of the episode within its task."""
    outcome: str
    """`success` or `failure`."""
    file: File
    """GIF in real time."""


class FilmRecord(JobRecord):
    """Episodes of an evaluation, run again exactly and filmed."""

    KIND = "film"
    LEVELS = 3

    run: str
    """Key of the run whose policy acts."""
    evaluation: str
    """Key of the evaluation."""
    condition: str
    device: str
    renderer: dict[str, str]
    """What drew the pictures."""
    films: tuple[FilmedEpisode, ...]
    patch: File | None = None
    """`uncommitted.patch`: brings uncommitted code back on the commit; null without any."""
