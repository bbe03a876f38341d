"""Layouts of datasets on disk: one folder each, with a reader of its episodes."""
