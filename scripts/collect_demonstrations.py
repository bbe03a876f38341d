"""Collect demonstrations anew, as `config/demonstrations.yaml` says."""

from pathlib import Path

from vla.data.manifest import content_hash, make_manifest
from vla.plan.reading import load_demonstrations
from vla.simulation.writing import collect_into
from vla.workflow.job import start_job

if __name__ == "__main__":
    with start_job(snakemake, "collect") as job:
        config = load_demonstrations(Path(snakemake.input.config))
        manifest = Path(snakemake.output[0])
        folder = manifest.with_name(manifest.name.removesuffix(".manifest.json"))
        frames = collect_into(folder, config, snakemake.threads)
        content = content_hash(make_manifest(folder, manifest))
        print(f"{frames} frames in {folder}, content {content}")
