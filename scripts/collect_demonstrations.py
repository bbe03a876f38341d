"""Collect demonstrations anew, as `config/demonstrations.yaml` says."""

from pathlib import Path

from vla.config.demonstrations import DemonstrationsConfig
from vla.config.load import read_yaml, validate
from vla.data.card import write_card
from vla.data.demonstrations import collect
from vla.data.manifest import content_hash, make_manifest
from vla.job import job

if __name__ == "__main__":
    with job(snakemake.log[0], "collect"):
        source = Path(snakemake.input.config)
        config = validate(DemonstrationsConfig, read_yaml(source), source)
        manifest = Path(snakemake.output[0])
        folder = manifest.with_name(manifest.name.removesuffix(".manifest.json"))
        frames = collect(config, folder, snakemake.threads)
        write_card(folder, config, frames)
        content = content_hash(make_manifest(folder, manifest))
        print(f"{frames} frames in {folder}, content {content}")
