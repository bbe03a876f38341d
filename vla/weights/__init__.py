"""Pretrained weights: pinned by SHA-256, brought here and verified before a policy starts from them."""
