"""Kafka: client configuration, topics and ACLs, SCRAM users, quotas, and what the client library lacks. Way in:
`client_config.client_arguments`.
"""
