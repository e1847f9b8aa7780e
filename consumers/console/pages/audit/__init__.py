"""The audit room and the pages that explain figures: `/audit…` and `/explain/…`. `entry` turns an entry into what a
template shows, `names` has the words of figures. Way in: `routes.routes`.
"""
