"""What a run is made of (its key) and what happened around it (its record)."""
