"""What the terminal shows: at the end of each command: of studies, of money, of published runs."""
