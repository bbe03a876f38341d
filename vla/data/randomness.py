"""Random numbers as functions of a seed, a stream and a number: nothing is carried along."""

import numpy as np

ORDER, MIX, CHOICE, AUGMENTATION, POLICY = range(5)  # streams
WORDS = 4  # a sample: what one step of Philox's counter gives


def generator(seed: int, stream: int, *position: int) -> np.random.Generator:
    """A generator of its own for every seed, stream and position of up to three numbers.

    Counter-based (Philox 4x64-10: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3",
    SC 2011). The lowest part of the counter stays free for what is drawn.
    """
    counter = np.zeros(4, np.uint64)
    counter[1 : 1 + len(position)] = position
    return np.random.Generator(np.random.Philox(key=[seed, stream], counter=counter))


def sample_words(seed: int, stream: int, first: int, count: int) -> np.ndarray:
    """Random bits of the samples numbered `first`, `first + 1`, ...: uint64 (count, 4).

    Sample n has the n-th block of one Philox generator, so that all samples of a batch are drawn in
    one call, and each is what it would be if it were drawn alone.
    """
    source = np.random.Philox(key=[seed, stream], counter=[first, 0, 0, 0])
    return source.random_raw(count * WORDS).reshape(count, WORDS)


def as_integers(words: np.ndarray, end: int | np.ndarray) -> np.ndarray:
    """Numbers from 0 up to `end` (below 2^32), which is left out: int64, of the words' upper halves."""
    return ((words >> np.uint64(32)) * np.asarray(end, np.uint64) >> np.uint64(32)).astype(np.int64)


def as_floats(words: np.ndarray) -> np.ndarray:
    """Numbers in [0, 1): float64, of the words' upper 53 bits."""
    return (words >> np.uint64(11)) * 2.0**-53
