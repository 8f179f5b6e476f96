"""Money: prices, projections, the budget, what calls cost, and the ledger."""
