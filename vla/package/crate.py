"""The package as a Provenance Run Crate (Workflow Run RO-Crate 0.5): one action a job.

Facts come from the records. What is described: the workflow (the Snakefile) and its tools (the
scripts), each job as an action with what it read and made, and the run as a whole.
"""

import json
from collections.abc import Iterable
from typing import Any

from rocrate.model.contextentity import ContextEntity
from rocrate.model.dataset import Dataset
from rocrate.model.entity import Entity
from rocrate.model.file import File
from rocrate.rocrate import ROCrate

from vla.package.actions import Action, usage
from vla.package.media_types import media_type
from vla.package.project import SOURCE
from vla.package.writing import Files
from vla.records.package import PackageRecord

METADATA = "ro-crate-metadata.json"
VERSION = "1.1"  # of RO-Crate, which the profiles extend
CONTEXT = "https://w3id.org/ro/terms/workflow-run/context"
PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": ("Process Run Crate", "0.5"),
    "https://w3id.org/ro/wfrun/workflow/0.5": ("Workflow Run Crate", "0.5"),
    "https://w3id.org/ro/wfrun/provenance/0.5": ("Provenance Run Crate", "0.5"),
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": ("Workflow RO-Crate", "1.0"),
}
LANGUAGE = "https://w3id.org/workflowhub/workflow-ro-crate#snakemake"
WORKFLOW = f"{SOURCE}/Snakefile"


def crate_metadata(files: Files, actions: list[Action], record: PackageRecord) -> str:
    """The text of ro-crate-metadata.json. `files`: all others of the package."""
    crate = ROCrate(version=VERSION)
    crate.metadata.extra_contexts.append(CONTEXT)
    _describe_root(crate, record)
    rules = dict.fromkeys(action.rule for action in actions)
    described = _add_files(crate, files, {_tool(rule) for rule in rules})
    tools = _add_workflow(crate, list(rules), described, record)
    _add_actions(crate, actions, tools, described)
    return json.dumps(crate.metadata.generate(), indent=2, ensure_ascii=False) + "\n"


def _describe_root(crate: ROCrate, record: PackageRecord) -> None:
    crate.name = f"Reproduction package: {record.title}"
    crate.description = (
        f"Source, data, records and results of the experiment {record.layout.experiment}, version "
        f"{record.version}, and what it takes to reproduce them."
    )
    root = crate.root_dataset
    root["datePublished"] = record.committed
    spdx = f"https://spdx.org/licenses/{record.licence}"
    root["license"] = (
        _entity(crate, spdx, "CreativeWork", name=record.licence) if record.licence else "LICENSE"
    )
    root["version"] = record.version
    profiles = [
        _entity(crate, address, "CreativeWork", name=name, version=version)
        for address, (name, version) in PROFILES.items()
    ]
    root["conformsTo"] = profiles
    authors = _authors(crate, record)
    root["author"] = authors if len(authors) > 1 else authors[0]  # no list of one: RO-Crate 1.1
    crate.metadata["conformsTo"] = [
        {"@id": f"https://w3id.org/ro/crate/{VERSION}"},
        {"@id": "https://w3id.org/workflowhub/workflow-ro-crate/1.0"},
    ]


def _authors(crate: ROCrate, record: PackageRecord) -> list[Entity]:
    """People with their ORCID where they have one; others as an organisation."""
    return [
        _entity(
            crate,
            author.orcid or f"#author-{number}",
            "Person" if author.person else "Organization",
            name=author.name,
            **({"affiliation": author.affiliation} if author.affiliation else {}),
            **({"url": author.website} if author.website else {}),
        )
        for number, author in enumerate(record.authors, 1)
    ]


def _add_files(crate: ROCrate, files: Files, tools: set[str]) -> dict[str, Entity]:
    """Every file by its path; of the source, which is described as one folder, only those that
    actions name. `tools`: those that jobs ran."""
    crate.add(
        Dataset(
            crate,
            dest_path=f"{SOURCE}/",
            properties={"name": "Source at its commit", "description": "All that Git tracks."},
        )
    )
    described = {}
    for name, file in sorted(files.items()):
        named = (
            name == WORKFLOW or name in tools or name.endswith((".manifest.json", "/config.yaml"))
        )
        if not name.startswith(f"{SOURCE}/") or named:
            properties = {
                "name": name.rsplit("/", 1)[-1],
                "contentSize": str(file.size),
                "sha256": file.sha256,
            }
            kinds = _kinds(name, tools)
            properties |= {"@type": kinds} if kinds else {}
            if kind := media_type(name):
                properties["encodingFormat"] = kind
            described[name] = crate.add(File(crate, dest_path=name, properties=properties))
    if "README.md" in described:
        described["README.md"]["about"] = crate.root_dataset
    return described


def _tool(rule: str) -> str:
    return f"{SOURCE}/scripts/{rule}.py"


def _kinds(name: str, tools: set[str]) -> list[str]:
    """What a file is besides a file; [] where it is nothing else."""
    if name == WORKFLOW:
        return ["File", "SoftwareSourceCode", "ComputationalWorkflow", "HowTo"]
    return ["File", "SoftwareSourceCode"] if name in tools else []


def _add_workflow(
    crate: ROCrate, rules: list[str], described: dict[str, Entity], record: PackageRecord
) -> dict[str, Entity]:
    """The workflow, its language and its tools; returns the tool of each rule."""
    language = _entity(
        crate, LANGUAGE, "ComputerLanguage", name="Snakemake", url="https://snakemake.github.io"
    )
    workflow = described[WORKFLOW]
    workflow["name"] = "From demonstrations to a report"
    workflow["programmingLanguage"] = language
    tools, steps = {}, []
    for position, rule in enumerate(rules, 1):
        tool = tools[rule] = described[_tool(rule)]
        step = _entity(crate, f"#step-{rule}", "HowToStep", name=rule, position=str(position))
        step["workExample"] = tool
        steps.append(step)
    for part in (workflow, *tools.values()):
        part["version"] = record.commit
        if record.repository:
            part["url"] = record.repository
    workflow["hasPart"] = list(tools.values())
    workflow["step"] = steps
    crate.root_dataset["mainEntity"] = workflow
    return tools


def _add_actions(
    crate: ROCrate, actions: list[Action], tools: dict[str, Entity], described: dict[str, Entity]
) -> None:
    """One action a job, one for the workflow as a whole, and the engine's that organised them."""
    controls, mentioned = [], []
    for action in actions:
        entity = _entity(
            crate,
            f"#{action.name}",
            "CreateAction",
            name=action.says,
            instrument=tools[action.rule],
            object=_present(action.used, described),
            result=_present(action.made, described),
            **_times([action]),
            **_circumstances(crate, action),
        )
        mentioned.append(entity)
        controls.append(
            _entity(
                crate,
                f"#control-{action.name}",
                "ControlAction",
                name=f"Job: {action.says}",
                instrument=crate.dereference(f"#step-{action.rule}"),
                object=entity,
            )
        )
    made = dict.fromkeys(name for action in actions for name in action.made)
    given = dict.fromkeys(name for action in actions for name in action.used if name not in made)
    whole = _entity(
        crate,
        "#workflow-run",
        "CreateAction",
        name="Run of the workflow",
        description="All jobs behind the results; they may have been started at different times.",
        instrument=crate.root_dataset["mainEntity"],
        object=_present(given, described),
        result=_present(made, described),
        **_times(actions),
    )
    engine = _entity(
        crate,
        "https://snakemake.github.io",
        "SoftwareApplication",
        name="Snakemake",
        url="https://snakemake.github.io",
        softwareVersion=_snakemake(actions),
    )
    organised = _entity(
        crate,
        "#organisation",
        "OrganizeAction",
        name="Snakemake's run",
        instrument=engine,
        object=controls,
        result=whole,
        **_times(actions),
    )
    crate.root_dataset["mentions"] = [whole, *mentioned, organised]


def _times(actions: list[Action]) -> dict[str, str]:
    """From the first job's start to the last one's end, by their records."""
    records = [action.record for action in actions if action.record]
    if not records:
        return {}
    return {
        "startTime": min(record.started for record in records),
        "endTime": max(record.finished for record in records),
    }


def _circumstances(crate: ROCrate, action: Action) -> dict[str, Any]:
    """Command, code, software and machine in words; time and memory as resource usage."""
    record = action.record
    if record is None:
        return {"description": f"The rule {action.rule}."}
    torch = record.environment.torch
    gpus = ", ".join(gpu.name for gpu in record.hardware.gpus) or "no GPU"
    description = (
        f"`{record.command}`; commit {record.git.commit}; {record.environment.deployment} "
        f"environment with Python {record.environment.python}"
        f"{f', PyTorch {torch.version}' if torch else ''}; {record.hardware.cpu}, {gpus}."
    )
    used = [
        _entity(
            crate,
            f"#{action.name}-{name}",
            "PropertyValue",
            name=name,
            propertyID=f"{CONTEXT.removesuffix('/context')}#{name}",
            value=str(value),
            unitCode=unit,
        )
        for name, value, unit in usage(record)
    ]
    return {"description": description, **({"resourceUsage": used} if used else {})}


def _snakemake(actions: list[Action]) -> str:
    records = (action.record for action in actions if action.record)
    found = (record.environment.packages.get("snakemake") for record in records)
    return next(filter(None, found), "unknown")


def _present(names: Iterable[str], described: dict[str, Entity]) -> list[Entity]:
    """Those that are packed: weights may be left out."""
    return [described[name] for name in names if name in described]


def _entity(crate: ROCrate, identifier: str, kind: str, **properties: Any) -> Entity:
    """A new entity that is no file."""
    values = {name: value for name, value in properties.items() if not _is_entity(value)}
    entity = crate.add(ContextEntity(crate, identifier, {"@type": kind, **values}))
    for name, value in properties.items():
        if _is_entity(value):
            entity[name] = value[0] if isinstance(value, list) and len(value) == 1 else value
    return entity


def _is_entity(value: Any) -> bool:
    return isinstance(value, Entity) or (
        isinstance(value, list) and all(isinstance(item, Entity) for item in value)
    )
