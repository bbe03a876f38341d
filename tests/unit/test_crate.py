"""A package as a crate: one action a job, and what the profiles recommend where it is known."""

import json

import pytest

from vla.package.actions import Action, list_actions
from vla.package.crate import crate_metadata
from vla.package.results import Results
from vla.package.writing import PackedFile
from vla.records.package import Author, Layout, PackageRecord, PackedDataset

REPOSITORY = "https://example.org/lab/policies"
RULES = ("verify_dataset", "prepare_dataset", "train")


def dataset(name: str) -> PackedDataset:
    facts = dict.fromkeys(("version", "content", "source", "licence"), "")
    return PackedDataset(
        name=name, path=f"data/{name}", files=1, bytes=1, packed="pointer", **facts
    )


def package(**values: object) -> PackageRecord:
    return PackageRecord(
        **{
            "title": "Policies",
            "version": "1.0.0",
            "commit": "c0ffee",
            "committed": "2026-01-01T00:00:00+00:00",
            "authors": (Author(name="Owl Lab", person=False, website="https://owls.example"),),
            "repository": REPOSITORY,
            "licence": "MIT",
            "deployment": "host",
            "accelerator": "cpu",
            "weights": True,
            "layout": Layout(experiment="e", runs=(), documents={}),
            "datasets": (dataset("owls"), dataset("more-owls")),
        }
        | values
    )


@pytest.fixture
def results(tmp_path) -> Results:
    """What two datasets were verified and prepared to; the first for training and validation."""
    for name in (
        "data/.state/owls/a-1.verified.json",
        "data/.state/more-owls/b-1.verified.json",
        "data/.prepared/owls-0a/prepared.json",
        "data/.prepared/owls-0b/prepared.json",
        "data/.prepared/more-owls-0c/prepared.json",
    ):
        path = tmp_path / "outputs" / name
        path.parent.mkdir(parents=True)
        path.touch()
    return Results(tmp_path / "outputs", package().layout)


def test_every_dataset_and_store_is_the_work_of_a_job_of_its_own(results):
    actions = list_actions(results, package())
    found = {(action.rule, action.used, action.made) for action in actions}
    assert found == {
        ("verify_dataset", (f"source/data/{name}.manifest.json",), (verified,))
        for name, verified in VERIFIED.items()
    } | {
        ("prepare_dataset", (VERIFIED[name],), (f"outputs/data/.prepared/{store}/prepared.json",))
        for name, store in (("owls", "owls-0a"), ("owls", "owls-0b"), ("more-owls", "more-owls-0c"))
    }
    assert len({action.name for action in actions}) == len(actions) == 5


VERIFIED = {
    "owls": "outputs/data/.state/owls/a-1.verified.json",
    "more-owls": "outputs/data/.state/more-owls/b-1.verified.json",
}


def described(record: PackageRecord) -> tuple[dict[str, dict], list[Action]]:
    """Entities of a crate of three jobs, by their ids."""
    actions = [Action(rule, f"{rule}-1", rule, ("in",), (f"out-{rule}",)) for rule in RULES]
    names = ["source/Snakefile", "in", *(f"source/scripts/{rule}.py" for rule in RULES)]
    files = {name: PackedFile(b"x") for name in [*names, *(f"out-{rule}" for rule in RULES)]}
    graph = json.loads(crate_metadata(files, actions, record))["@graph"]
    return {entity["@id"]: entity for entity in graph}, actions


def test_each_job_is_one_action_of_its_rules_script():
    entities, actions = described(package())
    created = {name: e for name, e in entities.items() if e["@type"] == "CreateAction"}
    assert created.keys() == {"#workflow-run", *(f"#{action.name}" for action in actions)}
    for action in actions:
        entity = created[f"#{action.name}"]
        assert entity["instrument"] == {"@id": f"source/scripts/{action.rule}.py"}
        assert entity["result"] == {"@id": action.made[0]}
        control = entities[f"#control-{action.name}"]
        assert control["object"] == {"@id": f"#{action.name}"}
    assert created["#workflow-run"]["object"] == {"@id": "in"}


@pytest.mark.parametrize("repository", [REPOSITORY, ""])
def test_addresses_stand_where_the_citation_names_them(repository):
    entities, _ = described(package(repository=repository))
    tools = ["source/Snakefile", *(f"source/scripts/{rule}.py" for rule in RULES)]
    assert {entities[name].get("url", "") for name in tools} == {repository}
    assert entities["#author-1"]["url"] == "https://owls.example"
