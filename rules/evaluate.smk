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
    threads: cores("evaluate")
    resources:
        mem_mb=memory("evaluate"),
        runtime=minutes("evaluate"),
        gpu=gpus("evaluate"),
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
        mem_mb=memory("film"),
        runtime=minutes("film"),
        gpu=gpus("film"),
    message:
        "Film {wildcards.experiment} {wildcards.run} {wildcards.evaluation}"
    script:
        "../scripts/film.py"
