"""The audit room and the pages that explain figures: `/audit…` and `/explain/…`. `entry` turns an entry into what a
template shows. Way in: `routes.routes`.
"""
