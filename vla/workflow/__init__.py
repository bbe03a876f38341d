"""The library's side of Snakemake: what surrounds a job, and what is shown when a workflow ends."""
