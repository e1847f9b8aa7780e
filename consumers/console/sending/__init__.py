"""What the console remembers of what people send: receipts, and files that are sent in the background. Nothing of it is
kept over a restart: the log and the gateway have the truth. Way in: `receipts.Receipts`, `uploads.Uploads`.
"""
