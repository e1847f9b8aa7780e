"""The folds of the projections, one module per domain, each with its tables beside it. Way in: `composition`."""
