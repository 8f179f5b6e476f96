"""Which items are odd, what stands behind them, and what response theory says of them."""
