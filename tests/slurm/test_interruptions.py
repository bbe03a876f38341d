"""The whole chain on a cluster, whose jobs are disturbed in every way; in the order below."""

from cluster import wait_for
from submitting import Training, Workflow


def test_each_training_is_disturbed_once_and_all_end_with_the_bits_of_undisturbed_ones(
    cluster, project, tmp_path
):
    """Two experiments with two seeds: preemption, requeue, failure of a node, time limit."""
    alone = project.copy(tmp_path / "alone")
    alone.variables = {}
    trainings = [Training(cluster, project, name, seed) for name in "ab" for seed in (1, 2)]
    undisturbed = [Training(cluster, alone, t.experiment, t.seed) for t in trainings]
    preempted, requeued, on_failed_node, out_of_time = trainings
    for training in undisturbed:
        training.be_quick()
    with Workflow(project) as workflow:
        cluster.ask("scontrol", "requeue", requeued.wait_until_at_work())
        requeued.wait_for_restart()

        preempted.wait_until_at_work()
        where = ["-w", preempted.node(), "--gpus=1", "--mem=100"]
        other = ["-p", "urgent", *where, "-o", "/dev/null", "--wrap", "sleep 600"]
        urgent = cluster.ask("sbatch", "--parsable", *other).strip()
        preempted.wait_for_restart()
        cluster.ask("scancel", urgent)

        on_failed_node.wait_until_at_work()
        node = on_failed_node.node()
        cluster.fail_node(node)
        on_failed_node.wait_for_restart()
        cluster.start_node(node)

        with Workflow(project) as second:
            assert second.wait() != 0
            assert "cannot be locked" in second.printed()
        with Workflow(alone, "--until", "train", profile="profiles/default") as local:
            out_of_time.wait_for_restart()
            assert local.wait() == 0, local.printed()
            assert workflow.wait() == 0, workflow.printed()
    for training, reference in zip(trainings, undisturbed, strict=True):
        record, expected = training.record(), reference.record()
        assert expected.resumed_from_step == 0
        assert record.resumed_from_step > 0, training
        assert record.files.policy.sha256 == expected.files.policy.sha256, training
        assert record.environment.variables["CUDA_VISIBLE_DEVICES"] == "0"
    assert (project.root / "reports/report.html").is_file()
    assert project.jobs() == {}


def test_too_little_memory_is_doubled_and_a_cancelled_job_stays_cancelled(cluster, project):
    project.change("a", "experiment", seed=[3, 4])
    project.change("a", "resources", training_memory_gb=0.6)
    short, cancelled = (Training(cluster, project, "a", seed) for seed in (3, 4))
    short.be_quick()
    arguments = ["--until", "train", "--config", "experiments=['a']", "comparisons=[]"]
    with Workflow(project, *arguments) as workflow:
        wait_for("more memory", lambda: cluster.job(short.number())["MinMemoryNode"] != "600M")
        cluster.ask("scancel", cancelled.wait_until_at_work())
        assert workflow.wait() != 0
    assert short.record().key
    assert "was cancelled (scancel)" in workflow.printed()
    assert not list(cancelled.folder.glob("results/seed4-*/run.json"))
