"""The order in which training visits frames: a block shuffle that is computed, not stored.

Frames are put into blocks of neighbours, the blocks are permuted, and the frames of some dozens of
blocks that follow each other then are shuffled among themselves (a window). So each epoch visits
every frame once, a batch mixes many episodes, and pictures are read from few places at a time.
Which frame stands at a position is a function of seed, epoch and position; memory is that of a few
windows for any number of frames.
"""

from functools import lru_cache

import numpy as np

from vla.data.randomness import ORDER, generator

BLOCK = 256  # frames
WINDOW = 64 * BLOCK
WINDOWS_KEPT = 4
ROUNDS = 6


class BlockShuffle:
    """Orders of `length` frames, one an epoch. `number`: of the dataset among those that are mixed."""

    def __init__(self, length: int, seed: int, number: int = 0):
        self.length, self.seed, self.number = length, seed, number
        self.windows = -(-length // WINDOW)  # an epoch
        # Equal to within a frame: no short one ends the epoch. So many are longer by one frame.
        self.size, self.longer = divmod(length, self.windows)
        self._window = lru_cache(WINDOWS_KEPT)(self._compute_window)  # threads may share it

    def rows(self, positions: np.ndarray) -> np.ndarray:
        """The frames at `positions`, counted on through all epochs: int64, of the same shape."""
        epochs, offsets = np.divmod(positions, self.length)
        in_longer = self.longer * (self.size + 1)
        windows = np.where(
            offsets < in_longer,
            offsets // (self.size + 1),
            self.longer + (offsets - in_longer) // self.size,
        )
        numbers = epochs * self.windows + windows
        if (numbers == numbers[0]).all():
            return self._in_window(int(numbers[0]), offsets)
        rows = np.empty(len(positions), np.int64)
        for number in np.unique(numbers):
            chosen = numbers == number
            rows[chosen] = self._in_window(int(number), offsets[chosen])
        return rows

    def _in_window(self, number: int, offsets: np.ndarray) -> np.ndarray:
        return self._window(number)[offsets - self._start(number % self.windows)]

    def _start(self, window: int) -> int:
        return window * self.size + min(window, self.longer)

    def _compute_window(self, number: int) -> np.ndarray:
        epoch, window = divmod(number, self.windows)
        rows = self._in_blocks(epoch, np.arange(self._start(window), self._start(window + 1)))
        return generator(self.seed, ORDER, self.number, 1, number).permutation(rows)

    def _in_blocks(self, epoch: int, offsets: np.ndarray) -> np.ndarray:
        """The frames at `offsets` when blocks are permuted and frames keep their places in them.

        Frames that fill no block come between two blocks, elsewhere in every epoch.
        """
        blocks, rest = divmod(self.length, BLOCK)
        random = generator(self.seed, ORDER, self.number, 0, epoch)
        keys = random.bit_generator.random_raw(ROUNDS)
        gap = int(random.integers(blocks + 1)) * BLOCK
        in_rest = (offsets >= gap) & (offsets < gap + rest)
        slots, places = np.divmod(np.where(offsets < gap, offsets, offsets - rest), BLOCK)
        rows = np.empty(len(offsets), np.int64)
        rows[~in_rest] = permute(slots[~in_rest], blocks, keys) * BLOCK + places[~in_rest]
        rows[in_rest] = blocks * BLOCK + offsets[in_rest] - gap
        return rows


def permute(values: np.ndarray, count: int, keys: np.ndarray) -> np.ndarray:
    """A permutation of 0 to `count - 1`, chosen by `keys`: where it puts each of `values`.

    `values`: int64; `keys`: uint64, an even number of rounds. A generalised Feistel cipher on
    numbers below a times b, at least `count`, which walks on from what it puts outside (Black and
    Rogaway, "Ciphers with arbitrary finite domains", CT-RSA 2002, methods 2 and 3).
    """
    if not len(values):
        return values
    a = int(np.ceil(np.sqrt(count)))
    b = -(-count // a)
    permuted = _encipher(values.astype(np.uint64), a, b, keys)
    while (outside := permuted >= count).any():
        permuted[outside] = _encipher(permuted[outside], a, b, keys)
    return permuted.astype(np.int64)


def _encipher(values: np.ndarray, a: int, b: int, keys: np.ndarray) -> np.ndarray:
    left, right = values % np.uint64(a), values // np.uint64(a)
    for number, key in enumerate(keys):
        modulus = np.uint64(b if number % 2 else a)
        left, right = right, (left + _scramble(right + key) % modulus) % modulus
    return left + np.uint64(a) * right


def _scramble(words: np.ndarray) -> np.ndarray:
    """The finaliser of SplitMix64 (Steele, Lea, Flood, "Fast splittable PRNGs", OOPSLA 2014)."""
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))
