"""Takes in sheets that came back: read, checked row by row, and stored as gradings."""
