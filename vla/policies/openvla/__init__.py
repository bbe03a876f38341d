"""OpenVLA checkpoints that others published, taken as they come."""
