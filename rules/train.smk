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
        experiment=made_by("train"),
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


rule train_sharded:
    """Train one policy that several GPUs share (`training.sharding`), on one node or on several."""
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
        experiment=made_by("train_sharded"),
    priority: 10
    conda:
        environment("train")
    threads: cores("train_sharded")
    resources:
        mem_mb=memory("train_sharded"),
        runtime=minutes("train_sharded"),
        nodes=nodes("train_sharded"),
        # Of one node, all GPUs together; of several, those of each: SLURM would spread a sum as it likes.
        gpu=gpus_together("train_sharded"),
        gres=gpus_of_each_node("train_sharded"),
        tasks=nodes("train_sharded"),
        tasks_per_gpu=0,
    message:
        "Train {wildcards.experiment} {wildcards.run}, sharded"
    script:
        "../scripts/train_sharded.py"
