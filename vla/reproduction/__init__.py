"""Whether one run reproduces another; where a file comes from; running it again."""
