"""What sends events: files, the gateway, the client library, the outbox; and the agencies with their access. Way in:
`publisher.kafka_publisher`, `sdk.client`, `gateway.process`, `agencies.commands`.
"""
