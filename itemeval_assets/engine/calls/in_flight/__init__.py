"""Calls in flight: which request may be sent, what it may cost, and how calls end early."""
