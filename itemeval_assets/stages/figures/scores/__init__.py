"""How good is each condition: means, rates over replications, panels of judges."""
