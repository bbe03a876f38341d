"""RT-2: a vision-language model whose rarest tokens are actions."""
