"""Files to Kafka: NDJSON or CSV lines, sent in order, resumed where they stopped, reported by verdict. Way in:
`commands` (`yesser publish`), `kafka_publisher.AgencyPublisher`.
"""
