"""A run that diverges."""

from tests.commands import vla
from vla.knowledge.database import read_table
from vla.records.events import read_events


def test_run_that_goes_wrong_is_told_everywhere_and_stops_no_other(project):
    project.change("b", "training", learning_rate=1e3, num_steps=50)
    project.snakemake(ok=False)
    (events,) = [
        p for p in project.root.glob("experiments/b/logs/*/events.jsonl") if p.stat().st_size
    ]
    event = read_events(events)[0]
    assert event.step <= 2 * 2, "within two rows of log_every"
    checkpoint = project.root / "experiments/b/checkpoints" / events.parent.name
    assert (checkpoint / f"step_{event.checkpoint:08d}.safetensors").is_file()
    told = f"{event.kind.replace('_', ' ')} at step {event.step}"
    for place in ("experiments/b/README.md", "reports/report.html"):
        text = (project.root / place).read_text()
        assert told in text
        assert "last good checkpoint: step 0" in text
    assert "Experiment 001" not in text
    assert "failed" in vla(project.root, "status")
    (row,) = [r for r in read_table(project.root, "runs") if r["run"] == events.parent.name]
    assert row["state"] == "failed"
    assert event.kind in row["events"]
