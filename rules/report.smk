"""After: what people read."""

# What Snakemake's own report says at first (reports/captions/workflow.rst).
if any(word.startswith("--report") for word in sys.argv):
    from vla.report.landing import landing

    config["landing"] = ask(landing, PLAN)


rule release_models:
    """Semantic version, metadata and model card of an experiment's policies."""
    input:
        summary=document("summary", "summary.json"),
    output:
        models="experiments/{experiment}/results/models-{key}/models.json",
        card="experiments/{experiment}/results/models-{key}/MODEL_CARD.md",
    log:
        "experiments/{experiment}/logs/models-{key}.log",
    benchmark:
        "experiments/{experiment}/logs/models-{key}.benchmark.tsv"
    conda:
        "../envs/analyse.yaml"
    threads: 1
    resources:
        mem_mb=memory("release_models"),
        runtime=minutes("release_models"),
    message:
        "Release the models of {wildcards.experiment}"
    script:
        "../scripts/release_models.py"


rule render_readme:
    """The experiment's README: goals, risks, results against targets, checklist."""
    input:
        # A README stands for an experiment that is complete.
        films=lambda wildcards: film_records(experiment_of(wildcards)),
        models=document("models", "models.json"),
        summary=document("summary", "summary.json"),
        # All: what was killed between two of them left the first without the second.
        figures=lambda wildcards: [document("figures", name)(wildcards) for name in figure_files()],
    output:
        "experiments/{experiment}/results/readme-{key}/README.md",
    log:
        "experiments/{experiment}/logs/readme-{key}.log",
    benchmark:
        "experiments/{experiment}/logs/readme-{key}.benchmark.tsv"
    conda:
        "../envs/analyse.yaml"
    threads: 1
    resources:
        mem_mb=memory("render_readme"),
        runtime=minutes("render_readme"),
    message:
        "Render the README of {wildcards.experiment}"
    script:
        "../scripts/render_readme.py"


rule report_experiment:
    """One experiment as a page to open in a browser, and as a PDF to print."""
    input:
        readme=document("readme", "README.md"),
        comparisons=lambda wildcards: [
            ancient(f"results/{comparison.name}/comparison.json")
            for comparison in PLAN.comparisons_of(wildcards.experiment)
        ],
    output:
        page=report(
            "experiments/{experiment}/results/report-{key}/report.html",
            caption="../reports/captions/experiment.rst",
            category="Experiments",
            subcategory="{experiment}",
            labels={"experiment": "{experiment}", "show": "Report"},
        ),
        pdf=report(
            "experiments/{experiment}/results/report-{key}/report.pdf",
            caption="../reports/captions/experiment.rst",
            category="Experiments",
            subcategory="{experiment}",
            labels={"experiment": "{experiment}", "show": "Report to print (PDF)"},
        ),
    log:
        "experiments/{experiment}/logs/report-{key}.log",
    benchmark:
        "experiments/{experiment}/logs/report-{key}.benchmark.tsv"
    conda:
        "../envs/analyse.yaml"
    threads: 1
    resources:
        mem_mb=2000,
    message:
        "Render the report of {wildcards.experiment}"
    script:
        "../scripts/report_experiment.py"


rule report:
    """One HTML file over all experiments, figures and rollouts inside."""
    input:
        readmes=ancient(readmes()),
        films=film_records(*PLAN.experiments.values()),
        comparisons=[
            ancient(f"results/{comparison.name}/comparison.json")
            for comparison in PLAN.comparisons
        ],
    output:
        report(
            "reports/report-{key}/report.html",
            caption="../reports/captions/report.rst",
            category="Report",
            labels={"show": "all experiments"},
        ),
    log:
        "reports/report-{key}/report.log",
    benchmark:
        "reports/report-{key}/report.benchmark.tsv"
    conda:
        "../envs/analyse.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=30,
    message:
        "Render the report"
    script:
        "../scripts/report.py"


rule publish:
    """READMEs, report and models where people look; the experiment database and its documents."""
    input:
        readmes=ancient(readmes()),
        report=ancient(report_file()),
        reports=ancient(experiment_reports()),
    output:
        "results/.published/{number}.json",
    log:
        "results/.published/{number}.log",
    benchmark:
        "results/.published/{number}.benchmark.tsv"
    wildcard_constraints:
        number=r"\d+",
    conda:
        "../envs/analyse.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=30,
    message:
        "Publish"
    script:
        "../scripts/publish.py"
