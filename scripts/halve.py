"""Which combinations of a sweep go on past a rung, by the losses of all that came so far."""

from pathlib import Path

from vla.statistics.halving import decide
from vla.workflow.job import start_job

if __name__ == "__main__":
    words = snakemake.wildcards
    with start_job(snakemake, f"halve {words.experiment}") as job:
        sweep = job.plan.find_sweep(words.experiment)
        decision = decide(sweep, sweep.find_halving(f"halving-{words.key}"))
        decision.write(Path(snakemake.output[0]).absolute())
