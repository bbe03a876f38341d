"""Evaluation: policies in simulation, one recorded outcome an episode."""
