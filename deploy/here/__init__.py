"""All machines on this one: what is deployed is run, what dies is killed, and all is counted."""
