"""Behaviour cloning with pretrained word vectors."""
