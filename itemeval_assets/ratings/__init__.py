"""People who rate: sheets that are written for them, and their ratings taken in."""
