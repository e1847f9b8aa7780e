"""Awareness campaigns, why they were triggered, their rules, and the coverage of services. Way in:
`campaigns.Campaign`, `campaigns.Coverage`.
"""
