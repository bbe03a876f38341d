"""In place of training: a policy that others trained, taken as it comes."""


rule import_policy:
    """Read a checkpoint, try it in the simulator once, keep it as the policy of a run."""
    input:
        check=ancient("experiments/{experiment}/results/{run}/check.json"),
        weights=until_made(RUN, weights_of),
    output:
        RUN,
    log:
        "experiments/{experiment}/logs/{run}/import.log",
    benchmark:
        "experiments/{experiment}/logs/{run}/import.benchmark.tsv"
    wildcard_constraints:
        experiment=made_by("import_policy"),
    conda:
        simulator_environment
    threads: cores("import_policy")
    resources:
        mem_mb=memory("import_policy"),
        runtime=minutes("import_policy"),
        gpu=gpus("import_policy"),
    message:
        "Import {wildcards.experiment} {wildcards.run}"
    script:
        "../scripts/import_policy.py"
