"""Sends webhooks: what is due, to checked addresses, signed, attempted again over days. Entry points: `sender.send`,
`redelivery.redeliver`, `commands.COMMANDS`. Imports: `consumers.delivery.queue`, `consumers.delivery.secrets`.
"""
