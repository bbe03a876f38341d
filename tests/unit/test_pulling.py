"""Datasets from a remote of a group's: which DVC reaches it, what is said when it is away, no credentials."""

import subprocess

import pytest

from tests.project import SECRET
from vla.checks.findings import check_experiment
from vla.config.datasets import DatasetEntry
from vla.data.dvc import Remote, committed_secrets, remote, secrets
from vla.data.pulling import dvc_command, pull
from vla.errors import UserError

CONFIG = """[core]
    remote = embedded
['remote "embedded"']
    url = ../data/dvc-remote
['remote "group"']
    url = s3://bucket/folder
    endpointurl = https://me:hidden@s3.example.org
"""
LOCAL = f"""['remote "group"']
    access_key_id = AKIA-of-mine
    secret_access_key = {SECRET}
"""
ENTRY = {"version": "1", "format": "lerobot-v3", "source": "s", "licence": "MIT", "path": "data/d"}


@pytest.fixture
def root(tmp_path, monkeypatch):
    monkeypatch.setenv("DVC_GLOBAL_CONFIG_DIR", str(tmp_path / "home"))
    for name in (".dvc", "data", "home"):
        (tmp_path / name).mkdir()
    (tmp_path / ".dvc/config").write_text(CONFIG)
    (tmp_path / ".dvc/config.local").write_text(LOCAL)
    (tmp_path / "data/d.dvc").write_text("outs: []\n")
    return tmp_path


def test_remote_is_the_named_one_or_the_default(root):
    assert remote(root) == Remote("embedded", "../data/dvc-remote")
    assert str(remote(root, "group")) == "group (s3://bucket/folder)"
    (root / "home/config").write_text("['remote \"mine\"']\n    url = https://me:pw@host/x\n")
    assert str(remote(root, "mine")) == "mine (https://host/x)"


def test_remote_that_is_not_configured_is_named(root):
    entry = DatasetEntry(**ENTRY, remote="nowhere")
    with pytest.raises(UserError, match="the DVC remote nowhere, which is not configured"):
        pull(entry, [root / "data/d/x"], root)


def test_storage_needs_its_client(root):
    with pytest.raises(UserError, match="make s3"):
        dvc_command(remote(root, "group"), root)
    client = root / ".venv-s3/bin/python"
    client.parent.mkdir(parents=True)
    client.touch()
    assert dvc_command(remote(root, "group"), root)[0] == str(client)


def test_remote_that_is_away_is_named_and_no_credential_told(root, monkeypatch, capsys):
    def dvc(command, **_):
        assert command[-4:] == ["pull", "data/d.dvc", "--remote", "group"]
        said = f"ERROR: unexpected error - AKIA-of-mine, {SECRET}: no connection\nmore"
        return subprocess.CompletedProcess(command, 1, "", said)

    (root / ".venv-s3/bin").mkdir(parents=True)
    (root / ".venv-s3/bin/python").touch()
    monkeypatch.setattr(subprocess, "run", dvc)
    with pytest.raises(UserError) as caught:
        pull(DatasetEntry(**ENTRY, remote="group"), [root / "data/d/x"], root)
    told = f"{caught.value} {capsys.readouterr()}"
    assert "1 of 1 missing files of data/d" in told
    assert "from the DVC remote group (s3://bucket/folder)" in told
    assert "***: no connection" in told
    assert SECRET not in told
    assert "AKIA-of-mine" not in told


def test_credentials_are_known_by_their_names(root, monkeypatch):
    monkeypatch.setenv("AWS_SESSION_TOKEN", "in-a-variable")
    assert {"AKIA-of-mine", SECRET, "in-a-variable", "me:hidden"} <= secrets(root)
    assert committed_secrets(root) == ["endpointurl"]
    assert "s3://bucket/folder" not in secrets(root)


def test_credentials_in_gits_configuration_stop_the_run(experiment):
    assert committed_secrets(experiment.root) == []
    with open(experiment.root / ".dvc/config", "a") as stream:
        stream.write(f"['remote \"group\"']\n    secret_access_key = {SECRET}\n")
    findings = check_experiment(experiment, experiment.root, allow_dirty=True)
    (found,) = [finding for finding in findings if finding.name == "dataset"]
    assert found.status == "fail"
    assert "secret_access_key" in found.found
    assert SECRET not in f"{findings}"
