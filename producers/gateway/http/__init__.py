"""HTTP below the routes: protocol limits, body, content modes of CloudEvents, problems. Way in: `protocol`,
`content_mode`.
"""
