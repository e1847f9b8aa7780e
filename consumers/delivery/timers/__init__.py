"""Decides what depends on the clock: which campaigns are escalated, and which are triggered as not aired. Way in:
`timers.set_off`. Imports: `events`, `infra`, `consumers.as_of`, `consumers.campaigns`, `consumers.delivery`,
`consumers.registrar`.
"""
