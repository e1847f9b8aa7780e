"""Decides what depends on the clock: which campaigns are escalated, and which are triggered as not aired. Way in:
`timers.set_off`.
"""
