"""The whole workflow under --use-conda, each rule in its own environment made from its pin."""

import json

import pytest

pytestmark = pytest.mark.xdist_group("conda")

# What an environment decides: itself, and all that bears a key in its name.
FOLLOWS_THE_ENVIRONMENT = {"key", "name", "path", "sha256", "bytes", "seal"}
# When and where a run happened, and how long it took.
CIRCUMSTANCES = {
    *("started", "finished", "command", "training_seconds", "attempts", "events", "commit", "dirty")
}


def records(project, kind: str) -> list[dict]:
    paths = sorted(project.root.glob(f"experiments/*/results/**/{kind}.json"))
    return [json.loads(path.read_text()) for path in paths]


def differences(one: object, other: object, path: tuple = ()) -> set[tuple]:
    """Paths at which two JSON values differ."""
    if isinstance(one, dict) and isinstance(other, dict):
        keys = one.keys() | other.keys()
        return {d for k in keys for d in differences(one.get(k), other.get(k), (*path, k))}
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        pairs = enumerate(zip(one, other, strict=True))
        return {d for i, (a, b) in pairs for d in differences(a, b, (*path, i))}
    return set() if one == other else {path}


def policy_hash(record: dict) -> str:
    return record["files"]["policy"]["sha256"]


def test_every_record_names_the_locked_environment_it_ran_in(finished):
    found = records(finished, "run") + records(finished, "evaluation")
    assert {record["environment"]["name"] for record in found} == {"train-cpu", "evaluate-cpu"}
    for record in found:
        environment = record["environment"]
        assert environment["deployment"] == "conda"
        assert record["identity"]["environment"]["lock"] == environment["lock"]
        assert environment["conda_packages"]["pytorch"].startswith(environment["torch"]["version"])


def test_nothing_runs_again(finished):
    assert "Nothing to be done" in finished.run("-n")


def test_readme_says_the_environment_was_locked(finished):
    text = (finished.root / "experiments/a/README.md").read_text()
    assert "- [x] Locked environment: conda, train-cpu" in text
    assert "snakemake --use-conda" in text


def test_host_run_differs_in_exactly_the_environment(project):
    project.snakemake()
    host, conda = sorted(
        records(project, "run"), key=lambda r: r["environment"]["deployment"], reverse=True
    )
    assert host["environment"]["deployment"] == "host"
    unexplained = {
        path
        for path in differences(host, conda)
        if not {"environment", *CIRCUMSTANCES}.intersection(path)
        and path[-1] not in FOLLOWS_THE_ENVIRONMENT
    }
    assert unexplained == set()
    # the same packages in both, so the same bits
    assert policy_hash(host) == policy_hash(conda)
    text = (project.root / "experiments/a/README.md").read_text()
    assert "- [ ] Locked environment: host, not isolated" in text


def test_import_that_an_environment_does_not_ask_for_is_found(locked, conda, tmp_path):
    """Snakemake puts the host's packages behind every script's path: they must not fill the gap."""
    project = locked.copy(tmp_path / "project")
    conda.request(project.root, "data", without="threadpoolctl")
    printed = conda.lock(project.root, "data")
    assert "threadpoolctl" in printed and "(gone)" in printed
    printed = project.run("--until", "fetch_dataset", ok=False)
    assert "No module named 'threadpoolctl'" in printed
