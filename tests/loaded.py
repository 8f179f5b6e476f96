"""Loads what a run of a study loads: what processes of tests are forked from."""

import anthropic  # noqa: F401
import datasets  # noqa: F401
import inspect_ai
import inspect_ai.model._providers.openai_compatible  # noqa: F401
import matplotlib.backends.backend_agg  # noqa: F401
import pandas  # noqa: F401

import tests.faults.study_runs
import tests.history
import tests.storage.writers  # noqa: F401
