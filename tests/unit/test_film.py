"""Films: of the same episodes, failures first."""

import imageio.v3 as imageio
import pytest
from test_evaluation import BUTTON, CONFIG, plans

from vla.errors import UserError
from vla.evaluation.evaluator import Evaluator
from vla.evaluation.film import EVERY, FRAME_MS, SIZE, choose, film
from vla.evaluation.protocol import EpisodePlan, EpisodeResult
from vla.policies.storage import load_policy

__all__ = ["plans"]  # a fixture


@pytest.fixture
def evaluator(policy_file):
    evaluator = Evaluator(load_policy(policy_file, "cpu"), CONFIG)
    yield evaluator
    evaluator.close()


def test_failures_are_filmed_first_and_crashes_never():
    outcomes = [
        ("b", "success"),
        ("a", "success"),
        ("a", "crash"),
        ("a", "failure"),
        ("b", "crash"),
    ]
    results = [
        EpisodeResult(EpisodePlan(task, number, number, ""), outcome, 1, 0.1)
        for number, (task, outcome) in enumerate(outcomes)
    ]
    assert choose(results, 1) == [results[3], results[0]]
    assert choose(results, 2) == [results[3], results[1], results[0]]
    assert choose(results, 0) == []


@pytest.mark.parametrize("max_steps", [20, 18])
def test_film_is_a_readable_gif_of_the_whole_episode(evaluator, plans, max_steps):
    """From the start to the end, also where the end falls between two pictures."""
    evaluator.config = CONFIG.model_copy(update={"max_steps": max_steps})
    result = evaluator.run(plans[0])
    assert (result.outcome, result.steps) == ("failure", max_steps)
    content = film(result, evaluator.run)
    frames = imageio.imread(content, extension=".gif")
    assert frames.shape == (-(-max_steps // EVERY) + 1, SIZE, SIZE, 3)
    assert frames.std() > 10
    assert imageio.immeta(content, extension=".gif")["duration"] == FRAME_MS
    assert content == film(result, evaluator.run), "the same episode, the same bytes"


def test_episode_that_does_not_repeat_is_not_filmed(evaluator, plans):
    wrong = EpisodeResult(plans[0], "success", 3, 0.1)
    with pytest.raises(UserError, match=f"{BUTTON}, seed {plans[0].seed} gave success after 3"):
        film(wrong, evaluator.run)
