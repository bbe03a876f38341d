"""Behaviour cloning: L1 regression of action chunks."""
