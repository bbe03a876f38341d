"""The journal of an evaluation: each episode's result as soon as it is known, to go on from."""

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

from vla.evaluation.protocol import EpisodePlan, EpisodeResult
from vla.files.atomic import write_text
from vla.files.hashing import canonical_json, sha256_json
from vla.simulation.protocol import Subtask


class Journal:
    """Lines of JSON in the folder of the evaluation, whose key covers all that decides a result."""

    def __init__(self, path: Path):
        self.path = path

    def read(self) -> dict[EpisodePlan, EpisodeResult]:
        """What is already known; a line that was cut off or damaged ends it."""
        results = {}
        if self.path.is_file():
            for line in self.path.read_text(encoding="utf-8", errors="replace").splitlines():
                try:
                    entry = json.loads(line)
                    if sha256_json(entry["result"]) != entry["sha256"]:
                        break
                    result = _result(entry["result"])
                    results[result.plan] = result
                except (ValueError, KeyError, TypeError):
                    break
        return results

    def rewrite(self, results: dict[EpisodePlan, EpisodeResult]) -> None:
        """Begin again with what was read, so that nothing is written behind a damaged line."""
        write_text(self.path, "".join(map(_line, results.values())))

    def append(self, result: EpisodeResult) -> None:
        with open(self.path, "a", encoding="utf-8") as stream:
            stream.write(_line(result))
            stream.flush()
            os.fsync(stream.fileno())

    def remove(self) -> None:
        self.path.unlink(missing_ok=True)


def _result(content: dict[str, Any]) -> EpisodeResult:
    plan = content.pop("plan")
    chain = tuple(Subtask(**subtask) for subtask in plan.pop("chain"))
    steps = tuple(content.pop("subtask_steps"))
    return EpisodeResult(EpisodePlan(**plan, chain=chain), **content, subtask_steps=steps)


def _line(result: EpisodeResult) -> str:
    content = asdict(result)
    return canonical_json({"result": content, "sha256": sha256_json(content)}) + "\n"
