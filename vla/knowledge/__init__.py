"""What the lab knows: the state of experiments, their database, what was learnt."""
