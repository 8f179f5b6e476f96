"""The process and its machine: interrupts, garbage collection, how the package is installed."""
