"""Sends webhooks: what is due, to checked addresses, signed, attempted again over days. Way in: `route.send`."""
