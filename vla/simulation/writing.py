"""Collected demonstrations become a dataset on disk.

python -m vla.simulation.writing CONFIGURATION FOLDER PROCESSES
"""

import shutil
import sys
from pathlib import Path

from vla.config.demonstrations import DemonstrationsConfig
from vla.data.formats.lerobot_v3.writer import write_dataset
from vla.errors import UserError
from vla.files.atomic import write_text
from vla.plan.reading import load_demonstrations
from vla.simulation.collecting import collect, find_experts, sentence_table


def collect_into(folder: Path, config: DemonstrationsConfig, processes: int) -> int:
    """Collect beside `folder`, then give it its name; returns the number of frames.

    What an earlier, interrupted collection left is written anew.
    """
    unfinished = folder.with_name(f".{folder.name}.part")
    for leftover in (unfinished, folder):
        shutil.rmtree(leftover, ignore_errors=True)
    experts, sentences = find_experts(config.simulator), sentence_table(config)
    episodes = collect(config, processes)
    if hasattr(experts, "write_dataset"):
        experts.write_dataset(unfinished, episodes, config)
    else:
        write_dataset(
            unfinished, episodes, sentences, config.fps, experts.DIMENSIONS, experts.ROBOT
        )
    frames = sum(len(episode.action) for episode in episodes)
    write_text(unfinished / "README.md", experts.dataset_card(config, frames))
    unfinished.rename(folder)
    return frames


def main(configuration: str, folder: str, processes: str) -> None:
    try:
        collect_into(Path(folder), load_demonstrations(Path(configuration)), int(processes))
    except UserError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main(*sys.argv[1:])
