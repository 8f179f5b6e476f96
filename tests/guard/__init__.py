"""The guard: everything that the definitions offer is exercised through the real entry."""
