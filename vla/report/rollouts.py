"""Filmed episodes: as a film on the screen, as a strip of pictures in print."""

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from vla.files.described import check_file
from vla.plan.items import Experiment
from vla.records.film import FilmRecord
from vla.report.provenance import Sources
from vla.words import CONDITIONS, short_task

PICTURES = 6  # of a strip, evenly spread over the episode, its first and last among them
GAP = 2  # pixels between two of them


@dataclass(frozen=True)
class Rollout:
    """One filmed episode. `film`: its GIF; `source`: number of the source that it is."""

    condition: str
    task: str
    seed: int
    episode: int
    outcome: str
    film: Path
    source: int

    @property
    def title(self) -> str:
        """'faucet open, held-out paraphrases: failure (training seed 42, episode 7)'."""
        return (
            f"{short_task(self.task)}, {CONDITIONS[self.condition]}: {self.outcome} "
            f"(training seed {self.seed}, episode {self.episode})"
        )


def read_rollouts(experiment: Experiment, sources: Sources, partial: bool = False) -> list[Rollout]:
    """Every filmed episode, failures first, each checked against its record.

    `partial`: evaluations that were not filmed are left out.
    """
    rollouts = []
    filmed = set(experiment.film_records())  # none of a sweep
    for run in experiment.runs:
        for evaluation in run.evaluations:
            path = experiment.film_record(run, evaluation)
            if path not in filmed or (partial and not path.is_file()):
                continue
            for film in FilmRecord.read(path).films:
                what = f"film of {film.task}, {CONDITIONS[evaluation.condition]}"
                source = sources.cite_file(film.file, experiment.folder, what, run.name)
                rollouts.append(
                    Rollout(
                        evaluation.condition,
                        film.task,
                        run.seed,
                        film.episode,
                        film.outcome,
                        check_file(film.file, experiment.folder),
                        source.number,
                    )
                )
    conditions = list(CONDITIONS)
    return sorted(  # which keeps the order of seeds and tasks
        rollouts, key=lambda r: (r.outcome == "success", conditions.index(r.condition))
    )


def strip(film: Path) -> bytes:
    """JPEG of a few pictures of a GIF side by side, from its first to its last."""
    with Image.open(film) as gif:
        count = gif.n_frames
        chosen = sorted(set(np.linspace(0, count - 1, PICTURES).round().astype(int).tolist()))
        frames = []
        for number in chosen:
            gif.seek(number)
            frames.append(gif.convert("RGB"))
    width, height = frames[0].size
    whole = Image.new("RGB", (len(frames) * (width + GAP) - GAP, height), "white")
    for place, frame in enumerate(frames):
        whole.paste(frame, (place * (width + GAP), 0))
    stream = io.BytesIO()
    whole.save(stream, format="JPEG", quality=88)
    return stream.getvalue()
