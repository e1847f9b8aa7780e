"""Shows and checks the campaign rules, and tries a changed one on the real history. Way in: `trial.try_rules`."""
