"""Early stopping of sweeps: losses at fixed steps, and which combinations go on past each of them."""

from snakemake.logging import logger

RUNG = "experiments/{experiment}/results/{run}/rung-{key}/rung.json"


if IS_MAIN_PROCESS:
    for name, experiment in PLAN.experiments.items():
        if isinstance(experiment, Sweep) and experiment.halvings:
            logger.info(f"{name} trains {experiment.steps_in_words()}.")


rule train_to_rung:
    """Train one run of a sweep up to a rung, and measure its validation loss there."""
    input:
        check=ancient("experiments/{experiment}/results/{run}/check.json"),
        stores=until_made(RUNG, rung_needs),
        weights=until_made(RUNG, weights_of),
    output:
        RUNG,
    log:
        "experiments/{experiment}/logs/{run}/rung-{key}.log",
    benchmark:
        "experiments/{experiment}/logs/{run}/rung-{key}.benchmark.tsv"
    priority: 10
    conda:
        environment("train")
    threads: cores("train_to_rung")
    resources:
        mem_mb=memory("train_to_rung"),
        runtime=minutes("train_to_rung"),
        gpu=gpus("train_to_rung"),
    message:
        "Train {wildcards.experiment} {wildcards.run} to a rung"
    script:
        "../scripts/train_to_rung.py"


checkpoint halve:
    """Which combinations of a sweep go on past a rung: those with the lowest validation loss."""
    input:
        rung_records,
    output:
        "experiments/{experiment}/results/halving-{key}/halving.json",
    log:
        "experiments/{experiment}/logs/halving-{key}.log",
    benchmark:
        "experiments/{experiment}/logs/halving-{key}.benchmark.tsv"
    conda:
        "../envs/analyse.yaml"
    threads: 1
    resources:
        mem_mb=memory("halve"),
        runtime=minutes("halve"),
    message:
        "Decide which combinations of {wildcards.experiment} go on"
    script:
        "../scripts/halve.py"
