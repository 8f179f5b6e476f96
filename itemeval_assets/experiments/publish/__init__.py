"""Publishes runs.

`publication` reserves a folder, writes what every run has, and the manifest last: releases of
studies use it, too. `specs` publishes specs that are to be run, `artifacts` their input files.
"""
