"""What a run tells while it trains: the metrics file, and trackers that mirror it."""
