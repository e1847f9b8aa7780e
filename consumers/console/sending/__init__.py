"""The files that people send, which the console does in the background. Nothing of it is kept over a restart: the log
and the gateway have the truth. Way in: `uploads.Uploads`.
"""
