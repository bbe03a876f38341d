"""Simulators, as Gymnasium environments whose seeds mean something."""
