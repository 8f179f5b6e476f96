"""How good is a condition: means, shares of right answers, panels of judges."""
