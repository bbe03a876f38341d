"""Early stopping of sweeps: losses at fixed steps, and which combinations go on past each of them."""

from snakemake.logging import logger

RUNG = "experiments/{experiment}/results/{run}/rung-{key}/rung.json"


def candidates(sweep, number):
    """Combinations that are trained up to a rung, counted from 0; with the number of rungs, to the end.

    Raises what makes Snakemake decide the rung before, and ask again.
    """
    if number and not sweep.halving_record(number - 1).is_file():
        checkpoints.halve.get(experiment=sweep.name, key=sweep.halvings[number - 1].key)
    return ask(sweep.candidates, number)


def trained_to_the_end(experiment):
    """Of a sweep those combinations that are, once early stopping decided it."""
    if isinstance(experiment, Sweep):
        return candidates(experiment, len(experiment.halvings))
    return [experiment]


def rung_needs(wildcards):
    """Prepared data that a run trains on, and that its loss is measured on."""
    combination = part_of(wildcards)
    rung = combination.find_rung(combination.find_run(wildcards.run), f"rung-{wildcards.key}")
    return [*stores_of(wildcards), ancient(relative(store_record(ROOT, rung.store.name)))]


def rung_records(wildcards):
    """Of all runs that came as far as a choice."""
    sweep = experiment_of(wildcards)
    number = sweep.find_halving(f"halving-{wildcards.key}")
    return [
        ancient(relative(record))
        for combination in candidates(sweep, number)
        for record in combination.rung_records(number)
    ]


def halving_records(sweep):
    """Of every choice that early stopping makes."""
    numbers = range(len(sweep.halvings))
    return [ancient(relative(sweep.halving_record(number))) for number in numbers]


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
