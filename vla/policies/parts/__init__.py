"""Pieces that policy families share. A family imports these, never another family."""
