"""Reads what is published: experiments, versions and runs, and what people look up of them."""
