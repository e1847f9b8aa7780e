"""Where the console's figures come from, and where events go: the read API's routes inside this process, the gateway
over HTTP, and news of the log. Way in: `read_api.ReadApi`, `gateway.Gateway`, `live.Live`.
"""
