"""Drift: did the model change since, or did the judge?"""
