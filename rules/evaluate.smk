"""After: trained policies in simulation."""


rule evaluate:
    """Run one condition's episodes of one trained policy and film a few."""
    input:
        ancient("experiments/{experiment}/results/{run}/run.json"),
    output:
        "experiments/{experiment}/results/{run}/{evaluation}/evaluation.json",
    log:
        "experiments/{experiment}/logs/{run}/{evaluation}.log",
    benchmark:
        "experiments/{experiment}/logs/{run}/{evaluation}.benchmark.tsv"
    conda:
        environment("evaluate")
    threads: lambda wildcards: experiment_of(wildcards).config.resources.evaluation_workers
    resources:
        mem_mb=4000,
        gpu=gpus,
    message:
        "Evaluate {wildcards.experiment} {wildcards.run} {wildcards.evaluation}"
    script:
        "../scripts/evaluate.py"
