"""CALVIN's layout with relative actions."""
