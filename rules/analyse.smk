"""After: from episodes to rates, figures and comparisons."""


rule summarise:
    """Rates with intervals over all runs of an experiment, and the verdict on its target."""
    input:
        lambda wildcards: evaluation_records(experiment_of(wildcards)),
        choice=lambda wildcards: choice(experiment_of(wildcards)),
    output:
        summary="experiments/{experiment}/results/summary-{key}/summary.json",
        table="experiments/{experiment}/results/summary-{key}/success_rates.csv",
    log:
        "experiments/{experiment}/logs/summary-{key}.log",
    benchmark:
        "experiments/{experiment}/logs/summary-{key}.benchmark.tsv"
    conda:
        "../envs/analyse.yaml"
    threads: 1
    resources:
        mem_mb=memory("summarise"),
        runtime=minutes("summarise"),
    message:
        "Summarise {wildcards.experiment}"
    script:
        "../scripts/summarise.py"


rule plot:
    """Every figure of vla/report/figures/ with its numbers, and the success rates as a page."""
    input:
        summary=document("summary", "summary.json"),
    output:
        pictures=[
            report(
                f"experiments/{{experiment}}/results/figures-{{key}}/{figure.name}.svg",
                caption="../reports/captions/figures.rst",
                category="Experiments",
                subcategory="{experiment}",
                labels={"experiment": "{experiment}", "show": figure.title},
            )
            for figure in FIGURES
        ],
        others=[
            f"experiments/{{experiment}}/results/figures-{{key}}/{figure.name}.{ending}"
            for figure in FIGURES
            for ending in FORMATS
            if ending != "svg"
        ],
        page=report(
            "experiments/{experiment}/results/figures-{key}/success_rates.html",
            caption="../reports/captions/success_rates.rst",
            category="Experiments",
            subcategory="{experiment}",
            labels={"experiment": "{experiment}", "show": "Success rates"},
        ),
        record="experiments/{experiment}/results/figures-{key}/figures.json",
    log:
        "experiments/{experiment}/logs/figures-{key}.log",
    benchmark:
        "experiments/{experiment}/logs/figures-{key}.benchmark.tsv"
    conda:
        "../envs/analyse.yaml"
    threads: 1
    resources:
        mem_mb=memory("plot"),
        runtime=minutes("plot"),
    params:
        captions={figure.title: figure.caption for figure in FIGURES},
    message:
        "Plot {wildcards.experiment}"
    script:
        "../scripts/plot.py"


rule compare:
    """Two experiments on the episodes they share: McNemar's test and the difference."""
    input:
        lambda wildcards: evaluation_records(
            *(PLAN.experiments[name] for name in compared(wildcards))
        ),
        choices=lambda wildcards: choice(*(PLAN.experiments[name] for name in compared(wildcards))),
    output:
        results="results/{comparison}/comparison.json",
        figure=report(
            "results/{comparison}/comparison.svg",
            caption="../reports/captions/comparison.rst",
            category="Comparisons",
            labels=lambda wildcards: {"compared": " and ".join(compared(wildcards))},
        ),
        others=["results/{comparison}/comparison.pdf", "results/{comparison}/comparison.csv"],
    log:
        "results/{comparison}/compare.log",
    benchmark:
        "results/{comparison}/compare.benchmark.tsv"
    wildcard_constraints:
        comparison=r"comparison-[0-9a-f]{12}",
    conda:
        "../envs/analyse.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=30,
    message:
        "Compare {wildcards.comparison}"
    script:
        "../scripts/compare.py"
