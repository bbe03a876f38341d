"""Policies: image(s) + instruction + proprioception -> action chunk. Plain PyTorch."""
