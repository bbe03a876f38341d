"""What the configuration asks for: runs, evaluations and documents, each with its key."""
