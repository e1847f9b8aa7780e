"""What runs, how far it is, what has stopped and what to do about it, and who did what. Way in: `routes.routes`."""
