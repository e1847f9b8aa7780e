"""Brings the campaigns' entries to the teams by webhook and e-mail, and sets timers. Way in: `delivery.Delivery`.
Imports: `events`, `infra`, `consumers.as_of`, `consumers.campaigns`, `consumers.read_api`, `consumers.registrar`.
"""
