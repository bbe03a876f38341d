"""What is written of every job: records, the attempts behind them."""
