"""Brings the campaigns' entries to the teams by webhook and e-mail, and sets timers. Way in: `delivery.Delivery`."""
