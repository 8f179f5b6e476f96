"""What others can check of a study: its seals, its releases, and their card on the Hub."""
