"""Events on the wire: the CloudEvents envelope, the canonical form (RFC 8785), the Kafka binding, strict JSON, the
log's entry, and upcasts of old versions. Way in: `codec` to write, `entry` to read an entry of the log.
"""
