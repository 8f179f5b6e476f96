"""Who may write: locks of the system, and leases that end when their holder is silent."""
