"""The programme's real story, published as any agency publishes (`yesser demo`). Way in: `demo`."""
