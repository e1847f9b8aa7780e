"""`/plan`: the five-year plan at a glance, as of any number of entries, its pace, and the lists behind it. `overview`
turns documents into what templates show; `routes` renders and keeps. Way in: `routes.routes`.
"""
