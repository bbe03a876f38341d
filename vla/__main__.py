"""`python -m vla` is `vla`."""

from vla.cli.main import main

main()
