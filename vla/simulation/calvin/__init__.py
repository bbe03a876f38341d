"""CALVIN: chains of five instructed subtasks for a Franka arm at a table (Mees et al. 2022)."""
