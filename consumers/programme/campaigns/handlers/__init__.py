"""The rules of campaigns and their life cycle. Way in: `rules`, `lifecycle`."""
