"""Collect demonstrations anew, as `config/demonstrations.yaml` says."""

import shutil
from pathlib import Path

from vla.config.demonstrations import DemonstrationsConfig
from vla.data.manifest import content_hash, make_manifest
from vla.files.yaml import read_yaml
from vla.plan.reading import validate
from vla.simulation.metaworld.card import write_card
from vla.simulation.metaworld.demonstrations import collect
from vla.workflow.job import job


def collect_into(folder: Path, config: DemonstrationsConfig, processes: int) -> int:
    """Collect beside `folder`, then give it its name; returns the number of frames.

    What an earlier, interrupted collection of the same key left is written anew.
    """
    unfinished = folder.with_name(f".{folder.name}.part")
    for leftover in (unfinished, folder):
        shutil.rmtree(leftover, ignore_errors=True)
    frames = collect(config, unfinished, processes)
    write_card(unfinished, config, frames)
    unfinished.rename(folder)
    return frames


if __name__ == "__main__":
    with job("evaluate", snakemake.log[0], "collect"):
        source = Path(snakemake.input.config)
        config = validate(DemonstrationsConfig, read_yaml(source), source)
        manifest = Path(snakemake.output[0])
        folder = manifest.with_name(manifest.name.removesuffix(".manifest.json"))
        frames = collect_into(folder, config, snakemake.threads)
        content = content_hash(make_manifest(folder, manifest))
        print(f"{frames} frames in {folder}, content {content}")
