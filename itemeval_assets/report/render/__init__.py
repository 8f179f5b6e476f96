"""Views as people read them: on a terminal, on the page of an asset, in a card."""
