"""The whole workflow under --use-conda, each rule in its own environment made from its pin."""

import json

import pytest

pytestmark = pytest.mark.xdist_group("conda")


def test_every_record_names_the_locked_environment_it_ran_in(finished):
    records = [
        json.loads(path.read_text())
        for pattern in ("run.json", "evaluation.json")
        for path in finished.root.glob(f"experiments/*/results/**/{pattern}")
    ]
    assert {record["environment"]["name"] for record in records} == {"train-cpu", "evaluate-cpu"}
    for record in records:
        environment = record["environment"]
        assert environment["deployment"] == "conda"
        assert record["identity"]["environment"]["lock"] == environment["lock"]
        assert environment["conda_packages"]["pytorch"].startswith(environment["torch"]["version"])
