"""Kafka: client configuration, topics and ACLs, SCRAM users, quotas, and what the client library lacks. Entry point:
`client_config.client_arguments`. Imports: `infra.principals`, `infra.settings`, `infra.secret_files`.
"""
