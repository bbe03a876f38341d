"""CALVIN's layout with absolute actions."""
