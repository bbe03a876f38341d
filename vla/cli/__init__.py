"""The command `vla`: thin over the library and Snakemake."""
