"""Trained policies as models to hand on: semantic versions and model cards."""
