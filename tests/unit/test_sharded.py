"""A policy cut into shards: the bits of one rank on any number, from checkpoints of any number."""

import csv
import hashlib
import multiprocessing
import os
import signal

import pytest
import torch

from vla.errors import GoOnLaterError, UserError
from vla.plan.reading import experiment_model
from vla.process.determinism import set_determinism
from vla.records.checkpoint import CheckpointRecord
from vla.training.loop import TrainingRun
from vla.training.sharded.places import Place
from vla.training.sharded.standard import train
from vla.training.sharded.together import FollowingShards, LeadingShards
from vla.training.standard import train as train_whole
from vla.training.supervision import Supervisor
from vla.training.together import join_ranks

CPU = torch.device("cpu")
# Processes are forked from one that has imported all this once.
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["__main__", "test_sharded", "vla.policies.rt2.policy"])


def work(rank, count, folder, content, store, meeting, interruption, answers):
    """One rank of a training in `folder`; puts the SHA-256 of the policy into `answers`."""
    set_determinism(1, "portable")
    config = experiment_model(content).model_validate(content)
    place = Place(rank, count, rank, count)
    join_ranks(rank, count, CPU, meeting)
    supervision = FollowingShards()
    if rank == 0:
        supervision = LeadingShards(config, "k", folder / "checkpoints", folder / "logs")
    if interruption and rank == count - 1:
        interrupt(supervision, *interruption)
    try:
        policy = train(TrainingRun(config, 0, store, CPU, supervision, place)).policy
    except GoOnLaterError:
        return
    if rank == 0:
        answers.put(digest(policy))


def work_whole(folder, content, store):
    """The same training by one process without shards."""
    set_determinism(1, "portable")
    config = experiment_model(content).model_validate(content)
    supervision = Supervisor(config, "k", folder / "checkpoints", folder / "logs")
    train_whole(TrainingRun(config, 0, store, CPU, supervision))


def interrupt(supervision, step, number):
    """A signal comes to this rank during that step."""
    look = supervision.after_step

    def after_step(taken):
        if taken.done == step:
            os.kill(os.getpid(), number)
        look(taken)

    supervision.after_step = after_step


def digest(policy) -> str:
    result = hashlib.sha256()
    for tensor in policy.state_dict().values():
        result.update(tensor.numpy())
    return result.hexdigest()


def rows(folder) -> list[dict[str, str]]:
    with open(folder / "logs/metrics.csv") as stream:
        return list(csv.DictReader(stream))


def column(folder, name) -> list[float]:
    return [float(row[name]) for row in rows(folder)]


def steps(folder) -> list[int]:
    """Of whole checkpoints: each holds the files that its record names, of which none is a pickle."""
    records = [CheckpointRecord.read(p) for p in sorted(folder.glob("checkpoints/step_*.json"))]
    for record in records:
        shards = folder / "checkpoints" / f"step_{record.step:08d}"
        names = {path.name for path in shards.iterdir()}
        assert names == {file.name for file in record.shards}
        assert all(name.endswith(".safetensors") for name in names)
    return [record.step for record in records]


@pytest.fixture(scope="module")
def content(make_config):
    """The configuration of a small training: `BC` in fp32, or a vision-language model in bf16."""

    def make(family) -> dict:
        config = make_config(
            model={"type": family},
            training={
                **{"batch_size": 4, "micro_batches": 4, "warmup_steps": 0, "sharding": "fsdp2"},
                "num_steps": 4 if family == "BC" else 1,
                "precision": "fp32" if family == "BC" else "bf16",
            },
            tracking={"log_every": 1, "tensorboard": False},
            checkpoints={"save_every": 2},
            resources={"loader_workers": 0},
        )
        return config.model_dump(mode="json")

    return make


@pytest.fixture(scope="module")
def trained(content, store, tmp_path_factory):
    """Trains in a folder on so many ranks; returns the policy's SHA-256, None when it was interrupted.
    `interruption`: of the last rank, (step, signal)."""

    def run(folder, count, family="BC", interruption=None):
        answers = CONTEXT.SimpleQueue()
        meeting = tmp_path_factory.mktemp("meeting") / "file"
        told = (count, folder, content(family), store, str(meeting), interruption, answers)
        processes = [CONTEXT.Process(target=work, args=(rank, *told)) for rank in range(count)]
        for process in processes:
            process.start()
        for process in processes:
            process.join()
        return None if answers.empty() else answers.get()

    return run


@pytest.mark.parametrize(("family", "tolerance"), [("BC", 1e-5), ("RT2", 2e-3)])
def test_four_ranks_give_the_bits_of_one_and_the_losses_of_a_whole_policy(
    trained, content, store, tmp_path, family, tolerance
):
    one, four, whole = (tmp_path / name for name in ("one", "four", "whole"))
    assert trained(one, 1, family) == trained(four, 4, family)
    process = CONTEXT.Process(target=work_whole, args=(whole, content(family), store))
    process.start()
    process.join()
    for name in ("loss", "gradient_norm"):
        assert column(four, name) == column(one, name)
        assert column(four, name) == pytest.approx(column(whole, name), rel=tolerance)


def test_interrupted_on_any_number_of_ranks_it_goes_on_to_the_same_bits(trained, tmp_path):
    """Asked to stop, which another rank than the first hears; killed; with a damaged checkpoint."""
    alone, cut = tmp_path / "alone", tmp_path / "cut"
    expected = trained(alone, 1)
    assert trained(cut, 2, interruption=(1, signal.SIGTERM)) is None
    assert steps(cut) == [0, 1]
    assert trained(cut, 4, interruption=(3, signal.SIGKILL)) is None
    assert steps(cut) == [1, 2]
    shard = next((cut / "checkpoints/step_00000002").glob("shard-00003-*"))
    damaged = bytearray(shard.read_bytes())
    damaged[-1] ^= 1
    shard.write_bytes(damaged)
    assert trained(cut, 2) == expected
    assert (cut / "checkpoints/step_00000002.damaged").is_dir()
    assert column(cut, "loss") == column(alone, "loss")


def test_training_code_of_the_other_kind_is_refused(content, store, tmp_path):
    config = experiment_model(content("BC")).model_validate(content("BC"))
    leading = LeadingShards(config, "k", tmp_path / "checkpoints", tmp_path / "logs")
    with pytest.raises(UserError, match="trains a whole policy"):
        train_whole(TrainingRun(config, 0, store, CPU, leading, Place()))
    with pytest.raises(UserError, match="shares its policy out"):
        train(TrainingRun(config, 0, store, CPU, leading))
