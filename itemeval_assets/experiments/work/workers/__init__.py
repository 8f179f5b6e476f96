"""Runs specs: in the process of the op, or each in one of several warm processes."""
