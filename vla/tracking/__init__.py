"""What a run writes while it trains: the metrics file, always, and TensorBoard."""
