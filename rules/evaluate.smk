"""After: trained policies in simulation."""


rule evaluate:
    """Run one condition's episodes of one trained policy."""
    input:
        ancient("experiments/{experiment}/results/{run}/run.json"),
    output:
        "experiments/{experiment}/results/{run}/{evaluation}/evaluation.json",
    log:
        "experiments/{experiment}/logs/{run}/{evaluation}.log",
    benchmark:
        "experiments/{experiment}/logs/{run}/{evaluation}.benchmark.tsv"
    conda:
        simulator_environment
    threads: lambda wildcards: experiment_of(wildcards).config.resources.evaluation_workers
    resources:
        mem_mb=4000,
        gpu=gpus,
    message:
        "Evaluate {wildcards.experiment} {wildcards.run} {wildcards.evaluation}"
    script:
        "../scripts/evaluate.py"


rule film:
    """Run a few episodes of an evaluation again, and keep them as GIFs."""
    input:
        ancient("experiments/{experiment}/results/{run}/{evaluation}/evaluation.json"),
    output:
        "experiments/{experiment}/results/{run}/{evaluation}/film-{key}/film.json",
    log:
        "experiments/{experiment}/logs/{run}/{evaluation}.film-{key}.log",
    benchmark:
        "experiments/{experiment}/logs/{run}/{evaluation}.film-{key}.benchmark.tsv"
    conda:
        simulator_environment
    threads: 1
    resources:
        mem_mb=2000,
        gpu=gpus,
    message:
        "Film {wildcards.experiment} {wildcards.run} {wildcards.evaluation}"
    script:
        "../scripts/film.py"
