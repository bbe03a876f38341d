"""Batches are functions of (seed, step)."""

import threading

import numpy as np
import pytest
import torch

from vla.data.loading import batches
from vla.data.sampling import Sampler, policy_spec

FRAMES = 40
CHUNK = 4
WORDS = 6


@pytest.fixture
def sampler(store):
    def make(seed: int = 0, batch_size: int = 7, augmentation: bool = False) -> Sampler:
        return Sampler(
            store,
            policy_spec(store),
            seed=seed,
            batch_size=batch_size,
            chunk_length=CHUNK,
            max_words=WORDS,
            augmentation=augmentation,
        )

    return make


def equal(one, other) -> bool:
    pairs = zip([*one.observation, *one[1:]], [*other.observation, *other[1:]], strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


def rows(batch) -> np.ndarray:
    """Which frames a batch holds: the store's first action dimension numbers them."""
    return batch.actions[:, 0, 0].numpy().astype(int)


@pytest.mark.parametrize("augmentation", [False, True])
def test_batch_does_not_depend_on_what_was_drawn_before(sampler, augmentation):
    drawn = sampler(augmentation=augmentation)
    in_order = [drawn.batch(step) for step in range(14)]
    for step in (13, 5, 6, 0):  # epochs begin within steps 5 and 11
        assert equal(sampler(augmentation=augmentation).batch(step), in_order[step])
        assert equal(drawn.batch(step), in_order[step])


@pytest.mark.parametrize("workers", [1, 3])
def test_loader_gives_the_same_batches_with_any_number_of_workers(sampler, workers):
    """Batches of 7 from 40 frames: workers are in different epochs at the same time."""
    steps = range(2, 60)
    made = list(batches(sampler(augmentation=True), steps, workers))
    expected = list(batches(sampler(augmentation=True), steps, 0))
    assert len(made) == len(expected) == len(steps)
    assert all(equal(one, other) for one, other in zip(made, expected, strict=True))


def test_loader_tells_what_went_wrong_and_leaves_no_thread(sampler):
    drawn = sampler()

    class Broken:
        def batch(self, step):
            if step == 4:
                raise OSError("the disk is gone")
            return drawn.batch(step)

    loader = batches(Broken(), range(10), 2)
    assert len([next(loader) for _ in range(4)]) == 4
    with pytest.raises(OSError, match="the disk is gone"):
        next(loader)
    stopped = batches(drawn, range(10), 2)
    next(stopped)
    stopped.close()
    assert not [thread for thread in threading.enumerate() if "loader" in thread.name]


def test_every_epoch_visits_every_frame_once_in_an_order_of_its_own(sampler):
    drawn = sampler()
    visited = np.concatenate([rows(drawn.batch(step)) for step in range(12)])
    first, second = visited[:FRAMES], visited[FRAMES : 2 * FRAMES]
    assert sorted(first) == sorted(second) == list(range(FRAMES))
    assert not np.array_equal(first, second)


def test_batch_larger_than_the_data_goes_on_with_the_next_epoch(sampler):
    visited = rows(sampler(batch_size=100).batch(0))
    assert sorted(visited[:FRAMES]) == list(range(FRAMES))
    assert len(visited) == 100


def test_sample_is_picture_state_and_actions_of_one_frame(sampler, store):
    batch = sampler(batch_size=FRAMES).batch(0)
    taken = rows(batch)
    assert np.array_equal(batch.observation.pictures, store.pictures[taken])
    assert np.array_equal(batch.observation.state, store.state[taken])


def test_actions_never_reach_into_another_episode(sampler, store):
    batch = sampler(batch_size=FRAMES).batch(0)
    end = np.cumsum(np.bincount(np.cumsum(store.step == 0) - 1))  # first row after each episode
    for row, actions, valid in zip(rows(batch), batch.actions, batch.valid, strict=True):
        last = end[np.searchsorted(end, row, side="right")] - 1
        wanted = [min(row + offset, last) for offset in range(CHUNK)]
        assert np.array_equal(actions, store.action[wanted])
        assert valid.tolist() == [row + offset <= last for offset in range(CHUNK)]


def test_words_are_paraphrases_of_the_frames_task(sampler, store):
    vocabulary = policy_spec(store).vocabulary
    batch = sampler(batch_size=10 * FRAMES).batch(0)
    seen = {}
    for row, words in zip(rows(batch), batch.observation.words, strict=True):
        seen.setdefault(int(store.task[row]), set()).add(tuple(words.tolist()))
    for number, task in enumerate(store.tasks):
        encoded = {tuple(vocabulary.encode(s, WORDS).tolist()) for s in task["instructions"]}
        assert seen[number] == encoded


def test_other_seed_other_order_and_other_paraphrases(sampler, store):
    vocabulary = policy_spec(store).vocabulary
    first = {tuple(vocabulary.encode(t["instructions"][0], WORDS).tolist()) for t in store.tasks}
    batches = [sampler(seed, FRAMES).batch(0) for seed in (0, 1)]
    picks = [[tuple(w.tolist()) in first for w in b.observation.words] for b in batches]
    assert not np.array_equal(rows(batches[0]), rows(batches[1]))
    assert picks[0] != picks[1]


def test_augmentation_changes_pictures_only_and_by_little(sampler):
    plain, augmented = sampler().batch(3), sampler(augmentation=True).batch(3)
    before, after = plain.observation.pictures, augmented.observation.pictures
    assert (after.shape, after.dtype) == (before.shape, torch.uint8)
    assert not torch.equal(after, before)
    assert np.array_equal(rows(plain), rows(augmented))
    assert torch.equal(plain.observation.state, augmented.observation.state)
    brightness = (after.float() - before.float()).mean(dim=(1, 2, 3, 4)) / 255
    assert brightness.abs().max() < 0.2


def test_ranges_come_from_the_data(store):
    spec = policy_spec(store)
    assert spec.action_low[0] == 0
    assert spec.action_high[0] == FRAMES - 1
    assert np.allclose(spec.state_mean, store.state.mean(0), atol=1e-6)
    assert "hit" not in spec.vocabulary.words  # a word of held-out sentences alone
    assert {"press", "button", "faucet"} <= set(spec.vocabulary.words)
