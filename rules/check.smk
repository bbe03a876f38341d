"""Before: stop what would waste hours."""


rule check_experiment:
    """Hypothesis and plan written, disk space, device, code: what must be there before training."""
    output:
        "experiments/{experiment}/results/{run}/check.json",
    log:
        "experiments/{experiment}/logs/{run}/check.log",
    benchmark:
        "experiments/{experiment}/logs/{run}/check.benchmark.tsv"
    conda:
        "../envs/train.yaml"
    threads: 1
    resources:
        mem_mb=1000,
    params:
        use_conda=USE_CONDA,
    message:
        "Check {wildcards.experiment}"
    script:
        "../scripts/check_experiment.py"
