"""Collect demonstrations anew, as `config/demonstrations.yaml` says."""

import shutil
from pathlib import Path

from vla.config.demonstrations import DemonstrationsConfig
from vla.data.formats.lerobot_v3.writer import write_dataset
from vla.data.manifest import content_hash, make_manifest
from vla.files.atomic import write_text
from vla.plan.reading import load_demonstrations
from vla.simulation.collecting import collect, find_experts, sentence_table
from vla.workflow.job import start_job


def collect_into(folder: Path, config: DemonstrationsConfig, processes: int) -> int:
    """Collect beside `folder`, then give it its name; returns the number of frames.

    What an earlier, interrupted collection of the same key left is written anew.
    """
    unfinished = folder.with_name(f".{folder.name}.part")
    for leftover in (unfinished, folder):
        shutil.rmtree(leftover, ignore_errors=True)
    experts, sentences = find_experts(config.simulator), sentence_table(config)
    episodes = collect(config, processes)
    write_dataset(unfinished, episodes, sentences, config.fps, experts.DIMENSIONS, experts.ROBOT)
    frames = sum(len(episode.action) for episode in episodes)
    write_text(unfinished / "README.md", experts.dataset_card(config, frames))
    unfinished.rename(folder)
    return frames


if __name__ == "__main__":
    with start_job(snakemake, "collect") as job:
        config = load_demonstrations(Path(snakemake.input.config))
        manifest = Path(snakemake.output[0])
        folder = manifest.with_name(manifest.name.removesuffix(".manifest.json"))
        frames = collect_into(folder, config, snakemake.threads)
        content = content_hash(make_manifest(folder, manifest))
        print(f"{frames} frames in {folder}, content {content}")
