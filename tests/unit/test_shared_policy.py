"""One policy for several episodes: an observation gets the same action whoever it meets, from one process for all."""

import os
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from test_evaluation import BUTTON, CONFIG, FAUCET, journal, plans, without_time

from tests.project import ROOT
from vla.data.samples import observe
from vla.errors import UserError
from vla.evaluation.batching import BatchedPolicy
from vla.evaluation.evaluator import Evaluator
from vla.evaluation.protocol import EpisodePlan, EpisodeResult
from vla.evaluation.serving import PolicyLostError, PolicyServer, RemotePolicy
from vla.evaluation.workers import EvaluatorMaker, evaluator_maker, run_episodes
from vla.policies.building import build_policy
from vla.policies.protocol import Inputs, Policy
from vla.policies.storage import load_policy
from vla.process.determinism import set_determinism

__all__ = ["journal", "plans"]  # fixtures

ROWS = 4
SHARED = CONFIG.model_copy(update={"batch_size": ROWS})


def observations(policy: Policy | RemotePolicy | BatchedPolicy, count: int) -> list[Inputs]:
    """Of noise, each with a sentence, a state and random bits of its own."""
    random, size = np.random.default_rng(0), policy.spec.image_size
    sentences = ("open the faucet", "push the button down")
    return [
        policy.processor(
            observe(
                random.integers(0, 256, (1, 3, size, size), np.uint8),
                sentences[number % 2],
                random.normal(size=4).astype(np.float32),
                step=number,
            )
        )
        for number in range(count)
    ]


def joined(some: list[Inputs]) -> Inputs:
    return {name: torch.cat([inputs[name] for inputs in some]) for name in some[0]}


@pytest.mark.parametrize("family", ["BC", "RT1", "RT2", "OFT", "flow"])
def test_an_observation_gets_the_same_action_whoever_it_meets(store, make_config, family):
    set_determinism(threads=1)
    torch.manual_seed(0)
    policy = build_policy(make_config(model={"type": family}).model, store.spec).eval()
    batched = BatchedPolicy(policy, ROWS)
    some = observations(policy, 6)
    alone = [batched.act(inputs) for inputs in some]
    assert len({actions.numpy().tobytes() for actions in alone}) > 1
    for order in ([0, 1, 2, 3], [3, 2, 1, 0], [5, 0, 4], [4, 5], [2, 4, 0, 1]):
        together = batched.act(joined([some[number] for number in order]))
        assert [row.numpy().tobytes() for row in together.split(1)] == [
            alone[number].numpy().tobytes() for number in order
        ]


PORTABLE = """
import numpy as np
import torch
from tests.unit.test_shared_policy import observations
from vla.data.statistics import Statistics
from vla.errors import UserError
from vla.evaluation.batching import BatchedPolicy
from vla.policies.bc.config import Config
from vla.policies.building import build_policy
from vla.process.determinism import set_determinism

set_determinism(threads=1, mode="portable")
numbers = np.random.default_rng(0).normal(size=(40, 4)).astype(np.float32)
spec = Statistics.of(numbers, numbers).spec(("side",), 64, ["open the faucet", "push the button down"])
torch.manual_seed(0)
fusion = {"width": 64, "layers": 2, "heads": 4}  # the baseline's
policy = build_policy(Config(type="BC", max_words=8, fusion=fusion), spec).eval()
for rows in range(2, 9):
    try:
        BatchedPolicy(policy, rows).act(observations(policy, 1)[0])
        print(rows, end=" ")
    except UserError:
        pass
"""


def test_portable_arithmetic_treats_the_rows_of_multiples_of_four_alike():
    """MKL's code for every processor sums some rows in another order when their number is no multiple of 4."""
    run = [sys.executable, "-c", PORTABLE]
    paths = {"PYTHONPATH": f"{ROOT}:{Path(__file__).parent}"}
    finished = subprocess.run(run, env=os.environ | paths, capture_output=True, text=True)
    assert finished.stdout.split() == ["4", "8"], finished.stderr


class Disturbed(torch.nn.Module):
    """Acts as a policy whose actions some other row has a part in."""

    device = torch.device("cpu")

    def __init__(self, policy: Policy, how: str):
        super().__init__()
        self.policy, self.how = policy, how
        self.spec, self.processor = policy.spec, policy.processor

    def act(self, inputs: Inputs, decoding: str) -> torch.Tensor:
        actions = self.policy.act(inputs, decoding).clone()
        if self.how == "row":
            actions[-1] += 1e-6
        elif self.how == "others":
            actions += actions.mean(0, keepdim=True)
        elif self.how == "error":
            raise RuntimeError("no kernel image is available")
        elif self.how == "memory":
            raise torch.OutOfMemoryError("Tried to allocate 3 GiB")
        return actions


@pytest.mark.parametrize("how", ["row", "others"])
def test_policy_that_looks_at_other_rows_is_refused(policy_file, how):
    policy = BatchedPolicy(Disturbed(load_policy(policy_file), how), ROWS)
    (inputs,) = observations(policy, 1)
    with pytest.raises(UserError, match="which episodes meet") as caught:
        policy.act(inputs)
    assert "evaluation.batch_size" in caught.value.way_out


def test_a_served_policy_gives_the_bits_of_the_same_one_here(policy_file):
    """To eight that ask at once, so that they meet in other batches each time."""
    policy = BatchedPolicy(load_policy(policy_file), ROWS)
    some = observations(policy, 40)
    here = [policy.act(inputs).numpy().tobytes() for inputs in some]
    found: list[list[bytes]] = [[] for _ in range(8)]

    def ask(number: int) -> None:
        remote = RemotePolicy(server.address)
        for inputs in some[number:] + some[:number]:
            found[number].append(remote.act(inputs, "argmax").numpy().tobytes())

    with PolicyServer(policy, "argmax", "strict") as server:
        threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert found == [here[number:] + here[:number] for number in range(8)]


def test_outcomes_are_those_of_the_policy_alone_in_its_batches(store, policy_file, plans, journal):
    wanted = [*plans, EpisodePlan(FAUCET, 0, 3, "open the faucet"), EpisodePlan(BUTTON, 5, 9, "")]
    alone = Evaluator(BatchedPolicy(load_policy(policy_file), ROWS), SHARED)
    expected = [alone.run(plan) for plan in wanted]
    alone.close()
    results = run_episodes(wanted, evaluator_maker(policy_file, SHARED, "cpu"), 1, journal)
    assert without_time(results) == without_time(expected)
    assert {result.outcome for result in results} == {"failure"}


class OneDies(EvaluatorMaker):
    def __call__(self) -> Evaluator:
        evaluator = super().__call__()
        run = evaluator.run

        def run_or_die(plan: EpisodePlan) -> EpisodeResult:
            if plan.episode == 1:
                os._exit(1)
            return run(plan)

        evaluator.run = run_or_die
        return evaluator


def test_a_process_that_dies_takes_no_other_episode_with_it(policy_file, plans, journal):
    make = OneDies(**vars(evaluator_maker(policy_file, SHARED, "cpu")))
    results = run_episodes(plans, make, 1, journal)
    assert [result.outcome for result in results] == ["failure", "crash"]
    assert "process died" in results[1].error


class Breaks(EvaluatorMaker):
    def load(self) -> Policy:
        return Disturbed(super().load(), "error")


def test_what_breaks_the_policy_ends_the_evaluation_and_is_no_outcome(policy_file, plans, journal):
    make = Breaks(**vars(evaluator_maker(policy_file, SHARED, "cpu")))
    with pytest.raises(RuntimeError, match="no kernel image"):
        run_episodes(plans, make, 1, journal)
    assert journal.read() == {}


@pytest.mark.parametrize(
    ("how", "message"),
    [("memory", "a batch of 4 observations do not fit"), ("others", "which episodes meet")],
)
def test_what_a_user_can_mend_is_said_where_the_policy_is_served(policy_file, how, message):
    policy = BatchedPolicy(Disturbed(load_policy(policy_file), how), ROWS)
    (inputs,) = observations(policy, 1)
    with (
        pytest.raises(UserError, match=message) as caught,
        PolicyServer(policy, "argmax", "strict") as server,
    ):
        RemotePolicy(server.address).act(inputs, "argmax")
    assert "evaluation.batch_size" in caught.value.way_out


def test_a_policy_that_is_gone_is_told_apart_from_a_crash(policy_file):
    policy = BatchedPolicy(load_policy(policy_file), ROWS)
    with PolicyServer(policy, "argmax", "strict") as server:
        remote = RemotePolicy(server.address)
    (inputs,) = observations(remote, 1)
    with pytest.raises(PolicyLostError):
        remote.act(inputs, "argmax")


def test_processor_that_cannot_be_sent_is_refused_with_the_way_out(policy_file):
    policy = BatchedPolicy(load_policy(policy_file), ROWS)
    policy.processor.lock = threading.Lock()
    with pytest.raises(UserError, match="processor cannot be sent") as caught:
        PolicyServer(policy, "argmax", "strict")
    assert "batch_size: 1" in caught.value.way_out


def test_nothing_is_loaded_for_episodes_that_are_known(policy_file, plans, journal):
    for plan in plans:
        journal.append(EpisodeResult(plan, "success", 7, 0.1))
    make = evaluator_maker(policy_file, SHARED, "cpu")
    gone = replace(make, policy_file=Path("gone"))
    assert [result.steps for result in run_episodes(plans, gone, 1, journal)] == [7, 7]
