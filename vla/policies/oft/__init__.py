"""OpenVLA-OFT: a vision-language model that answers with a whole action chunk at once, by regression."""
