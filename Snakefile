"""Reproducible VLA experiments: from checksummed demonstrations to a report.

`snakemake` makes every experiment that config/config.yaml lists.
"""

from snakemake.utils import min_version

min_version("9.0")


configfile: "config/config.yaml"


include: "rules/common.smk"
include: "rules/common_sweeps.smk"
include: "rules/check.smk"
include: "rules/data.smk"
include: "rules/train.smk"
include: "rules/import.smk"
include: "rules/evaluate.smk"
include: "rules/early_stopping.smk"
include: "rules/sweep.smk"
include: "rules/analyse.smk"
include: "rules/report.smk"
include: "rules/verify.smk"


report: "reports/captions/workflow.rst"


wildcard_constraints:
    experiment=r"[\w.-]+",
    run=r"seed\d+-[0-9a-f]{12}",
    evaluation=r"[a-z_]+-[0-9a-f]{12}",


rule all:
    """Every listed experiment, reported where people look."""
    default_target: True
    input:
        verification_records(),
        publication(),
    localrule: True


onstart:
    bring_inputs_into_present()
    share_report()


onerror:
    show_failures(log)
    publish_unfinished()


gc.freeze()  # what was read stays, too (rules/common.smk)
