"""The store of one study: tables, logs, claims of partitions, reservations of money."""
