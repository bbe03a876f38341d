"""Training: determinism, optimiser, checkpoints, metrics, and the loop that one can read in one sitting."""
