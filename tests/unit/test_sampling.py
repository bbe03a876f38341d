"""Batches are functions of (seed, step)."""

import threading

import numpy as np
import pytest

from vla.data.loading import batches
from vla.data.sampling import Sampler

FRAMES = 40
CHUNK = 4


@pytest.fixture
def sampler(store):
    def make(seed: int = 0, batch_size: int = 7, augmentation: bool = False) -> Sampler:
        return Sampler(
            store,
            seed=seed,
            batch_size=batch_size,
            chunk_length=CHUNK,
            augmentation=augmentation,
        )

    return make


def equal(one, other) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def rows(batch) -> np.ndarray:
    """Which frames a batch holds: the store's first action dimension numbers them."""
    return batch.actions[:, 0, 0].astype(int)


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
    made = list(batches(sampler(augmentation=True).batch, steps, workers))
    expected = list(batches(sampler(augmentation=True).batch, steps, 0))
    assert len(made) == len(expected) == len(steps)
    assert all(equal(one, other) for one, other in zip(made, expected, strict=True))


def test_loader_tells_what_went_wrong_and_leaves_no_thread(sampler):
    drawn = sampler()

    def broken(step):
        if step == 4:
            raise OSError("the disk is gone")
        return drawn.batch(step)

    loader = batches(broken, range(10), 2)
    assert len([next(loader) for _ in range(4)]) == 4
    with pytest.raises(OSError, match="the disk is gone"):
        next(loader)
    stopped = batches(drawn.batch, range(10), 2)
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
    assert np.array_equal(batch.pictures, store.pictures[taken])
    assert np.array_equal(batch.state, store.state[taken])


def test_actions_never_reach_into_another_episode(sampler, store):
    batch = sampler(batch_size=FRAMES).batch(0)
    end = np.cumsum(np.bincount(np.cumsum(store.step == 0) - 1))  # first row after each episode
    for row, actions, valid in zip(rows(batch), batch.actions, batch.valid, strict=True):
        last = end[np.searchsorted(end, row, side="right")] - 1
        wanted = [min(row + offset, last) for offset in range(CHUNK)]
        assert np.array_equal(actions, store.action[wanted])
        assert valid.tolist() == [row + offset <= last for offset in range(CHUNK)]


def test_sentences_are_paraphrases_of_the_frames_task(sampler, store):
    batch = sampler(batch_size=10 * FRAMES).batch(0)
    seen = {}
    for row, sentence in zip(rows(batch), batch.instructions, strict=True):
        seen.setdefault(int(store.task[row]), set()).add(sentence)
    assert seen == {number: set(task["instructions"]) for number, task in enumerate(store.tasks)}


def test_other_seed_other_order_and_other_paraphrases(sampler, store):
    first = {task["instructions"][0] for task in store.tasks}
    drawn = [sampler(seed, FRAMES).batch(0) for seed in (0, 1)]
    picks = [[sentence in first for sentence in batch.instructions] for batch in drawn]
    assert not np.array_equal(rows(drawn[0]), rows(drawn[1]))
    assert picks[0] != picks[1]


def test_augmentation_changes_pictures_only_and_by_little(sampler):
    plain, augmented = sampler().batch(3), sampler(augmentation=True).batch(3)
    before, after = plain.pictures, augmented.pictures
    assert (after.shape, after.dtype) == (before.shape, np.uint8)
    assert not np.array_equal(after, before)
    assert np.array_equal(rows(plain), rows(augmented))
    assert np.array_equal(plain.state, augmented.state)
    brightness = (after.astype(float) - before).mean((1, 2, 3, 4)) / 255
    assert np.abs(brightness).max() < 0.2


def test_ranges_come_from_the_data(store):
    spec = store.spec
    assert spec.action_low[0] == 0
    assert spec.action_high[0] == FRAMES - 1
    assert np.allclose(spec.state_mean, store.state.mean(0), atol=1e-6)
    assert set(spec.sentences) == {s for task in store.tasks for s in task["instructions"]}
