"""Policies: image(s) + instruction + proprioception -> action chunk. One folder a family; plain PyTorch."""
