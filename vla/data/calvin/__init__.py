"""CALVIN's layout on disk: what its readers and its writer share."""
