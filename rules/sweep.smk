"""Swept experiments: the validation loss of each run, and the choice of a combination by it."""

VALIDATION = "experiments/{experiment}/results/{run}/validation-{key}/validation.json"


rule validate:
    """The loss of one trained policy on demonstrations that it was not trained on."""
    input:
        run=ancient("experiments/{experiment}/results/{run}/run.json"),
        store=until_made(VALIDATION, validation_store),
    output:
        VALIDATION,
    log:
        "experiments/{experiment}/logs/{run}/validation-{key}.log",
    benchmark:
        "experiments/{experiment}/logs/{run}/validation-{key}.benchmark.tsv"
    conda:
        environment("train")
    threads: cores("validate")
    resources:
        mem_mb=memory("validate"),
        runtime=minutes("validate"),
        gpu=gpus("validate"),
    message:
        "Validate {wildcards.experiment} {wildcards.run}"
    script:
        "../scripts/validate.py"


rule sweep:
    """All runs of a sweep side by side, and the combination with the lowest validation loss."""
    input:
        validations=lambda wildcards: validation_records(experiment_of(wildcards)),
        evaluations=lambda wildcards: evaluation_records(experiment_of(wildcards)),
        halvings=lambda wildcards: halving_records(experiment_of(wildcards)),
    output:
        record="experiments/{experiment}/results/sweep-{key}/sweep.json",
        table="experiments/{experiment}/results/sweep-{key}/sweep.csv",
        picture=report(
            "experiments/{experiment}/results/sweep-{key}/sweep.svg",
            caption="../reports/captions/sweep.rst",
            category="Experiments",
            subcategory="{experiment}",
            labels={"experiment": "{experiment}", "show": "Sweep"},
        ),
        print="experiments/{experiment}/results/sweep-{key}/sweep.pdf",
    log:
        "experiments/{experiment}/logs/sweep-{key}.log",
    benchmark:
        "experiments/{experiment}/logs/sweep-{key}.benchmark.tsv"
    conda:
        "../envs/analyse.yaml"
    threads: 1
    resources:
        mem_mb=memory("sweep"),
        runtime=minutes("sweep"),
    message:
        "Choose among the runs of {wildcards.experiment}"
    script:
        "../scripts/sweep.py"
