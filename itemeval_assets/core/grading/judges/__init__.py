"""Judges: models that grade, by a rubric or as a model-graded scorer of inspect_ai."""
