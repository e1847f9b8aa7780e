"""What events are: values, the envelope and its bytes, the event types, validation. No service is needed. Way in:
`types.catalogue.CATALOGUE`, `validation.validate`, `wire.entry`.
"""
