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


class FilmFiles(Part):
    """What filming gave besides the films."""

    patch: File | None = None
    """`uncommitted.patch`: brings uncommitted code back on the commit; null without any."""


class FilmRecord(JobRecord):
    """Episodes of an evaluation, run again exactly and filmed."""

    KIND = "film"
    LEVELS = 4

    condition: str
    run: str
    """Key of the run whose policy acts."""
    evaluation: str
    """Key of the evaluation."""
    films: tuple[FilmedEpisode, ...]
    files: FilmFiles
