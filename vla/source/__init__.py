"""The code behind a result: what a job imports, its hash, its state in git."""
