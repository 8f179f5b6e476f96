"""What calls may cost, and how long they may take, before they are made."""
