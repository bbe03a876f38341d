"""Afterwards: does one run reproduce another?"""


rule verify:
    """snakemake verify --config 'verify=["RUN","RUN"]': fails unless identical or equivalent."""
    log:
        "results/verify.log",
    conda:
        "../envs/analyse.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=30,
    message:
        "Verify"
    script:
        "../scripts/verify.py"
