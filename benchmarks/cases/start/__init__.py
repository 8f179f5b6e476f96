"""What it takes to begin: definitions, and the commands of a small study."""
