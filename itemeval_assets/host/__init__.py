"""The process and its machine: interrupts, garbage collection, other processes, installation."""
