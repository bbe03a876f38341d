"""During: one training job an experiment and seed."""


rule train:
    """Train one policy. Checkpoints lie in a folder of the run's key that no rule declares."""
    input:
        check=ancient("experiments/{experiment}/results/{run}/check.json"),
        stores=until_made(RUN, stores_of),
        weights=until_made(RUN, weights_of),
    output:
        RUN,
    log:
        "experiments/{experiment}/logs/{run}/train.log",
    benchmark:
        "experiments/{experiment}/logs/{run}/train.benchmark.tsv"
    wildcard_constraints:
        experiment=any_of(imported=False),
    # The longest jobs first: evaluations then run beside the last training.
    priority: 10
    conda:
        environment("train")
    threads: cores("train")
    resources:
        mem_mb=memory("train"),
        runtime=minutes("train"),
        gpu=gpus("train"),
    message:
        "Train {wildcards.experiment} {wildcards.run}"
    script:
        "../scripts/train.py"
