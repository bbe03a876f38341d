"""Before: stop what would waste hours."""


rule check_experiment:
    """Hypothesis and plan written, disk space, device, code: what must be there before training."""
    output:
        "experiments/{experiment}/results/{run}/check.json",
    log:
        "experiments/{experiment}/logs/{run}/check.log",
    benchmark:
        "experiments/{experiment}/logs/{run}/check.benchmark.tsv"
    # First of all: what is wrong shows in seconds, while data may take hours to come.
    priority: 20
    conda:
        environment("train")
    threads: 1
    resources:
        mem_mb=memory("check_experiment"),
        runtime=minutes("check_experiment"),
        gpu=gpus("check_experiment"),
    message:
        "Check {wildcards.experiment}"
    script:
        "../scripts/check_experiment.py"


rule check:
    """Every listed experiment's checks, and nothing else."""
    input:
        [
            relative(experiment.results(run.name, "check.json"))
            for experiment in PLAN.experiments.values()
            for run in experiment.runs
        ],
    localrule: True
