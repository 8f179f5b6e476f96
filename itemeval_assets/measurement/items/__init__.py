"""Which items are odd, and what response theory says of them."""
