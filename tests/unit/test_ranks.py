"""One policy trained by several processes: the bits of one alone, from any checkpoint, on any number."""

import hashlib
import multiprocessing

import pytest
import torch

from vla.errors import GoOnLaterError
from vla.plan.reading import experiment_model
from vla.process.determinism import set_determinism
from vla.training.loop import TrainingRun
from vla.training.ranks import Ranks, pairwise_sum
from vla.training.standard import train
from vla.training.supervision import Supervisor
from vla.training.together import Following, Leading, join_ranks

CPU = torch.device("cpu")
# Processes are forked from one that has imported all this once.
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["__main__", "test_ranks"])


def work(rank, count, folder, content, store, stop_after, answers):
    """One rank of a training in `folder`; puts the SHA-256 of its weights into `answers`."""
    set_determinism(1, "portable")
    config = experiment_model(content).model_validate(content)
    supervision = Supervisor(config, "k", folder / "checkpoints", folder / "logs")
    ranks = Ranks()
    if count > 1:
        ranks = join_ranks(rank, count, CPU, str(folder / f"meeting{count}"))
        supervision = Leading(supervision) if rank == 0 else Following()
    if stop_after and rank == 0:
        stop_at(supervision, stop_after)
    try:
        policy = train(TrainingRun(config, 0, store, CPU, supervision, ranks)).policy
    except GoOnLaterError:
        answers.put("stopped")
        return
    digest = hashlib.sha256()
    for tensor in policy.state_dict().values():
        digest.update(tensor.numpy())
    answers.put(digest.hexdigest())


def stop_at(supervision, step):
    """As a signal during that step would."""
    inner = getattr(supervision, "_own", supervision)
    look = inner.after_step

    def after_step(taken):
        if taken.done == step:
            inner._stop.signal_name = "SIGTERM"
        look(taken)

    inner.after_step = after_step


def weights(folder, count, make_config, store, stop_after=None) -> set[str]:
    """What each of `count` ranks ends with."""
    config = make_config(
        training={"micro_batches": 4}, resources={"accelerator": "cpu", "training_processes": count}
    )
    answers = CONTEXT.SimpleQueue()
    arguments = (count, folder, config.model_dump(mode="json"), store, stop_after, answers)
    processes = [CONTEXT.Process(target=work, args=(rank, *arguments)) for rank in range(count)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
        assert process.exitcode == 0
    return {answers.get() for _ in processes}


@pytest.fixture(scope="module")
def alone(tmp_path_factory, make_config, store) -> set[str]:
    """The weights that one process gives."""
    return weights(tmp_path_factory.mktemp("alone"), 1, make_config, store)


@pytest.mark.parametrize("count", [2, 4])
def test_any_number_of_processes_gives_the_same_weights_on_each(
    tmp_path, make_config, store, alone, count
):
    assert weights(tmp_path, count, make_config, store) == alone


def test_training_goes_on_with_another_number_of_processes(tmp_path, make_config, store, alone):
    assert weights(tmp_path, 2, make_config, store, stop_after=3) == {"stopped"}
    assert weights(tmp_path, 1, make_config, store, stop_after=6) == {"stopped"}
    assert weights(tmp_path, 4, make_config, store) == alone


def test_sum_in_pairs_does_not_depend_on_where_it_is_cut():
    vectors = list(torch.randn(8, 1000, generator=torch.Generator().manual_seed(0)))
    whole = pairwise_sum(vectors)
    halves = [pairwise_sum(part) for part in (vectors[:4], vectors[4:])]
    assert torch.equal(halves[0] + halves[1], whole)
    assert not torch.equal(sum(vectors), whole), "these vectors would show another order"


def test_parts_of_all_ranks_are_the_batch_once_each():
    for count in (1, 2, 4):
        parts = [part for rank in range(count) for part in Ranks(rank, count).parts(4)]
        assert parts == [0, 1, 2, 3]
