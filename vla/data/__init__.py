"""Datasets: collection, layout on disk, verification, the prepared store, sampling."""
