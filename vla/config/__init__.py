"""What can be configured. One module a section: a change in one section's code concerns only its readers."""
