"""Whether the trackers that an experiment asks for are there. None of them is needed to train."""

import os
import socket
from urllib.parse import urlsplit

from vla.plan.items import Experiment
from vla.records.check import Finding


def tracker_findings(experiment: Experiment) -> list[Finding]:
    """MLflow and W&B, where they are switched on."""
    tracking, findings = experiment.config.tracking, []
    if tracking.mlflow:
        address = os.environ.get("MLFLOW_TRACKING_URI") or tracking.mlflow_uri
        findings.append(
            _reach("MLflow", address)
            if address
            else Finding("MLflow", "ok", "SQLite in mlflow.db: mlflow ui")
        )
    if tracking.wandb != "disabled":
        import wandb

        online = tracking.wandb == "online" or (tracking.wandb == "auto" and wandb.api.api_key)
        if online and not wandb.api.api_key:
            findings.append(
                Finding(
                    "W&B", "warn", "online, but there is no key", "wandb login, or wandb: offline."
                )
            )
        elif online:
            findings.append(_reach("W&B", wandb.Settings().base_url))
        else:
            findings.append(Finding("W&B", "ok", "offline: wandb sync later"))
    return findings


def _reach(name: str, address: str) -> Finding:
    """Whether a server answers; a file or database is believed to. Shows no user, password or query."""
    way_out = "Training goes on without it."
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError:  # whose words would quote the address
        return Finding(name, "warn", "its address is no scheme://host:port", way_out)
    if not host:
        return Finding(name, "ok", address.partition("?")[0])
    public = f"{parts.scheme}://{host}" + (f":{port}" if port else "")
    if parts.scheme not in ("http", "https"):
        return Finding(name, "ok", public)
    try:
        port = port or {"http": 80, "https": 443}[parts.scheme]
        socket.create_connection((host, port), timeout=3).close()
    except OSError as error:
        return Finding(name, "warn", f"{public} does not answer: {error}", way_out)
    return Finding(name, "ok", f"{public} answers")
