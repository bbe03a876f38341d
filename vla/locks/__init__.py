"""The conda environments of the workflow: locked, installed from their pins, and guarded."""
